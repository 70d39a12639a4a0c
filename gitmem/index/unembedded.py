"""Memories that wait for vectors, and how what was made for them is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from gitmem.index.vectors import note

_MEMO = "n, id, print, title, cuts"


class Memo(NamedTuple):
    """A memory that waits for vectors: what tells it from any other that may get its number."""

    number: int
    id: str
    fingerprint: int
    title: str
    cuts: str


class State(NamedTuple):
    """How far vectors are: whose they are ("" without any), how many, and of how many memories out of all."""

    embedder: str
    vectors: int
    done: int
    memories: int


def state(connection: Any) -> State:
    """How far the vectors are."""
    vectors = connection.execute("SELECT count(*) FROM vector").fetchone()[0]
    return State(_head(connection).embedder, vectors, *progress(connection))


def progress(connection: Any) -> tuple[int, int]:
    """How many memories have their vectors, and how many there are."""
    found: tuple[int, int] = connection.execute(
        "SELECT count(*) FILTER (WHERE n <= (SELECT done FROM vector_head)), count(*) FROM memory"
    ).fetchone()
    return found


def waiting(connection: Any, embedder: str, limit: int) -> list[Memo]:
    """The next memories, at most ``limit``, whose passages have no vectors of ``embedder`` yet."""
    head = _head(connection)
    done = head.done if head.embedder == embedder else 0
    query = f"SELECT {_MEMO} FROM memory WHERE n > ? ORDER BY n LIMIT ?"
    return [Memo(*found) for found in connection.execute(query, (done, limit)).fetchall()]


def put(connection: Any, embedder: str, made: Sequence[tuple[Memo, Sequence[tuple[int, bytes]]]]) -> None:
    """Keep what was made for the memories that were waiting: row and vector of each passage.

    Vectors of another embedder go first. A memory that changed meanwhile waits on, and so do those after it.
    Call it within a transaction.
    """
    if [memo for memo, _ in made] != waiting(connection, embedder, len(made)):
        return
    if _head(connection).embedder != embedder:
        drop(connection)
    rows = [row for _, vectors in made for row in vectors]
    connection.executemany("INSERT INTO vector VALUES (?, ?)", rows)
    connection.execute("UPDATE vector_head SET embedder = ?, done = ?", (embedder, made[-1][0].number))
    note(connection, [row for row, _ in rows])


def drop(connection: Any) -> None:
    """Take all vectors out; words stay. Call it within a transaction."""
    connection.execute("DELETE FROM vector")
    connection.execute("UPDATE vector_head SET embedder = '', epoch = epoch + 1, done = 0")


class _Head(NamedTuple):
    embedder: str
    epoch: int
    done: int


def _head(connection: Any) -> _Head:
    return _Head(*connection.execute("SELECT embedder, epoch, done FROM vector_head").fetchone())

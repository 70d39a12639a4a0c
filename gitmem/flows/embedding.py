"""Vectors for the memories of a vault: what its index still lacks, made beside everything else."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from gitmem import config
from gitmem.errors import ConfigError
from gitmem.index import schema, unembedded
from gitmem.index.passages import plain
from gitmem.store import Store

if TYPE_CHECKING:
    from gitmem.index.embedder import Embedder
    from gitmem.index.index import Index
    from gitmem.index.unembedded import Memo

Made = list[tuple["Memo", list[tuple[int, bytes]]]]  # row and vector of each passage
Step = Callable[[int, int], None]  # done, total
_NO_VECTORS = "The model gives no vectors: `gitmem model status` says why."
_REST = 3600.0  # seconds before a model that failed is tried again behind a search
_AT_ONCE = 8  # memories: so few are looked up one by one, and little is lost when the process is killed


@dataclass(frozen=True, slots=True)
class State:
    """What is in a vault's index: counts, its size in bytes, and whose the vectors are ("" without any).

    ``embedded`` memories have the vectors of all their passages.
    """

    memories: int
    passages: int
    embedded: int
    vectors: int
    embedder: str
    bytes: int


def state(store: Store) -> State:
    """What is in the vault's index, brought up to date.

    Raises:
        TamperedError: the branch is refused.
    """
    found = store.index.ask(unembedded.state)
    cuts = store.index.ask(lambda connection: connection.execute("SELECT cuts FROM memory").fetchall())
    files = (os.path.join(store.repo.folder, name) for name in ("index.db", "index.db-wal"))
    size = sum(os.path.getsize(file) for file in files if os.path.exists(file))
    passages = sum(schema.passage_count(places) for (places,) in cuts)
    return State(found.memories, passages, found.done, found.vectors, found.embedder, size)


def lacks(store: Store, embedder: Embedder) -> bool:
    """Whether memories wait for vectors that nobody is making, from a model that works; quick."""
    index = store.index
    if not index.lasts or not index.ask(lambda found: unembedded.waiting(found, embedder.name, 1)):
        return False
    try:
        failed_lately = time.time() - os.path.getmtime(_failed()) < _REST
    except OSError:
        failed_lately = False
    try:
        with config.hold(_lock(store), wait=False) as free:
            return free and not failed_lately
    except ConfigError:  # where no lock can be held, nobody could make them either
        return False


def fill(store: Store, embedder: Embedder, step: Step | None = None, *, wait: bool = True) -> str:
    """Make the vectors that are missing; why some still are, "" when none is.

    One process at a time does; another one waits for it, or goes without ``wait``.

    Each small transaction stays: it may be killed at any time; others read and write in between.

    Raises:
        TamperedError: the branch is refused.
        ConfigError: the state folder cannot be written.
    """
    with config.hold(_lock(store), wait=wait) as mine:
        if not mine:
            return "Another gitmem is making vectors."
        why = make(lambda: store.index, store, embedder, step)
        if why == _NO_VECTORS:
            config.write_private(_failed(), "")
        else:
            config.remove(_failed())
        return why


def make(index_of: Callable[[], Index], store: Store, embedder: Embedder, step: Step | None = None) -> str:
    """Make them for any index of the store's memories, asked for before each step; why some are missing.

    The index must be of a commit that the store has verified.
    """
    while True:
        index = index_of()
        if not index.lasts:
            return "The index cannot be written here, so vectors would not stay."
        waiting = index.ask(lambda connection: unembedded.waiting(connection, embedder.name, _AT_ONCE))
        if not waiting:
            return ""
        made = _made(store, index.commit, embedder, waiting)
        if made is None:
            return _NO_VECTORS
        index.change(None, partial(_put, embedder.name, made))
        if step is not None:
            step(*index.ask(unembedded.progress))


def _put(embedder: str, made: Made, connection: Any) -> None:
    unembedded.put(connection, embedder, made)


def _made(store: Store, commit: str, embedder: Embedder, waiting: Sequence[Memo]) -> Made | None:
    """Row and vector of each memory's passages, as ``commit`` has it; None when the model gives none."""
    bodies = {one.id: one.body for one in store.memories((memo.id for memo in waiting), commit, damaged=[])}
    made = []
    for memo in waiting:
        count = schema.passage_count(memo.cuts) if memo.id in bodies else 0
        spans = [schema.place(memo.cuts, k) for k in range(count)]
        numbers = embedder.embed([plain(bodies[memo.id][start:end]) for start, end in spans])
        if len(numbers) < count:
            return None
        rows = [schema.passage_row(memo.number, k, several=count > 1) for k in range(count)]
        made.append((memo, list(zip(rows, numbers, strict=True))))
    return made


def _failed() -> str:
    return os.path.join(config.state_dir(), "model-failed")


def _lock(store: Store) -> str:
    return f"vectors-{store.vault.id}"

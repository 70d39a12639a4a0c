"""What stands in the index file: its tables, and how a memory becomes rows and a row becomes a value.

A memory has a number ``n``, local to this file. Its passages are rows of the full-text table ``passage``; a
memory of several passages has one more there, for what stands above them all (date, title, names). The table
is contentless: it holds the words, not the text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from gitmem.index import vectors
from gitmem.index.filters import SUPERSEDED, digits, from_digits, tag_column, tags_of
from gitmem.index.passages import cuts, passages
from gitmem.index.seen import PRINT
from gitmem.index.totals import delete
from gitmem.index.words import TOKENIZER, storable
from gitmem.memory.memory import SHORT, Memory
from gitmem.memory.text import fingerprint

VERSION = 2  # an index of another version is replaced, so any change below must change it

# pgsz: a block of the full-text table fits into one page beside SQLCipher's 80 bytes. automerge: merging less
# often leaves fewer empty pages behind.
# It keeps the places of words: without them (detail=none or column) bm25 counts nothing and is always 0.
_TABLES = f"""
CREATE TABLE head (vault TEXT NOT NULL, verified TEXT NOT NULL);
CREATE TABLE memory (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT, kind TEXT, project TEXT, tags TEXT,
    created INTEGER, updated INTEGER, trust TEXT, importance REAL, expires INTEGER, share INTEGER,
    session TEXT, source TEXT, print INTEGER, cuts TEXT, forms TEXT, blob BLOB);
CREATE INDEX memory_short ON memory (substr(id, -{SHORT}));
CREATE INDEX memory_print ON memory (print);
CREATE INDEX memory_created ON memory (created);
CREATE INDEX memory_project ON memory (project, created);
CREATE INDEX memory_source ON memory (source) WHERE source <> '';
CREATE INDEX memory_expires ON memory (expires) WHERE expires <> 0;
CREATE TABLE supersede (old TEXT, n INTEGER, PRIMARY KEY (old, n)) WITHOUT ROWID;
CREATE INDEX supersede_n ON supersede (n);
CREATE VIRTUAL TABLE passage USING fts5(
    body, content='', contentless_delete=1, tokenize="{TOKENIZER}");
INSERT INTO passage (passage, rank) VALUES ('pgsz', 3940), ('automerge', 8);
PRAGMA user_version = {VERSION};
"""
_NUMBER = (1 << 39) - 1
MEMORY_OF_PASSAGE = f"(rowid & {_NUMBER})"
_COLUMNS = "id, title, kind, project, tags, created, updated, trust, importance, expires, share, session"
ROW = f"{_COLUMNS}, {SUPERSEDED}"


class Row(NamedTuple):
    """What a list shows of a memory, without decrypting it."""

    id: str
    title: str
    kind: str
    project: str
    tags: tuple[str, ...]
    created: str
    updated: str
    trust: str
    importance: float | None
    expires: str
    share: bool
    session: str
    superseded: bool


def create(connection: Any, vault_id: str) -> None:
    """Make the tables of an empty index of that vault, all or nothing."""
    connection.executescript(f"BEGIN; {_TABLES} {vectors.TABLES}")
    connection.execute("INSERT INTO head VALUES (?, '')", (vault_id,))
    connection.execute("COMMIT")


def row(values: Sequence[Any]) -> Row:
    """The value of a result row with the columns ``ROW``."""
    memory_id, title, kind, project, tags, created, updated, trust, importance, expires, *rest = values
    share, session, superseded = rest
    return Row(
        memory_id, title, kind, project, tags_of(tags), from_digits(created), from_digits(updated), trust,
        importance, from_digits(expires), bool(share), session, bool(superseded),
    )  # fmt: skip


def print_column(fingerprint: bytes) -> int:
    """Enough of a fingerprint to find it by: its first 8 bytes as SQLite's integer."""
    return int.from_bytes(fingerprint[:PRINT], "big", signed=True)


def passage_row(number: int, k: int, *, several: bool) -> int:
    """The row of passage ``k`` of memory ``number``; it tells whether there are others.

    The memory's number is the low end: FTS5 finds deleted rows by the low bits of their numbers, and stores
    the distance from row to row.
    """
    return k << 40 | several << 39 | number


def passage_of(row: int) -> tuple[int, int, bool]:
    """Memory number, passage, and whether the memory has several: what ``passage_row`` put together."""
    return row & _NUMBER, row >> 40, bool(row >> 39 & 1)


def remove(connection: Any, ids: Iterable[str]) -> None:
    """Take those memories out, as far as they are in."""
    found = connection.execute(
        "SELECT n, cuts FROM memory WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
    ).fetchall()
    pieces: list[int] = []
    for number, places in found:
        count = passage_count(places)
        several = count > 1
        pieces += [passage_row(number, k, several=several) for k in range(count + several)]
    delete(connection, "passage", pieces)
    numbers = [(number,) for number, _ in found]
    connection.executemany("DELETE FROM supersede WHERE n = ?", numbers)
    connection.executemany("DELETE FROM memory WHERE n = ?", numbers)
    vectors.remove(connection, pieces)


def insert(
    connection: Any, memories: Iterable[Memory], number: int, blobs: Mapping[str, str] | None = None
) -> int:
    """Put memories in that are not there yet, numbered from ``number`` on; the next free number comes out.

    ``blobs`` tells the id of the sealed object of each, as far as it is known.
    """
    rows: list[tuple[Any, ...]] = []
    pieces: list[tuple[int, str]] = []
    olds: list[tuple[str, int]] = []
    for memory in memories:
        at, forms = cuts(memory.body)
        several = len(at) > 2
        blob = bytes.fromhex((blobs or {}).get(memory.id, ""))
        rows.append((number, *_row(memory), str(at), forms if several else "", blob))
        texts = enumerate(passages(memory, at))
        pieces += [(passage_row(number, k, several=several), text) for k, text in texts]
        olds += [(storable(old), number) for old in set(memory.supersedes) if old != memory.id]
        number += 1
    connection.executemany(f"INSERT INTO memory VALUES ({','.join('?' * 18)})", rows)
    pieces.sort()  # FTS5 writes out what it holds whenever a row's number is lower than the one before
    connection.executemany("INSERT INTO passage (rowid, body) VALUES (?, ?)", pieces)
    connection.executemany("INSERT INTO supersede VALUES (?, ?)", olds)
    return number


def passage_count(places: str) -> int:
    """How many passages a memory has whose column ``cuts`` is ``places``."""
    return places.count(",")


def place(places: str, k: int) -> tuple[int, int]:
    """Where passage ``k`` begins and ends in the body."""
    at = json.loads(places)
    return at[k], at[k + 1]


def _row(memory: Memory) -> tuple[Any, ...]:
    return (
        memory.id,
        storable(memory.title),
        memory.kind,
        storable(memory.project),
        tag_column(memory.tags),
        digits(memory.created),
        digits(memory.updated),
        memory.trust,
        memory.importance,
        digits(memory.expires),
        memory.share,
        storable(memory.session),
        storable(memory.source),
        print_column(fingerprint(memory)),
    )

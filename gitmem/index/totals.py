"""Deleting rows of a contentless full-text table so that its averages stay true.

FTS5 keeps the number of rows and of words per column in one record, which bm25 reads. Deleting from a table
made with ``contentless_delete=1`` leaves that record as it was, so an index with a history would score in
another way than a new one. Here the record is put right, unless this SQLite did so itself.

The record (row 1 of the table's ``_data``: row count, then words per column) and the row sizes (``_docsize``:
words per column) are sequences of SQLite's varints; see "FTS5 data structures" in sqlite.org/fts5.html.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def delete(connection: Any, table: str, rows: Sequence[int]) -> None:
    """Delete those rows of the full-text table; call it within a transaction."""
    if not rows:
        return
    before = _totals(connection, table)
    sizes = connection.execute(
        f"SELECT sz FROM {table}_docsize WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(rows),)
    ).fetchall()
    connection.executemany(f"DELETE FROM {table} WHERE rowid = ?", [(row,) for row in rows])
    if not sizes or _totals(connection, table) != before:
        return
    words = map(sum, zip(*(_numbers(size) for (size,) in sizes), strict=True))
    now = [max(0, was - less) for was, less in zip(before, (len(sizes), *words), strict=True)]
    connection.execute(f"UPDATE {table}_data SET block = ? WHERE id = 1", (b"".join(map(_varint, now)),))


def totals(connection: Any, table: str) -> list[int]:
    """How many rows the table has, and how many words each of its columns."""
    return _numbers(connection.execute(f"SELECT block FROM {table}_data WHERE id = 1").fetchone()[0]) or [0]


def _totals(connection: Any, table: str) -> list[int]:
    # A savepoint makes FTS5 write what it holds in memory, and read it again when it next needs it.
    connection.execute("SAVEPOINT totals")
    connection.execute("RELEASE totals")
    return totals(connection, table)


def _numbers(block: bytes) -> list[int]:
    found, value = [], 0
    for byte in block:  # nine bytes only above 2^56, which no count of words reaches
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            found.append(value)
            value = 0
    return found


def _varint(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))

"""The local search index: an encrypted file, a function of one verified commit, that can be made again.

It never fails a command. A file that turns out to be damaged is replaced by an empty one, and where no file
can be written the index lives in memory: ``commit`` is "" then, and ``refill`` is asked to bring it up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from sqlcipher3 import dbapi2 as sql

from gitmem.index import opening, schema
from gitmem.index.filters import Filters, condition
from gitmem.index.fusion import Scored
from gitmem.index.keyword import match
from gitmem.index.schema import Row
from gitmem.index.search import Search
from gitmem.index.seen import PRINT
from gitmem.index.terms import counted
from gitmem.index.vectors import Vectors
from gitmem.index.words import storable
from gitmem.memory.memory import SHORT, Memory

if TYPE_CHECKING:
    from gitmem.index.embedder import Embedder

_Answer = TypeVar("_Answer")
_BATCH = 1_000  # memories held at once,
_BATCH_SIZE = 4_000_000  # or their characters, when they are large
_MOST_IDS = 10


class Index:
    """Rows and words of every memory of one commit. Processes may share the file, threads may not."""

    def __init__(self, path: str, key: bytes, vault_id: str, refill: Callable[[], None] | None) -> None:
        self._path, self._key, self._vault_id, self._refill = path, key, vault_id, refill
        self._mended = 0
        self._identity: opening.Identity | None = None  # None: in memory
        self._connection: Any = None
        self._vectors = Vectors()
        self._attach()

    @classmethod
    def open(cls, path: str, key: bytes, vault_id: str, refill: Callable[[], None] | None = None) -> Index:
        """The index at ``path``, empty (``commit == ""``) when there was none that ``key`` and vault fit.

        ``refill`` is called when a question finds the file damaged, after it was replaced by an empty one and
        before the question is asked again: it should ``apply`` everything.
        """
        return cls(path, key, vault_id, refill)

    @property
    def commit(self) -> str:
        """The verified commit that the index reflects, "" when it is empty."""
        if self._identity is not None and opening.identity_of(self._path) != self._identity:
            self.close()  # another process replaced the file
            self._attach()
        return self.ask(_commit)

    @property
    def lasts(self) -> bool:
        """Whether it is kept in a file, not only as long as this process lives."""
        return self._identity is not None

    def apply(
        self,
        commit: str,
        gone: Iterable[str],
        come: Iterable[Memory],
        since: str | None = None,
        blobs: Mapping[str, str] | None = None,
    ) -> bool:
        """Go to ``commit`` in one transaction: without the ids ``gone``, with ``come``, new or changed.

        ``blobs`` tells which object of ``commit`` each memory was opened from, by id. False when nothing was
        done, as for ``change``; what ``come`` raises goes through.
        """

        def action(connection: Any) -> None:
            _change(connection, gone, come, blobs or {})
            connection.execute("UPDATE head SET verified = ?", (commit,))

        return self.change(since, action)

    def change(self, since: str | None, action: Callable[[Any], None]) -> bool:
        """Carry out ``action`` with the connection, in one transaction.

        False when nothing was done, because the index no longer reflects ``since`` (another process was
        faster) or because it had to be replaced: look at ``commit`` again. What it raises goes through, and
        nothing changes.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                if since is not None and _commit(self._connection) != since:
                    return False
                action(self._connection)
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
        except sql.DatabaseError as error:
            self._mend(error)
            return False
        opening.settle(self._connection, self._path)
        return True

    def search(
        self, query: str, filters: Filters, limit: int, by: str = "memory", embedder: Embedder | None = None
    ) -> list[Scored]:
        """The best memories for any text, or the best passages ("passage"), best first; [] when nothing fits.

        With an ``embedder`` what says the same in other words counts too, as far as there are vectors.

        Raises:
            InvalidMemoryError: a date in ``filters`` is none.
        """
        return self.ask(
            lambda connection: Search(connection, query, filters, limit).run(by, embedder, self._vectors)
        )

    def frequencies(self, words: Iterable[str]) -> dict[str, int]:
        """In how many passages each of ``words`` stands."""
        some = list(dict.fromkeys(words))
        terms = self.ask(lambda one: counted(one, [match((word,)) for word in some]))
        return {word: term.held for word, term in zip(some, terms, strict=True)}

    def blobs(self, ids: Iterable[str]) -> dict[str, str]:
        """The object that each of those memories was opened from, where it is known.

        As good as the tree's word: the index is of a verified commit, and written by who has the key.
        """
        query = "SELECT id, lower(hex(blob)) FROM memory WHERE id IN (SELECT value FROM json_each(?))"
        return {one: blob for one, blob in self._select(query, json.dumps(list(ids))) if blob}

    def rows(self, filters: Filters, limit: int | None = None) -> list[Row]:
        """What is kept of the memories that pass ``filters``, newest first.

        Raises:
            InvalidMemoryError: a date in ``filters`` is none.
        """
        where, values = condition(filters)
        query = f"SELECT {schema.ROW} FROM memory WHERE {where} ORDER BY created DESC, id DESC LIMIT ?"
        return [schema.row(found) for found in self._select(query, *values, -1 if limit is None else limit)]

    def count(self, filters: Filters) -> int:
        """How many memories pass ``filters``.

        Raises:
            InvalidMemoryError: a date in ``filters`` is none.
        """
        where, values = condition(filters)
        return int(self._select(f"SELECT count(*) FROM memory WHERE {where}", *values)[0][0])

    def by_fingerprint(self, fingerprint: bytes, now: str = "") -> str | None:
        """The id of a memory with the same text (the oldest), neither superseded nor expired by ``now``."""
        where, values = condition(Filters(now=now))
        query = f"SELECT id FROM memory WHERE print = ? AND {where} ORDER BY created, id LIMIT 1"
        found = self._select(query, schema.print_column(fingerprint), *values)
        return str(found[0][0]) if found else None

    def prints(self) -> list[bytes]:
        """What the index keeps of the fingerprint of every memory."""
        return [
            found[0].to_bytes(PRINT, "big", signed=True) for found in self._select("SELECT print FROM memory")
        ]

    def by_source(self, source: str) -> list[str]:
        """The ids of the memories that came from ``source``, in order; none for ""."""
        query = "SELECT id FROM memory WHERE source = ? AND source <> '' ORDER BY id"
        return [found[0] for found in self._select(query, storable(source))]

    def ending(self, suffix: str) -> list[str]:
        """At most 10 ids that end in ``suffix``, in order."""
        tail = storable(suffix)
        if len(tail) < SHORT:
            return self._ids("substr(id, -?) = ?", len(tail), tail) if tail else []
        return self._ids(f"substr(id, -{SHORT}) = ? AND substr(id, -?) = ?", tail[-SHORT:], len(tail), tail)

    def close(self) -> None:
        """Let go of the file and tidy its log away; a process that is about to end need not."""
        if self._identity is None or opening.identity_of(self._path) == self._identity:
            self._connection.close()

    # --- asking, and mending what cannot answer -----------------------------------------------------------

    def _ids(self, where: str, *values: Any) -> list[str]:
        query = f"SELECT id FROM memory WHERE {where} ORDER BY id LIMIT {_MOST_IDS}"
        return [found[0] for found in self._select(query, *values)]

    def _select(self, query: str, *values: Any) -> list[Any]:
        return self.ask(lambda connection: connection.execute(query, values).fetchall())

    def ask(self, question: Callable[[Any], _Answer]) -> _Answer:
        """The answer from one state of the file; from a new file, then from memory, when the file fails."""
        for _ in range(2):
            try:
                return _at_once(self._connection, question)
            except sql.DatabaseError as error:
                self._mend(error)
                if self._refill is not None:
                    self._refill()
        return _at_once(self._connection, question)

    def _mend(self, error: Exception) -> None:
        """Go on with an empty index: in a new file when this one is damaged, else in memory."""
        bad = self._identity
        if bad is None:
            raise error  # what fails in memory is no file's fault
        self.close()
        self._mended += 1
        if opening.is_damage(error) and self._mended == 1:
            self._attach(bad)
        else:
            self._stay_in_memory()

    def _attach(self, bad: opening.Identity | None = None) -> None:
        try:
            connection = opening.open_file(self._path, self._key, self._vault_id, bad)
        except (sql.Error, OSError):
            self._stay_in_memory()
        else:
            self._identity = opening.identity_of(self._path)
            self._connection = connection

    def _stay_in_memory(self) -> None:
        self._identity = None
        self._connection = opening.open_memory(self._vault_id)


def _commit(connection: Any) -> str:
    return str(connection.execute("SELECT verified FROM head").fetchone()[0])


def _change(connection: Any, gone: Iterable[str], come: Iterable[Memory], blobs: Mapping[str, str]) -> None:
    schema.remove(connection, gone)
    number = connection.execute("SELECT ifnull(max(n), 0) + 1 FROM memory").fetchone()[0]
    for batch in _batches(come):
        schema.remove(connection, batch)
        number = schema.insert(connection, batch.values(), number, blobs)


def _batches(memories: Iterable[Memory]) -> Iterator[dict[str, Memory]]:
    batch: dict[str, Memory] = {}
    size = 0
    for memory in memories:
        batch[memory.id] = memory
        size += len(memory.body)
        if len(batch) == _BATCH or size > _BATCH_SIZE:
            yield batch
            batch, size = {}, 0
    yield batch


def _at_once(connection: Any, question: Callable[[Any], _Answer]) -> _Answer:
    """The answer to several queries from one state of the file."""
    if connection.in_transaction:  # asked while ``apply`` is reading what comes
        return question(connection)
    connection.execute("BEGIN")
    try:
        return question(connection)
    finally:
        if connection.in_transaction:
            connection.execute("COMMIT")

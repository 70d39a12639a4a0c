"""Vectors of passages: kept in the index, compared by brute force from a copy in memory.

A vector is ``SIZE`` signed bytes. All of an index are of one embedder, whose name stands beside
them; those of another are dropped when the first of a new one comes. They are made in the order of the
memories' numbers, so one number tells which memories have theirs. Every change leaves a line in a short
journal: a process that has the copy reads only what is new.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

    from gitmem.index.embedder import Embedder

    Numbers = np.ndarray[Any, np.dtype[np.int64]]
    Floats = np.ndarray[Any, np.dtype[np.float32]]

SIZE = 384  # numbers in a vector, one signed byte each
TABLES = """
CREATE TABLE vector (passage INTEGER PRIMARY KEY, numbers BLOB NOT NULL);
CREATE TABLE vector_change (at INTEGER PRIMARY KEY AUTOINCREMENT, passage INTEGER NOT NULL);
CREATE TABLE vector_head (embedder TEXT NOT NULL, epoch INTEGER NOT NULL, done INTEGER NOT NULL);
INSERT INTO vector_head VALUES ('', 0, 0);
"""
_JOURNAL = 4_096  # changes that are remembered; a copy that lags further behind is read anew
_UNIT = 127 * 127
_BLOCK = 320  # vectors multiplied at once: more, and BLAS would wait for a second thread each time
_READ = 4_096  # vectors read at once
_HIDDEN = -2.0  # lower than any cosine
_NUMBER = (1 << 39) - 1  # where a passage's row holds the number of its memory: see schema.passage_row


class Cosines(NamedTuple):
    """How near each passage is to each query: for every query one cosine for each of ``rows``.

    A cosine is from -1 to 1; that of a passage which may not be found is lower.
    """

    rows: Numbers
    of_query: list[Floats]
    places: dict[int, int]

    def best(self, count: int) -> list[int]:
        """The rows that are among the ``count`` nearest of any query, or just as near, in order."""
        import numpy as np

        found: set[int] = set()
        for values in self.of_query:
            last = np.partition(values, -count)[-count] if count < len(values) else _HIDDEN
            found.update(self.rows[(values >= last) & (values > _HIDDEN)].tolist())
        return sorted(found)

    def of(self, rows: Iterable[int]) -> dict[int, tuple[float, ...]]:
        """The cosines of those of ``rows`` that have a vector and may be found, one for each query."""
        places = ((row, self.places[row]) for row in rows if row in self.places)
        found = {row: tuple(float(values[place]) for values in self.of_query) for row, place in places}
        return {row: cosines for row, cosines in found.items() if cosines[0] > _HIDDEN}

    def bounds(self) -> list[tuple[float, float]]:
        """The lowest and the highest cosine for each query; (0, 0) when nothing may be found."""
        shown = (values[values > _HIDDEN] for values in self.of_query)
        return [(float(some.min()), float(some.max())) if len(some) else (0.0, 0.0) for some in shown]


class Vectors:
    """The vectors of an index, and the copy in memory of those that one connection leads to."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._connection: Any = None
        self._epoch = self._at = -1
        self._places: dict[int, int] = {}  # row of the passage → where it lies in the two arrays
        self._rows: Any = None
        self._numbers: Any = None

    def cosines(
        self,
        connection: Any,
        embedder: Embedder,
        queries: Sequence[str],
        hidden: Collection[int] = (),
        allowed: Collection[int] | None = None,
    ) -> Cosines | None:
        """How near each passage is to each of ``queries``; None without vectors, or when they fail.

        Memories may be found unless their number is in ``hidden``; if ``allowed`` is given, only those in it.
        """
        name, epoch = connection.execute("SELECT embedder, epoch FROM vector_head").fetchone()
        different = list(dict.fromkeys(queries))
        vectors = embedder.embed(different) if name == embedder.name else []
        if not vectors or not self._refresh(connection, epoch):
            return None
        import numpy as np

        size = len(self._places)
        asked = np.frombuffer(b"".join(vectors), "i1").reshape(-1, SIZE).T.astype("f4", "C")
        asked /= _UNIT
        found = np.empty((size, len(different)), "f4")
        block = np.empty((_BLOCK, SIZE), "f4")
        for start in range(0, size, _BLOCK):
            some = block[: min(_BLOCK, size - start)]
            np.copyto(some, self._numbers[start : start + len(some)])
            np.dot(some, asked, out=found[start : start + len(some)])
        rows = self._rows[:size]
        if hidden or allowed is not None:
            found[~_open(rows, hidden, allowed)] = _HIDDEN
        columns = dict(zip(different, np.ascontiguousarray(found.T), strict=True))
        return Cosines(rows, [columns[query] for query in queries], self._places)

    def _refresh(self, connection: Any, epoch: int) -> bool:
        """Bring the copy up to what the index holds; False when that is nothing."""
        first, last = connection.execute("SELECT min(at), max(at) FROM vector_change").fetchone()
        if last is None:
            first, last = 1, 0
        if connection is not self._connection or epoch != self._epoch or first > self._at + 1:
            self._forget()
            self._take(connection.execute("SELECT passage, numbers FROM vector"))
        elif last > self._at:
            self._follow(connection)
        self._connection, self._epoch, self._at = connection, epoch, last
        return bool(self._places)

    def _follow(self, connection: Any) -> None:
        changed = "SELECT DISTINCT passage FROM vector_change WHERE at > ?"
        rows = [row for (row,) in connection.execute(changed, (self._at,)).fetchall()]
        for row in rows:
            self._drop(row)
        self._take(
            connection.execute(
                "SELECT passage, numbers FROM vector WHERE passage IN (SELECT value FROM json_each(?))",
                (json.dumps(rows),),
            )
        )

    def _take(self, found: Any) -> None:
        """Add vectors to the copy: rows and numbers, as a cursor gives them."""
        import numpy as np

        while some := found.fetchmany(_READ):
            start = len(self._places)
            end = start + len(some)
            self._make_room(end)
            self._rows[start:end] = [row for row, _ in some]
            numbers = b"".join(numbers for _, numbers in some)
            self._numbers[start:end] = np.frombuffer(numbers, "i1").reshape(-1, SIZE)
            self._places.update(zip((row for row, _ in some), range(start, end), strict=True))

    def _make_room(self, size: int) -> None:
        import numpy as np

        before = 0 if self._rows is None else len(self._rows)
        if size > before:
            rows, numbers = self._rows, self._numbers
            self._rows = np.empty(size + size // 8, "i8")
            self._numbers = np.empty((len(self._rows), SIZE), "i1")
            if before:
                self._rows[:before], self._numbers[:before] = rows, numbers

    def _drop(self, row: int) -> None:
        """Take a vector out of the copy, if it is in: the last one moves to its place."""
        place = self._places.pop(row, None)
        last = len(self._places)
        if place is not None and place != last:
            self._rows[place], self._numbers[place] = self._rows[last], self._numbers[last]
            self._places[int(self._rows[place])] = place


def remove(connection: Any, rows: Sequence[int]) -> None:
    """Take the vectors of those passages out, as far as they are in, once their memories are gone.

    Call it within a transaction.
    """
    had = "SELECT passage FROM vector WHERE passage IN (SELECT value FROM json_each(?))"
    gone = [row for (row,) in connection.execute(had, (json.dumps(list(rows)),)).fetchall()]
    connection.executemany("DELETE FROM vector WHERE passage = ?", [(row,) for row in gone])
    note(connection, gone)
    # The highest number is given again once its memory is gone.
    connection.execute("UPDATE vector_head SET done = min(done, (SELECT ifnull(max(n), 0) FROM memory))")


def names_out(query: str) -> str:
    """``query`` without the capitalised words inside its sentences, or as it is when no other word is left.

    Names weigh most in a sentence's vector, and everything that a person ever said is near their name.
    """
    kept, starts = [], True
    for word in query.split():
        if starts or not word.lstrip("\"'“‘(")[:1].isupper() or word == "I":
            kept.append(word)
        starts = word[-1] in ".?!:"
    return " ".join(kept) if len(kept) > 1 else query


def _open(rows: Numbers, hidden: Iterable[int], allowed: Iterable[int] | None) -> Any:
    """Which of the passages may be found."""
    import numpy as np

    numbers = rows & _NUMBER
    by_number = np.full(int(numbers.max()) + 1, allowed is None)
    for some, shown in ((allowed or (), True), (hidden, False)):
        chosen = np.fromiter(some, "i8")
        by_number[chosen[chosen < len(by_number)]] = shown
    return by_number[numbers]


def note(connection: Any, rows: Iterable[int]) -> None:
    """Put a change of those passages' vectors down in the journal. Call it within a transaction."""
    connection.executemany("INSERT INTO vector_change (passage) VALUES (?)", [(row,) for row in rows])
    connection.execute(
        "DELETE FROM vector_change WHERE at <= (SELECT max(at) FROM vector_change) - ?", (_JOURNAL,)
    )

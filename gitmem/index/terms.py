"""The terms of a question and how rare they are, and the best rows for them by bm25.

bm25 costs as much for a word that stands everywhere as it says little. So the rows that hold a rare term are
scored first; when the last one wanted has more than all common terms together could give, no other row needs
to be looked at. What comes out is exactly what scoring every row would give.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log
from typing import Any, NamedTuple

from gitmem.index.totals import totals

K1 = 1.2  # bm25: how soon a word that is repeated stops counting (as in FTS5)
_MOST_OF_TERM = K1 + 1  # what a term can give at most, in units of its idf
FEW = 3_000  # rows that are scored sooner than anything is worth thinking about
_COMMON = 0.1  # the share of rows above which a term is common

Condition = tuple[str, list[Any]]  # SQL and its parameters


class Term(NamedTuple):
    """A word or phrase of the question: how FTS5 looks for it, and in how many rows it is."""

    match: str
    held: int

    def idf(self, rows: int) -> float:
        """How much it tells in a table of that many rows; never negative (Lucene's form)."""
        return log(1 + (rows - self.held + 0.5) / (self.held + 0.5))

    def idf_of_sqlite(self, rows: int) -> float:
        """The same as FTS5's bm25 takes it."""
        return max(log((rows - self.held + 0.5) / (self.held + 0.5)), 1e-6)


def counted(connection: Any, matches: Iterable[str]) -> list[Term]:
    """The terms with the number of rows that hold each."""
    query = "SELECT count(*) FROM passage WHERE passage MATCH ?"
    return [Term(one, connection.execute(query, (one,)).fetchone()[0]) for one in matches]


def ranked(
    connection: Any, terms: Sequence[Term], required: str, among: Condition, most: int, enough: int
) -> list[tuple[int, float]]:
    """The best rows among those of ``among`` with their bm25, here the better the higher.

    There are at most ``most`` of them; the first ``enough`` are sure to be the best. ``required`` is what a
    row must hold besides, in FTS5's language, or "".
    """
    rows = totals(connection, "passage")[0]
    held = [term for term in terms if term.held]
    if not held:
        return []
    either = " OR ".join(term.match for term in held)
    rare = [term for term in held if term.held <= _COMMON * rows]
    common = [term for term in held if term.held > _COMMON * rows]
    if rows > FEW and rare and common and not required:
        found = _pruned(connection, rare, common, among, most)
        bound = sum(_MOST_OF_TERM * term.idf_of_sqlite(rows) for term in common)
        if len(found) >= enough and found[enough - 1][1] >= bound:
            return found
    matching = f"({either}) AND {required}" if required else either
    return _scored(connection, matching, among, most)


def _pruned(
    connection: Any, rare: Sequence[Term], common: Sequence[Term], among: Condition, most: int
) -> list[tuple[int, float]]:
    """The best of the rows with a rare term: those that have a common one too, and those that have none."""
    some = " OR ".join(term.match for term in rare)
    others = " OR ".join(term.match for term in common)
    scores = dict(_scored(connection, some, among, most))
    for row, score in _scored(connection, f"({some}) AND ({others})", among, most):
        scores[row] = max(score, scores.get(row, 0.0))
    return sorted(scores.items(), key=lambda one: (-one[1], -one[0]))[:most]


def _scored(connection: Any, matching: str, among: Condition, most: int) -> list[tuple[int, float]]:
    where, values = among
    found = connection.execute(
        f"SELECT rowid, bm25(passage) AS score FROM passage WHERE passage MATCH ? AND {where}"
        " ORDER BY score, rowid DESC LIMIT ?",
        (matching, *values, most),
    ).fetchall()
    return [(row, -score) for row, score in found]

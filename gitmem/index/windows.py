"""Scoring every passage of a long memory by what stands in it, around it and above it.

A turn of a conversation rarely says all that it is about: the question before it does, the date above it, the
next turn. So a word counts fully where it stands, in part for the passages beside it, and fully for all of
them when it stands in what is above them (BM25F, Robertson and others 2004, over a window).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gitmem.index.passages import TEXT
from gitmem.index.schema import MEMORY_OF_PASSAGE, passage_of
from gitmem.index.terms import K1, Term

_B = 0.35  # how much longer windows count less
_TURNS = (0.33, 0.17)  # what a word counts for the passages one and two away,
_OTHERS = (0.2, 0.1)  # in a conversation and elsewhere
_REACH = len(_TURNS)


class Long(NamedTuple):
    """A memory of several passages: where they begin and end, and the form of each."""

    at: list[int]
    forms: str

    @property
    def size(self) -> int:
        return len(self.forms)

    def window(self, k: int) -> int:
        """Characters of passage ``k`` and its neighbours."""
        return self.at[min(k + _REACH + 1, self.size)] - self.at[max(k - _REACH, 0)]


def long_ones(connection: Any, numbers: Sequence[int]) -> dict[int, Long]:
    """Those of the memories that have several passages."""
    found = connection.execute(
        "SELECT n, cuts, forms FROM memory WHERE n IN (SELECT value FROM json_each(?)) AND forms <> ''",
        (json.dumps(list(numbers)),),
    )
    return {number: Long(json.loads(at), forms) for number, at, forms in found.fetchall()}


def scores(
    connection: Any, memories: Mapping[int, Long], terms: Sequence[Term], rows: int
) -> dict[tuple[int, int], float]:
    """(memory number, passage) → score, on the scale of FTS5's bm25, of every passage with a term near it.

    ``rows`` is the number of passages of the index, from which the rarity of a term follows.
    """
    if not memories:
        return {}
    chosen = json.dumps(list(memories))
    frequencies = [
        (term.idf(rows), _frequencies(_places(connection, term, chosen), memories))
        for term in terms
        if term.held
    ]
    found = {place for _, near in frequencies for place in near}
    length = sum(memories[number].window(k) for number, k in found) / (len(found) or 1)
    norms = {(number, k): K1 * (1 - _B + _B * memories[number].window(k) / length) for number, k in found}
    total = dict.fromkeys(found, 0.0)
    for idf, near in frequencies:
        for place, frequency in near.items():
            total[place] += idf * (K1 + 1) * frequency / (frequency + norms[place])
    return total


def _places(connection: Any, term: Term, chosen: str) -> list[tuple[int, int]]:
    """Memory number and passage of every row of the chosen memories that holds the term."""
    found = connection.execute(
        f"SELECT rowid FROM passage WHERE passage MATCH ?"
        f" AND +{MEMORY_OF_PASSAGE} IN (SELECT value FROM json_each(?))",
        (term.match, chosen),
    )
    return [passage_of(row)[:2] for (row,) in found.fetchall()]


def _frequencies(
    places: Sequence[tuple[int, int]], memories: Mapping[int, Long]
) -> dict[tuple[int, int], float]:
    """How often, so to speak, a term stands at each passage."""
    near: dict[tuple[int, int], float] = {}
    above = []
    for number, k in places:
        memory = memories[number]
        if k >= memory.size:
            above.append(number)
            continue
        near[number, k] = near.get((number, k), 0.0) + 1.0
        shares = _OTHERS if memory.forms[k] == TEXT else _TURNS
        for away, share in enumerate(shares, 1):
            for other in (k - away, k + away):
                if 0 <= other < memory.size:
                    near[number, other] = near.get((number, other), 0.0) + share
    for number in above:
        for k in range(memories[number].size):
            near[number, k] = near.get((number, k), 0.0) + 1.0
    return near

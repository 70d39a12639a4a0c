"""Scoring every passage of a long memory by what stands in it, around it and above it.

A turn of a conversation rarely says all that it is about: the question before it does, the date above it, the
next turn. So a word counts fully where it stands, in part for the passages beside it, and fully for all of
them when it stands in what is above them (BM25F, Robertson and others 2004, over a window).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gitmem.index.passages import TEXT
from gitmem.index.schema import MEMORY_OF_PASSAGE, passage_of
from gitmem.index.terms import K1, Term

_B = 0.3  # how much longer windows count less,
_B_OF_WHOLE = 0.5  # and longer memories
_USUAL = 600  # characters of a usual window
_PAIR = 0.25  # what two words side by side add, in units of the idf of the rarer one
_TURNS = (0.33, 0.17)  # what a word counts for the passages one and two away,
_OTHERS = (0.25, 0.12)  # in a conversation and elsewhere
_REACH = len(_TURNS)


Place = tuple[int, int]  # memory number, passage


class Parted(NamedTuple):
    """A memory's passages: where they begin and end, and the form of each."""

    at: list[int]
    forms: str

    @property
    def size(self) -> int:
        return len(self.forms)

    def window(self, k: int) -> int:
        """Characters of passage ``k`` and its neighbours."""
        return self.at[min(k + _REACH + 1, self.size)] - self.at[max(k - _REACH, 0)]


def parted(connection: Any, numbers: Sequence[int]) -> dict[int, Parted]:
    """The passages of those memories."""
    found = connection.execute(
        "SELECT n, cuts, forms FROM memory WHERE n IN (SELECT value FROM json_each(?))",
        (json.dumps(list(numbers)),),
    )
    return {number: Parted(json.loads(at), forms or TEXT) for number, at, forms in found.fetchall()}


class Scores(NamedTuple):
    """On the scale of FTS5's bm25: of every passage with a term near it, and of memories as one text each."""

    passages: dict[Place, float]
    wholes: dict[int, float]


def scores(connection: Any, memories: Mapping[int, Parted], terms: Sequence[Term], rows: int) -> Scores:
    """How well the memories and their passages fit the terms; one of one passage is no whole beside it.

    ``rows`` is the number of passages of the index, from which the rarity of a term follows.
    """
    passages: dict[Place, float] = {}
    wholes: dict[int, float] = {}
    chosen = json.dumps(list(memories))
    if not memories:
        return Scores(passages, wholes)
    length = sum(memory.at[-1] for memory in memories.values()) / len(memories)
    of_all = connection.execute("SELECT count(*) FROM memory").fetchone()[0]
    for term in terms:
        if not term.held:
            continue
        idf = term.idf(rows)
        idf_of_whole = term._replace(held=_memories_with(connection, term)).idf_of_sqlite(of_all)
        places = _places(connection, term.match, chosen)
        several = (number for number, _ in places if memories[number].size > 1)
        for number, count in Counter(several).items():
            share = memories[number].at[-1] / length
            score = idf_of_whole * _saturated(count, share, _B_OF_WHOLE)
            wholes[number] = wholes.get(number, 0.0) + score
        for place, frequency in _frequencies(places, memories).items():
            share = memories[place[0]].window(place[1]) / _USUAL
            passages[place] = passages.get(place, 0.0) + idf * _saturated(frequency, share, _B)
    return Scores(passages, wholes)


def beside(
    connection: Any, found: Mapping[Place, float], pairs: Sequence[tuple[str, float]]
) -> dict[Place, float]:
    """The same scores, with something added where words stand side by side as they do in the question.

    ``pairs`` are in FTS5's language, each with the idf of its rarer word.
    """
    total = dict(found)
    chosen = json.dumps(list({number for number, _ in found}))
    for pair, idf in pairs:
        for place in _places(connection, pair, chosen):
            if place in total:
                total[place] += _PAIR * idf
    return total


def _saturated(frequency: float, length: float, b: float) -> float:
    return (K1 + 1) * frequency / (frequency + K1 * (1 - b + b * length))


def _memories_with(connection: Any, term: Term) -> int:
    query = f"SELECT count(DISTINCT {MEMORY_OF_PASSAGE}) FROM passage WHERE passage MATCH ?"
    found: int = connection.execute(query, (term.match,)).fetchone()[0]
    return found


def _places(connection: Any, match: str, chosen: str) -> list[Place]:
    """Memory number and passage of every row of the chosen memories that holds what is to match."""
    found = connection.execute(
        f"SELECT rowid FROM passage WHERE passage MATCH ?"
        f" AND +{MEMORY_OF_PASSAGE} IN (SELECT value FROM json_each(?))",
        (match, chosen),
    )
    return [passage_of(row)[:2] for (row,) in found.fetchall()]


def _frequencies(places: Sequence[Place], memories: Mapping[int, Parted]) -> dict[Place, float]:
    """How often, so to speak, a term stands at each passage."""
    near: dict[Place, float] = {}
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

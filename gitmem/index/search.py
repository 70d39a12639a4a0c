"""A search: candidates by words and by vectors, every passage of the best memories scored, one order.

Looked up first are the best rows of both full-text tables; the passages of the long memories among them are
then scored anew with what stands around them; vectors add what says the same in other words. When no word of
the question is anywhere, longer words that begin like its own are tried, then words that it may have
misspelt.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gitmem.index import fusion, windows
from gitmem.index.filters import Filters, among_passages, without_hidden
from gitmem.index.fusion import Evidence, Place, Scored
from gitmem.index.hints import period
from gitmem.index.keyword import match, question
from gitmem.index.nearness import Near, best_places, nearest, shares
from gitmem.index.passages import ASKING
from gitmem.index.relevance import relevance
from gitmem.index.schema import MEMORY_OF_PASSAGE, passage_of
from gitmem.index.terms import Term, counted, ranked
from gitmem.index.totals import totals
from gitmem.index.windows import Long, long_ones

if TYPE_CHECKING:
    from gitmem.index.embedder import Embedder
    from gitmem.index.vectors import Vectors

_CANDIDATES = 200  # rows of each list
_EXAMINED = 40  # long memories whose passages are all scored
_LEAST_OF_NUMBER = 4  # letters and digits of what may be the beginning of an id


class Found(NamedTuple):
    """What words found: bm25 of places, of whole memories, and the long memories that were examined."""

    passages: dict[Place, float]
    wholes: dict[int, float]
    longs: dict[int, Long]


class Search:
    """One question to one state of an index.

    Raises:
        InvalidMemoryError: a filter's date is none.
    """

    def __init__(self, connection: Any, query: str, filters: Filters, limit: int) -> None:
        self._connection = connection
        self._query = query
        self._filters = without_hidden(connection, filters)
        self._limit = limit
        self._asked = question(query)
        self._rows = totals(connection, "passage")[0]
        self._words = self._terms((word,) for word in self._asked.words)

    def run(self, by: str, embedder: Embedder | None, vectors: Vectors) -> list[Scored]:
        """The best memories, or the best passages ("passage"), best first; equal ones newest first."""
        if not self._asked.words or self._limit < 1:
            return []
        cosines = nearest(self._connection, self._query, self._filters, embedder, vectors)
        places = best_places(cosines)
        found, exact = self._by_words([number for number, _ in places])
        near: dict[Place, Near] | None = None
        if cosines is not None and not exact:
            near = shares(cosines, {**found.passages, **dict.fromkeys(places)}, found.longs)
        numbers = {number for number, _ in (*found.passages, *(near or ()))}
        scores = fusion.fused(
            Evidence(found.passages, found.wholes, near, _asking(found), self._in_period(numbers))
        )
        return self._described(scores, by, found.passages, near or {})

    # Candidates.

    def _by_words(self, others: Sequence[int]) -> tuple[Found, bool]:
        """What words find, and whether it is what stands in quotes; ``others`` are examined besides."""
        for terms, required in self._attempts():
            found = self._examined(terms, required, () if required else others)
            if found.passages:
                return found, bool(required)
        return Found({}, {}, long_ones(self._connection, others)), False

    def _attempts(self) -> Iterator[tuple[list[Term], str]]:
        """What to look for, until something is found: the terms, and what must be there."""
        beginnings = [
            f'"{word}"*'
            for word, term in zip(self._asked.words, self._words, strict=True)
            if _is_part(word, term)
        ]
        terms = [*self._words, *self._terms(self._asked.phrases), *self._counted(beginnings)]
        if self._asked.required:
            yield terms, " AND ".join(map(match, self._asked.required))
        yield terms, ""
        from gitmem.index import spelling

        yield self._terms((word,) for word in spelling.beginnings(self._connection, self._asked.words)), ""
        meant = spelling.corrections(self._connection, self._asked.words)
        yield self._terms((word,) for some in meant.values() for word in some), ""

    def _terms(self, runs: Iterable[tuple[str, ...]]) -> list[Term]:
        return self._counted(dict.fromkeys(map(match, runs)))

    def _counted(self, matches: Iterable[str]) -> list[Term]:
        return counted(self._connection, "passage", matches)

    def _examined(self, terms: Sequence[Term], required: str, others: Sequence[int]) -> Found:
        """The best rows of both tables, and every passage of the best long memories among them."""
        size = max(_CANDIDATES, 4 * self._limit)
        among = among_passages(self._filters, MEMORY_OF_PASSAGE)
        rows = ranked(self._connection, "passage", terms, required, among, size, self._limit)
        wholes = dict(self._wholes(terms, required, size))
        single: dict[Place, float] = {}
        long: dict[int, float] = {}
        for row, score in rows:
            number, k, several = passage_of(row)
            if several:
                long[number] = max(score, long.get(number, 0.0))
            else:
                single[number, k] = score
        best = _most_promising(long, wholes)[: max(_EXAMINED, 2 * self._limit)]
        longs = long_ones(self._connection, [*best, *others])
        scores = windows.scores(self._connection, longs, terms, self._rows)
        return Found({**single, **scores}, wholes, longs)

    def _wholes(self, terms: Sequence[Term], required: str, size: int) -> list[tuple[int, float]]:
        if not totals(self._connection, "whole")[0]:
            return []
        among = among_passages(self._filters, "rowid")
        whole_terms = counted(self._connection, "whole", [term.match for term in terms])
        return ranked(self._connection, "whole", whole_terms, required, among, size, self._limit)

    def _in_period(self, numbers: Iterable[int]) -> frozenset[int]:
        """The memories from the time that the question speaks of."""
        span = period(self._query, self._filters.now)
        if span is None:
            return frozenset()
        query = "SELECT n FROM memory WHERE created BETWEEN ? AND ? AND n IN (SELECT value FROM json_each(?))"
        return frozenset(n for (n,) in self._connection.execute(query, (*span, json.dumps(list(numbers)))))

    # Answers.

    def _described(
        self,
        scores: Mapping[Place, tuple[tuple[str, float], ...]],
        by: str,
        passages: Mapping[Place, float],
        near: Mapping[Place, Near],
    ) -> list[Scored]:
        """The best ``limit`` of them. Numbers depend on the order of writing, so they must not break ties."""
        sums = {place: round(sum(value for _, value in parts), 12) for place, parts in scores.items()}
        if by == "memory":
            sums = {place: sums[place] for place in fusion.best_of_each(sums)}
        if not sums:
            return []
        lowest = sorted(sums.values(), reverse=True)[: self._limit][-1]
        wanted = [place for place, score in sums.items() if score >= lowest]
        rows = self._connection.execute(
            "SELECT n, id, created, cuts FROM memory WHERE n IN (SELECT value FROM json_each(?))",
            (json.dumps(list({number for number, _ in wanted})),),
        ).fetchall()
        told = {number: (created, memory_id, json.loads(cuts)) for number, memory_id, created, cuts in rows}
        wanted.sort(key=lambda place: (sums[place], *told[place[0]][:2], -place[1]), reverse=True)
        most = sum(term.idf(self._rows) for term in self._words)
        found = []
        for number, k in wanted[: self._limit]:
            place = number, k
            _, memory_id, at = told[number]
            cosine = near[place].cosine if place in near else None
            fits = relevance(passages.get(place, 0.0), most, self._rows, cosine)
            found.append(Scored(memory_id, sums[place], at[k], at[k + 1], fits, scores[place]))
        return found


def _is_part(word: str, term: Term) -> bool:
    """Whether a word that is nowhere may be the beginning of an id or a number: ``9fceb02``."""
    return not term.held and len(word) >= _LEAST_OF_NUMBER and word.isalnum() and any(map(str.isdigit, word))


def _most_promising(long: Mapping[int, float], wholes: Mapping[int, float]) -> list[int]:
    """Long memories by their best passage and by all they say, the best first."""
    top, highest = max(long.values(), default=1.0), max(wholes.values(), default=1.0)
    scores = {
        number: long.get(number, 0.0) / top + wholes.get(number, 0.0) / highest
        for number in {**long, **wholes}
    }
    return sorted(scores, key=lambda number: (-scores[number], number))


def _asking(found: Found) -> frozenset[Place]:
    return frozenset(
        (number, k)
        for number, k in found.passages
        if number in found.longs and found.longs[number].forms[k] == ASKING
    )

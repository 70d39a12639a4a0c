"""A search: candidates by words and by vectors, every passage of the best memories scored, one order.

Looked up first are the best rows by bm25; the passages of the long memories among them are
then scored anew with what stands around them; vectors add what says the same in other words. When no word of
the question is anywhere, longer words that begin like its own are tried, then words that it may have
misspelt.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gitmem.index import fusion, windows
from gitmem.index.filters import Filters, among_passages, condition, without_hidden
from gitmem.index.fusion import Evidence, Scored
from gitmem.index.hints import is_of_dates, period
from gitmem.index.keyword import match, question
from gitmem.index.nearness import Near, best_places, nearest, shares
from gitmem.index.relevance import relevance
from gitmem.index.schema import MEMORY_OF_PASSAGE, passage_of
from gitmem.index.terms import FEW, Term, counted, ranked
from gitmem.index.totals import totals
from gitmem.index.windows import Parted, Place

if TYPE_CHECKING:
    from gitmem.index.embedder import Embedder
    from gitmem.index.vectors import Vectors

_CANDIDATES = 200  # rows of each list
_EXAMINED = 40  # long memories whose passages are all scored; in a small vault short ones are, too
_LEAST_ROWS = 100  # in a vault of three memories no word is rare: rarity is taken as in one of a hundred
_LEAST_OF_NUMBER = 4  # letters and digits of what may be the beginning of an id


class Found(NamedTuple):
    """What words found: bm25 of places, of whole memories, and the memories that were examined."""

    passages: dict[Place, float]
    wholes: dict[int, float]
    examined: dict[int, Parted]


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
        self._span = period(query, filters.now)
        passages = totals(connection, "passage")[0]
        self._few = passages <= FEW
        self._rows = max(passages, _LEAST_ROWS)
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
            near = shares(cosines, {**found.passages, **dict.fromkeys(places)}, found.examined)
        if not found.passages and not near:
            found = self._of_that_time()
        numbers = {number for number, _ in (*found.passages, *(near or ()))}
        evidence = Evidence(found.passages, found.wholes, found.examined, near, self._in_period(numbers))
        scores = fusion.fused(evidence, by)
        return self._described(scores, by, found.passages, near or {})

    # Candidates.

    def _by_words(self, others: Sequence[int]) -> tuple[Found, bool]:
        """What words find, and whether it is what stands in quotes; ``others`` are examined besides."""
        for terms, required in self._attempts():
            found = self._examined(terms, required, () if required else others)
            if found.passages:
                return found, bool(required)
        return Found({}, {}, windows.parted(self._connection, others)), False

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
        return counted(self._connection, matches)

    def _examined(self, terms: Sequence[Term], required: str, others: Sequence[int]) -> Found:
        """The best rows, and every passage of the best memories among them scored anew."""
        size = max(_CANDIDATES, 4 * self._limit)
        among = among_passages(self._filters, MEMORY_OF_PASSAGE)
        rows = ranked(self._connection, terms, required, among, size, self._limit)
        single: dict[Place, float] = {}
        long: dict[int, None] = {}
        for row, score in rows:
            number, k, several = passage_of(row)
            if several:
                long[number] = None
            else:
                single[number, k] = score
        most = max(_EXAMINED, 2 * self._limit)
        short = [number for number, _ in single][:most] if self._few else []
        examined = windows.parted(self._connection, [*list(long)[:most], *others, *short])
        passages, wholes = windows.scores(self._connection, examined, terms, self._rows)
        passages = windows.beside(self._connection, {**single, **passages}, self._pairs())
        return Found(passages, wholes, examined)

    def _pairs(self) -> list[tuple[str, float]]:
        """What two words side by side look like to FTS5, and how much the rarer one tells."""
        words = zip(self._asked.words, self._words, strict=True)
        idf = {word: term.idf(self._rows) for word, term in words if term.held}
        return [
            (match(pair), max(idf[word] for word in pair))
            for pair in self._asked.pairs
            if idf.keys() >= set(pair)
        ]

    def _of_that_time(self) -> Found:
        """For a question of date words alone ("what did I do yesterday"): the newest of that time."""
        places: dict[Place, float] = {}
        if self._span is not None and all(map(is_of_dates, self._asked.words)):
            where, values = condition(self._filters)
            found = self._connection.execute(
                f"SELECT n FROM memory WHERE {where} AND created BETWEEN ? AND ?"
                " ORDER BY created DESC, id DESC LIMIT ?",
                (*values, *self._span, self._limit),
            )
            places = {(number, 0): 0.0 for (number,) in found}
        return Found(places, {}, {})

    def _in_period(self, numbers: Iterable[int]) -> frozenset[int]:
        """The memories from the time that the question speaks of."""
        if self._span is None:
            return frozenset()
        query = "SELECT n FROM memory WHERE created BETWEEN ? AND ? AND n IN (SELECT value FROM json_each(?))"
        found = self._connection.execute(query, (*self._span, json.dumps(list(numbers))))
        return frozenset(number for (number,) in found)

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
        most = self._most()
        found = []
        for number, k in wanted[: self._limit]:
            place = number, k
            _, memory_id, at = told[number]
            cosine = near[place].cosine if place in near else None
            fits = relevance(passages.get(place, 0.0), most, self._rows, cosine)
            found.append(Scored(memory_id, sums[place], at[k], at[k + 1], fits, scores[place]))
        return found

    def _most(self) -> float:
        """What the words of the question tell in all; the words of a date are hints and need not be there."""
        pairs = zip(self._asked.words, self._words, strict=True)
        words = [term for word, term in pairs if self._span is None or term.held or not is_of_dates(word)]
        return sum(term.idf(self._rows) for term in words)


def _is_part(word: str, term: Term) -> bool:
    """Whether a word that is nowhere may be the beginning of an id or a number: ``9fceb02``."""
    return not term.held and len(word) >= _LEAST_OF_NUMBER and word.isalnum() and any(map(str.isdigit, word))

"""From the scores of passages, of whole memories and of vectors to one score per hit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gitmem.index.nearness import Near
from gitmem.index.passages import ASKING, TEXT
from gitmem.index.windows import Parted, Place

Part = tuple[str, float, float]  # of a score: its name, its weight, and what it is, from 0 to 1

_WHOLE = 0.5  # the weight of the whole memory beside its passage,
_BEST = 0.6  # where memories are asked for, of their best passages together,
_BEST_OF_TURNS = 0.1  # where passages are: turns lean on each other, items of a list do not,
_MEANING = 1.1  # of the nearness of the vectors,
_MEANING_OF_TURN = 0.7  # which say less of a turn, a fragment,
_PERIOD = 0.1  # and of a time that the question speaks of
_ASKING = 0.9  # a turn that asks tells less than one that answers
_TOGETHER = 4  # passages: what a memory is about, it says in several places


class Scored(NamedTuple):
    """A hit of the index.

    The higher ``score`` (at most 1) the better, within one search; ``start`` and ``end`` bound the passage,
    the best one of the memory, in characters of the body. ``relevance`` is from 0 to 1 and means the same in
    every search; ``parts`` are what the score is the sum of.
    """

    id: str
    score: float
    start: int
    end: int
    relevance: float = 0.0
    parts: tuple[tuple[str, float], ...] = ()


class Evidence(NamedTuple):
    """What is known of the candidates for a question.

    ``passages`` and ``wholes`` hold bm25 (the higher the better) of places and of memories of several
    passages; ``examined`` describes memories; ``near`` is what vectors say, None without any; ``in_period``
    are the memories of the time that the question speaks of.
    """

    passages: Mapping[Place, float]
    wholes: Mapping[int, float]
    examined: Mapping[int, Parted]
    near: Mapping[Place, Near] | None
    in_period: frozenset[int]


def fused(evidence: Evidence, by: str) -> dict[Place, tuple[tuple[str, float], ...]]:
    """Place → the parts of its score, which is at most 1; ``by`` tells what is asked for.

    Each list is scaled by its best. The tables count words over different texts, so the whole memories say
    only how the long ones stand to each other: the best of them gets what the best passage of any of them
    has. A memory of one passage is its own whole.
    """
    top = max(evidence.passages.values(), default=0.0) or 1.0
    of_wholes = _scaled_wholes(evidence, top)
    own = {place: _own(evidence, place, top) for place in {**evidence.passages, **(evidence.near or {})}}
    best = _best_together(evidence, own)
    found = {}
    for place, by_itself in own.items():
        number = place[0]
        parts = [*by_itself, ("memory", _WHOLE, of_wholes.get(number, by_itself[0][2]))]
        form = _form(evidence, place)
        if by == "memory" or form != TEXT:
            parts.append(("best", _BEST if by == "memory" else _BEST_OF_TURNS, best[number]))
        if evidence.in_period:
            parts.append(("date", _PERIOD, float(number in evidence.in_period)))
        scale = (_ASKING if form == ASKING else 1.0) / _weight(parts)
        found[place] = tuple((name, weight * scale * value) for name, weight, value in parts)
    return found


def _own(evidence: Evidence, place: Place, top: float) -> list[Part]:
    """What a passage has by itself: its words, and its meaning where there are vectors."""
    parts = [("words", 1.0, evidence.passages.get(place, 0.0) / top)]
    if evidence.near is not None:
        share = evidence.near[place].share if place in evidence.near else 0.0
        weight = _MEANING if _form(evidence, place) == TEXT else _MEANING_OF_TURN
        parts.append(("meaning", weight, share))
    return parts


def _weight(parts: Iterable[Part]) -> float:
    return sum(weight for _, weight, _ in parts)


def _form(evidence: Evidence, place: Place) -> str:
    number, k = place
    return evidence.examined[number].forms[k] if number in evidence.examined else TEXT


def _best_together(evidence: Evidence, own: Mapping[Place, list[Part]]) -> dict[int, float]:
    """What the best passages of each memory have on the average."""
    scores: dict[int, list[float]] = {}
    for (number, _), parts in own.items():
        score = sum(weight * value for _, weight, value in parts) / _weight(parts)
        scores.setdefault(number, []).append(score)
    found = {}
    for number, some in scores.items():
        size = min(_TOGETHER, evidence.examined[number].size) if number in evidence.examined else 1
        found[number] = sum(sorted(some, reverse=True)[:size]) / size
    return found


def _scaled_wholes(evidence: Evidence, top: float) -> dict[int, float]:
    highest = max(evidence.wholes.values(), default=0.0) or 1.0
    long = [score for (number, _), score in evidence.passages.items() if number in evidence.wholes]
    scale = max(long, default=0.0)
    return {number: scale / top * score / highest for number, score in evidence.wholes.items()}


def best_of_each(scores: Mapping[Place, float]) -> list[Place]:
    """The best place of every memory, the first of equal ones."""
    best: dict[int, Place] = {}
    for place, score in scores.items():
        before = best.get(place[0])
        if before is None or (score, -place[1]) > (scores[before], -before[1]):
            best[place[0]] = place
    return list(best.values())

"""From the scores of passages, of whole memories and of vectors to one score per hit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from gitmem.index.nearness import Near

Place = tuple[int, int]  # memory number, passage

_WHOLE = 0.5  # the weight of the whole memory beside its passage,
_BEST = 0.2  # of the best passage of the same memory,
_MEANING = 0.6  # of the nearness of the vectors,
_PERIOD = 0.1  # and of a time that the question speaks of
_ASKING = 0.9  # a turn that asks tells less than one that answers


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
    passages, ``nearness`` is that of places, ``asking`` the places that ask, ``in_period`` the memories of
    the time that the question speaks of.
    """

    passages: Mapping[Place, float]
    wholes: Mapping[int, float]
    nearness: Mapping[Place, Near] | None
    asking: frozenset[Place]
    in_period: frozenset[int]


def fused(evidence: Evidence) -> dict[Place, tuple[tuple[str, float], ...]]:
    """Place → the parts of its score.

    Each list is scaled by its best. The tables count words over different texts, so the whole memories say
    only how the long ones stand to each other: the best of them gets what the best passage of any of them
    has. A memory of one passage is its own whole.
    """
    passages, nearness = evidence.passages, evidence.nearness
    top = max(passages.values(), default=0.0) or 1.0
    best = _best_of(passages)
    of_wholes = _scaled_wholes(evidence, best, top)
    weights = {"words": 1.0, "memory": _WHOLE, "best": _BEST}
    if nearness is not None:
        weights["meaning"] = _MEANING
    if evidence.in_period:
        weights["date"] = _PERIOD
    full = sum(weights.values())
    found = {}
    for place in {**passages, **(nearness or {})}:
        number = place[0]
        share = (_ASKING if place in evidence.asking else 1.0) / full
        own = passages.get(place, 0.0) / top
        values = {
            "words": own,
            "memory": of_wholes.get(number, own),
            "best": best.get(number, 0.0) / top,
            "meaning": nearness[place].share if nearness and place in nearness else 0.0,
            "date": float(number in evidence.in_period),
        }
        found[place] = tuple((name, weight * share * values[name]) for name, weight in weights.items())
    return found


def _best_of(passages: Mapping[Place, float]) -> dict[int, float]:
    best: dict[int, float] = {}
    for (number, _), score in passages.items():
        best[number] = max(score, best.get(number, 0.0))
    return best


def _scaled_wholes(evidence: Evidence, best: Mapping[int, float], top: float) -> dict[int, float]:
    highest = max(evidence.wholes.values(), default=0.0)
    scale = max((best.get(number, 0.0) for number in evidence.wholes), default=0.0) / top
    if not highest:
        return dict.fromkeys(evidence.wholes, scale)
    return {number: scale * score / highest for number, score in evidence.wholes.items()}


def best_of_each(scores: Mapping[Place, float]) -> list[Place]:
    """The best place of every memory, the first of equal ones."""
    best: dict[int, Place] = {}
    for place, score in scores.items():
        before = best.get(place[0])
        if before is None or (score, -place[1]) > (scores[before], -before[1]):
            best[place[0]] = place
    return list(best.values())

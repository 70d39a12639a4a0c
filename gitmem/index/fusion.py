"""From scores of passages and of whole memories to one score per memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gitmem.index.schema import passage_of

_WHOLE = 0.5  # the weight of the whole memory's score beside its best passage's


class Scored(NamedTuple):
    """A memory that fits a query.

    The higher ``score`` (at most 1) the better, within one search; ``start`` and ``end`` bound its best
    passage, in characters of the body.
    """

    id: str
    score: float
    start: int
    end: int
    relevance: float = 0.0
    parts: tuple[tuple[str, float], ...] = ()


def fused(
    passages: Iterable[tuple[int, float]], wholes: Iterable[tuple[int, float]]
) -> dict[int, tuple[float, int]]:
    """Memory number → (score, best passage), from (row, bm25) of both tables, where bm25 is better the lower.

    The two tables count words over different texts, so their numbers do not compare. The whole memories say
    only how the long ones stand to each other; the best of them gets what the best passage of any of them
    has. A memory of one passage is its own whole.
    """
    best: dict[int, tuple[float, int]] = {}
    long: set[int] = set()
    for row, bm25 in passages:
        number, k, several = passage_of(row)
        if number not in best or -bm25 > best[number][0]:
            best[number] = (-bm25, k)
        if several:
            long.add(number)
    top = max((score for score, _ in best.values()), default=0.0) or 1.0
    scores = {
        number: ((score if number in long else score * (1 + _WHOLE)) / top, k)
        for number, (score, k) in best.items()
    }
    of_wholes = {number: -bm25 for number, bm25 in wholes}
    scale = max((best[number][0] for number in long), default=0.0) / top
    highest = max(of_wholes.values(), default=0.0)
    for number, score in of_wholes.items():
        passage, k = scores.get(number, (0.0, 0))
        share = score / highest if highest else 1.0
        scores[number] = (passage + _WHOLE * scale * share, k)
    return {number: (score / (1 + _WHOLE), k) for number, (score, k) in scores.items()}

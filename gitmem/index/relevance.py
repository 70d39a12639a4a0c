"""How well a hit fits, from 0 to 1, on one scale for all queries and vaults.

The ranking score only says how hits stand to each other: the best of a bad lot would have as much as a
perfect answer. This says how much of what the question tells, weighed by rarity, the passage holds, and how
much that is at all; a question of common words proves little even when all of them are there. In a larger
vault more is found by chance. The weights are those of a logistic regression: docs/benchmarks.md says on
which questions, with both error rates at ``THRESHOLD``.
"""

from __future__ import annotations

from math import exp, log
from typing import NamedTuple

THRESHOLD = 0.75  # from here on a hit may be shown to somebody who did not ask


class _Weights(NamedTuple):
    amount: float
    share: float
    cosine: float
    base: float


_BY_WORDS = _Weights(2.01, 3.95, 0.0, -4.45)
_BY_MEANING_TOO = _Weights(1.62, 2.72, 7.65, -6.0)


def relevance(score: float, most: float, rows: int, cosine: float | None = None) -> float:
    """The chance that a passage answers the question.

    ``score`` is its bm25, ``most`` the sum of the idf of all the question's words, those included that the
    index does not hold; ``rows`` is the number of passages; ``cosine`` the nearness of the vectors, None when
    there are none.
    """
    if most <= 0:
        return 0.0
    weights = _BY_WORDS if cosine is None else _BY_MEANING_TOO
    z = weights.amount * score / log(rows + 2) + weights.share * min(score / most, 1.5)
    return 1 / (1 + exp(-(z + weights.cosine * (cosine or 0.0) + weights.base)))

"""How well a hit fits, from 0 to 1, on one scale for all queries and vaults.

The ranking score only says how hits stand to each other: the best of a bad lot would have as much as a
perfect answer. This says how much of what the question tells, weighed by rarity, the passage holds, and how
much that is at all; a question of common words proves little even when all of them are there. In a larger
vault more is found by chance. The weights are those of a logistic regression: docs/benchmarks.md says on
which questions, with both error rates at ``THRESHOLD``.
"""

from __future__ import annotations

from math import exp, log

THRESHOLD = 0.75  # from here on a hit may be shown to somebody who did not ask
_AMOUNT, _SHARE, _NEARNESS, _BASE = 2.05, 4.67, 0.0, -4.39


def relevance(score: float, most: float, rows: int, cosine: float | None = None) -> float:
    """The chance that a passage answers the question.

    ``score`` is its bm25, ``most`` the sum of the idf of all the question's words, those included that the
    index does not hold; ``rows`` is the number of passages; ``cosine`` the nearness of the vectors.
    """
    if most <= 0:
        return 0.0
    z = _AMOUNT * score / log(rows + 2) + _SHARE * min(score / most, 1.5) + _BASE
    if cosine is not None:
        z += _NEARNESS * cosine
    return 1 / (1 + exp(-z))

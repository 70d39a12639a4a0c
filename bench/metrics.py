"""What a ranking is worth, as retrieval papers count it.

R@k is the share of a question's units found among the first k; any@k whether at least one is, all@k whether
every one is; MRR is one divided by the place of the first unit found, 0 without one. Each is the mean over
questions.
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Iterable, Sequence
from statistics import fmean

DEPTHS = (1, 5, 10)
NAMES = (*(f"{kind}@{k}" for kind in ("R", "any", "all") for k in DEPTHS), "MRR")


def of_one(ranking: Sequence[str], wanted: Collection[str]) -> dict[str, float]:
    """The figures of one question; ``wanted`` is not empty, ``ranking`` holds nothing twice."""
    places = [place for place, key in enumerate(ranking, start=1) if key in wanted]
    found = {k: sum(place <= k for place in places) for k in DEPTHS}
    figures = {f"R@{k}": found[k] / len(wanted) for k in DEPTHS}
    figures |= {f"any@{k}": float(found[k] > 0) for k in DEPTHS}
    figures |= {f"all@{k}": float(found[k] == len(wanted)) for k in DEPTHS}
    return {**figures, "MRR": 1 / places[0] if places else 0.0}


def means(figures: Iterable[dict[str, float]]) -> dict[str, float]:
    """The mean of each figure over questions, and ``n``, how many there were; no figures for none."""
    rows = list(figures)
    return {"n": float(len(rows))} | (
        {name: fmean(row[name] for row in rows) for name in NAMES} if rows else {}
    )


def area(good: Sequence[float], bad: Sequence[float]) -> float:
    """The area under the ROC curve: how often one of ``good`` lies above one of ``bad``, ties counted
    half.
    """
    order = sorted([(score, 1) for score in good] + [(score, 0) for score in bad])
    total, below, at = 0.0, 0, 0
    while at < len(order):
        same = [label for score, label in order[at:] if score == order[at][0]]
        goods = sum(same)
        total += goods * (below + (len(same) - goods) / 2)
        below += len(same) - goods
        at += len(same)
    return total / (len(good) * len(bad))


def threshold(bad: Sequence[float], share: float) -> float:
    """The lowest score that at most ``share`` of ``bad`` lie above: what passes must be higher than it."""
    return sorted(bad, reverse=True)[math.floor(len(bad) * share)]


def interval(differences: Sequence[float], draws: int = 2_000) -> tuple[float, float]:
    """The 95 % interval of a mean by drawing with replacement, the same in every run."""
    dice = random.Random(4)
    means_ = sorted(fmean(dice.choices(differences, k=len(differences))) for _ in range(draws))
    return means_[draws // 40], means_[-draws // 40 - 1]

"""Rows that cannot win are not scored, and the answer is the same as if they had been."""

from __future__ import annotations

import random

import pytest

from gitmem.index import terms
from gitmem.index.filters import Filters
from gitmem.index.index import Index
from gitmem.memory.ids import new_id
from gitmem.memory.memory import Memory

START = 1_777_000_000_000


@pytest.fixture(scope="module")
def large():
    """Thirty-five hundred memories in which a few words are everywhere and most are rare."""
    dice = random.Random(3)
    words = [f"word{number}" for number in range(800)]
    weights = [1 / (rank + 1) for rank in range(len(words))]
    index = Index.open("/dev/null/none", bytes(32), "v")  # in memory
    memories = (
        Memory(
            id=new_id(START + number * 1000),
            created="2026-05-01T00:00:00Z",
            body=" ".join(dice.choices(words, weights, k=30)),
        )
        for number in range(3_500)
    )
    assert index.apply("c", [], memories)
    return index


def test_the_best_are_those_of_the_full_query(large, monkeypatch):
    dice = random.Random(4)
    queries = [" ".join(f"word{int(800 ** dice.random())}" for _ in range(5)) for _ in range(20)]
    pruned = []
    real = terms._pruned
    monkeypatch.setattr(terms, "_pruned", lambda *given: pruned.append(1) or real(*given))
    few = [[(hit.id, hit.score) for hit in large.search(query, Filters(), 10)] for query in queries]
    assert len(pruned) > 5  # otherwise nothing was compared
    monkeypatch.setattr(terms, "FEW", 10**9)
    assert few == [[(hit.id, hit.score) for hit in large.search(query, Filters(), 10)] for query in queries]

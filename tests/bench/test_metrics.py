"""Figures of rankings, against cases counted by hand."""

from __future__ import annotations

import pytest

from bench import metrics

_TEN = [f"no{number}" for number in range(10)]


def test_a_ranking_is_counted_at_each_depth() -> None:
    found = metrics.of_one(["x", "a", *_TEN[:5], "b", "y", "z", "c"], {"a", "b", "c", "d"})
    assert [found[f"R@{k}"] for k in (1, 5, 10)] == [0, 0.25, 0.5]
    assert [found[f"any@{k}"] for k in (1, 5, 10)] == [0, 1, 1]
    assert [found[f"all@{k}"] for k in (1, 5, 10)] == [0, 0, 0]
    assert found["MRR"] == 0.5


def test_a_first_hit_fills_every_figure() -> None:
    assert set(metrics.of_one(["a"], {"a"}).values()) == {1}
    assert set(metrics.of_one([], {"a"}).values()) == {0}


def test_a_hit_beyond_ten_counts_for_the_reciprocal_rank_alone() -> None:
    found = metrics.of_one([*_TEN, "a"], {"a"})
    assert found.pop("MRR") == pytest.approx(1 / 11)
    assert set(found.values()) == {0}


def test_means_are_over_questions() -> None:
    rows = [metrics.of_one(["a"], {"a"}), metrics.of_one(["b", "a"], {"a"})]
    mean = metrics.means(rows)
    assert (mean["n"], mean["R@1"], mean["R@5"], mean["MRR"]) == (2, 0.5, 1, 0.75)
    assert metrics.means([]) == {"n": 0}


def test_the_area_counts_ties_half() -> None:
    assert metrics.area([0.9, 0.8], [0.1, 0.2]) == 1
    assert metrics.area([0.1], [0.9]) == 0
    assert metrics.area([0.5, 0.5], [0.5]) == 0.5
    assert metrics.area([0.3, 0.7], [0.5]) == 0.5


def test_the_threshold_lets_no_more_than_that_share_pass() -> None:
    bad = [number / 100 for number in range(100)]
    line = metrics.threshold(bad, 0.05)
    assert sum(score > line for score in bad) == 5
    assert sum(score > metrics.threshold([0.4] * 40, 0.05) for score in [0.4] * 40) == 0

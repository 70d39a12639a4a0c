"""The page of benchmarks holds what the results say, and nothing else is touched."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench import charts, figures, metrics, pictures, report

_ROOT = Path(__file__).parents[2]
_RESULTS = report.load(str(_ROOT / "docs" / "benchmarks" / "results.json"))


def test_a_place_is_filled_and_the_rest_stays() -> None:
    page = (
        "a\n<!-- bench:plain -->\nold\n<!-- /bench:plain -->\n"
        "b\n<!-- bench:rivals -->\nkept\n<!-- /bench:rivals -->\n"
    )
    filled = report.filled(page, {"plain": "new", "rivals": ""})
    assert filled == page.replace("old", "new")
    assert report.filled(filled, {"plain": "new", "rivals": ""}) == filled


def test_every_place_of_the_page_is_known_and_every_table_has_its_place() -> None:
    page = (_ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"<!-- bench:([a-z-]+) -->", page)) == sorted(figures.PLACES)


def test_a_table_shows_the_bar_beside_the_figure() -> None:
    row = {"what": "warm search, p50", "corpus": "talk", "size": 10_000}
    row |= {"value": 4.25, "unit": "ms", "bar": "≤ 6"}
    assert "| warm search, p50 | talk | 4.25 ms (≤ 6) |" in figures.search({"found": {"rows": [row]}})


def test_the_page_says_where_a_rival_is_ahead() -> None:
    own = {"system": "gitmem lexical", "sessions pool": 0.9, "cold": 80.0, "warm": 5.0, "disk": 10}
    fast = {"system": "grep", "sessions pool": 0.8, "cold": 8.0, "warm": 9.0, "disk": 20}
    slow = {"system": "other", "sessions pool": 0.8, "cold": 800.0, "warm": 9.0, "disk": 20}
    said = figures.behind({"found": {"rows": [fast, slow, own]}})
    assert said == "- gitmem lexical is not ahead of grep in cold time."


def test_the_page_says_where_the_model_makes_a_figure_lower() -> None:
    figures_of = dict.fromkeys(metrics.NAMES, 0.5) | {"category": "1-4", "units": "turns", "scope": "pool"}
    rows = [{**figures_of, "mode": "lexical"}, {**figures_of, "mode": "semantic", "R@1": 0.4}]
    lower = "R@1 of turns all conversations at once"
    assert figures.gain({"found": {"rows": rows}}) == f"With the model lower than by words: {lower}."
    assert figures.gain({"found": {"rows": rows[:1]}}) == ""


@pytest.mark.skipif(not _RESULTS, reason="nothing was measured yet")
def test_the_page_and_its_charts_are_what_the_results_say() -> None:
    page = (_ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert report.filled(page, report.tables(_RESULTS)) == page
    for name, chart in pictures.every(_RESULTS).items():
        drawn = (_ROOT / "docs" / "benchmarks" / f"{name}.svg").read_text(encoding="utf-8")
        assert drawn == charts.svg(chart)

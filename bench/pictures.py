"""Which charts docs/benchmarks.md shows, out of a file of results."""

from __future__ import annotations

from typing import Any

from bench.charts import Chart, Group, Value, powers
from bench.figures import BARS, MODES, chosen, rate, rows_of

Results = dict[str, Any]
_NAMES = {"conversation": "", "pool": ", pooled"}
_TENTHS = tuple((tenth / 10, f".{tenth}" if tenth % 10 else f"{tenth // 10}") for tenth in range(11))


def every(results: Results) -> dict[str, Chart]:
    """File name → chart, for the parts that were measured."""
    made = {}
    if "quality" in results and "reference" in results:
        made["quality"] = quality(results)
    if "rivals" in results:
        made["rivals-found"] = found(results)
        made["rivals-cold"] = cold(results)
    if "search" in results:
        made["search-cold"] = cold_search(results)
    return made


def quality(results: Results) -> Chart:
    """R@10 of every kind of unit, with the bars to reach."""
    rows = chosen(rows_of(results["reference"], results["quality"]), category="1-4")
    groups = []
    for units in ("turns", "notes", "sessions"):
        for scope, said in _NAMES.items():
            bars = dict(zip(MODES[1:], BARS.get((units, scope), ()), strict=False))
            values = tuple(
                Value(MODES.index(row["mode"]), row["R@10"], rate(row["R@10"]), bars.get(row["mode"]))
                for row in chosen(rows, units=units, scope=scope)
            )
            groups.append(Group(units + said, values))
    series = ("plain FTS5 reference", "gitmem, by words", "gitmem, with MiniLM")
    title = "R@10 on LoCoMo, development half, categories 1–4 (dashed: the bar)"
    return Chart(title, series, tuple(groups), 0.0, 1.0, _TENTHS)


def found(results: Results) -> Chart:
    """R@10 of every system."""
    kinds = {"sessions pool": "sessions, pooled", "turns pool": "turns, pooled"}
    groups = tuple(
        Group(
            row["system"],
            tuple(
                Value(number, row[kind], rate(row[kind]))
                for number, kind in enumerate(kinds, start=1)
                if kind in row
            ),
        )
        for row in rows_of(results["rivals"])
    )
    series = ("", *kinds.values())
    return Chart(
        "R@10 over five conversations at once, same texts, same questions", series, groups, 0, 1, _TENTHS
    )


def cold(results: Results) -> Chart:
    """How long a whole process of every system takes for one question."""
    rows = rows_of(results["rivals"])
    times = [row["cold"] for row in rows]
    groups = tuple(Group(row["system"], (Value(1, row["cold"], f"{row['cold']:,.0f} ms"),)) for row in rows)
    low, high = min(1.0, *times), max(times) * 1.5
    title = "One question from a cold start, whole process, milliseconds (powers of ten)"
    return Chart(title, ("", "ms"), groups, low, high, powers(low, high), log=True)


def cold_search(results: Results) -> Chart:
    """Cold searches against ``import click``, by size and corpus."""
    rows = chosen(rows_of(results["search"]), what="cold search, whole process")
    corpora = list(dict.fromkeys(row["corpus"] for row in rows))
    groups = []
    for size in dict.fromkeys(row["size"] for row in rows):
        values = tuple(
            Value(
                1 + corpora.index(row["corpus"]),
                row["value"],
                f"{row['value']:.2f} ×",
                float(row["bar"].removeprefix("≤ ")) if row["bar"] else None,
            )
            for row in chosen(rows, size=size)
        )
        groups.append(Group(f"{size:,} memories", values))
    ticks = tuple((float(number), f"{number} ×") for number in range(8))
    high = max(4.0, *(row["value"] for row in rows)) + 0.3
    title = 'gitmem search, whole process, against python -c "import click" (dashed: the bar)'
    return Chart(title, ("", *corpora), tuple(groups), 0, high, ticks)

"""Charts as SVG, from the results of a run, written by hand: the same results give the same bytes.

Each chart has its own background, light or dark as the reader's system is, so that it can be read on any
page.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

_WIDTH, _LABEL, _RIGHT, _TOP, _BAR, _GAP, _BOTTOM = 760, 190, 70, 74, 17, 14, 30
_STYLE = """
svg { --back: #ffffff; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0;
      --c0: #8c959f; --c1: #2f6fbf; --c2: #1a7f64; --c3: #b0631c; --bar: #cf222e; }
@media (prefers-color-scheme: dark) {
  svg { --back: #0d1117; --ink: #e6edf3; --soft: #9198a1; --line: #3d444d;
        --c0: #7d8590; --c1: #5a9be6; --c2: #3fb68f; --c3: #e09b4f; --bar: #ff7b72; } }
.back { fill: var(--back); } .ink { fill: var(--ink); } .soft { fill: var(--soft); }
.line { stroke: var(--line); } .bar { stroke: var(--bar); stroke-dasharray: 4 3; stroke-width: 1.5; }
.c0 { fill: var(--c0); } .c1 { fill: var(--c1); } .c2 { fill: var(--c2); } .c3 { fill: var(--c3); }
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; }
.title { font-size: 16px; font-weight: 600; } .small { font-size: 12px; }
"""


class Value(NamedTuple):
    """One bar: which series it belongs to, its value, what is written at its end, and what it must reach."""

    series: int
    value: float
    said: str
    bar: float | None = None


class Group(NamedTuple):
    """Bars that belong together, and their name at the left."""

    name: str
    values: tuple[Value, ...]


class Chart(NamedTuple):
    """A bar chart: series are named in a legend; ``log`` makes the axis one of powers of ten."""

    title: str
    series: tuple[str, ...]
    groups: tuple[Group, ...]
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    log: bool = False


def svg(chart: Chart) -> str:
    """The chart as a document."""
    counts = [len(group.values) for group in chart.groups]
    height = _TOP + sum(count * _BAR + _GAP for count in counts) + _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<title>{escape(_spoken(chart))}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="back" width="{_WIDTH}" height="{height}" rx="8"/>',
        _text(16, 26, chart.title, "ink title"),
        *_legend(chart.series),
        *_axis(chart, height),
    ]
    top = _TOP
    for group in chart.groups:
        parts += _group(chart, group, top)
        top += len(group.values) * _BAR + _GAP
    return "\n".join([*parts, "</svg>"]) + "\n"


def powers(low: float, high: float) -> tuple[tuple[float, str], ...]:
    """Ticks at 1, 10, 100 … for an axis between two values."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return tuple((10.0**power, f"{10**power:,}" if power >= 0 else f"{10.0**power:g}") for power in exponents)


def _spoken(chart: Chart) -> str:
    """The chart as a sentence, for those who hear it."""
    said = (
        f"{group.name}, {chart.series[one.series]}: {one.said}"
        for group in chart.groups
        for one in group.values
    )
    return f"{chart.title}. " + "; ".join(said) + "."


def _x(chart: Chart, value: float) -> float:
    """Where a value lies."""
    inside = min(max(value, chart.low), chart.high)
    if chart.log:
        share = math.log(inside / chart.low) / math.log(chart.high / chart.low)
    else:
        share = (inside - chart.low) / (chart.high - chart.low)
    return round(_LABEL + share * (_WIDTH - _LABEL - _RIGHT), 1)


def _legend(series: Sequence[str]) -> Iterator[str]:
    left = 16.0
    for number, name in enumerate(series):
        if not name:  # a colour that this chart does not use
            continue
        yield _block(f"c{number}", left, 41, 11, 11)
        yield _text(left + 17, 51, name, "soft small")
        left += 34 + 6.6 * len(name)


def _axis(chart: Chart, height: int) -> Iterator[str]:
    low = height - _BOTTOM + 4
    for value, name in chart.ticks:
        if chart.low <= value <= chart.high:
            x = _x(chart, value)
            yield f'<line class="line" x1="{x}" y1="{_TOP - 8}" x2="{x}" y2="{low}"/>'
            yield _text(x, low + 15, name, "soft small", "middle")


def _group(chart: Chart, group: Group, top: int) -> Iterator[str]:
    middle = top + len(group.values) * _BAR / 2
    yield _text(_LABEL - 10, middle + 4, group.name, "ink", "end")
    for number, one in enumerate(group.values):
        y, end = top + number * _BAR, _x(chart, one.value)
        width = round(max(end - _LABEL, 1), 1)
        yield _block(f"c{one.series}", _LABEL, y + 1, width, _BAR - 3)
        x = end if one.bar is None else _x(chart, one.bar)
        yield _text(max(x, end) + 6, y + 12, one.said, "soft small")
        if one.bar is not None:
            yield f'<line class="bar" x1="{x}" y1="{y - 1}" x2="{x}" y2="{y + _BAR - 1}"/>'


def _block(classes: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{classes}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="2"/>'


def _text(x: float, y: float, words: str, classes: str, anchor: str = "start") -> str:
    return f'<text class="{classes}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(words)}</text>'

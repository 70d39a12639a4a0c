"""The tables and charts of docs/benchmarks.md, out of a file of results: no figure there is typed by hand.

    python -m bench.report RESULTS

The page has places between ``<!-- bench:NAME -->`` and ``<!-- /bench:NAME -->``; what stands in them is
replaced. Places whose part was not measured stay as they are.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any

from bench import charts, figures, pictures

Results = dict[str, Any]
_PLACE = re.compile(r"(<!-- bench:([a-z-]+) -->\n).*?(<!-- /bench:\2 -->)", re.DOTALL)
_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def load(path: str) -> Results:
    """The results in a file, none when there is none."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return dict(json.load(file))


def save(results: Results, path: str) -> None:
    """Write results; the same ones always as the same text."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1, sort_keys=True, ensure_ascii=False)
        file.write("\n")


def tables(results: Results) -> dict[str, str]:
    """Place → its text, "" where nothing was measured for it."""
    made = {}
    for name, (parts, make) in figures.PLACES.items():
        there = all(part in results for part in parts)
        made[name] = make(*(results[part] for part in parts)) if there else ""
    return made


def filled(page: str, texts: dict[str, str]) -> str:
    """The page with those texts in their places."""

    def put(found: re.Match[str]) -> str:
        text = texts.get(found[2], "")
        return f"{found[1]}{text.strip()}\n{found[3]}" if text else found[0]

    return _PLACE.sub(put, page)


def write(results: Results, root: str) -> None:
    """Write page and charts below the folder ``root`` of the project."""
    path = os.path.join(root, "docs", "benchmarks.md")
    with open(path, encoding="utf-8") as file:
        page = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(filled(page, tables(results)))
    folder = os.path.join(root, "docs", "benchmarks")
    os.makedirs(folder, exist_ok=True)
    for name, chart in pictures.every(results).items():
        with open(os.path.join(folder, f"{name}.svg"), "w", encoding="utf-8") as file:
            file.write(charts.svg(chart))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    write(load(sys.argv[1]), _ROOT)

"""What the search index costs inside one process, as ratios to ``python -c "import click"`` in the same run.

    python -m bench.index_speed [--sizes 1000,10000] [--json]

The corpus is that of bench.vaults: made-up words as common and as rare as real ones; a question is six of the
words of one memory.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TypeVar

from bench.vaults import texts
from gitmem.index.filters import Filters
from gitmem.index.index import Index
from gitmem.memory.document import dump
from gitmem.memory.ids import new_id
from gitmem.memory.memory import Memory
from gitmem.memory.text import fingerprint

_Item = TypeVar("_Item")
KEY, VAULT = bytes(range(32)), "0" * 32
_START = 1_600_000_000_000  # 2020-09-13, in milliseconds


def main() -> None:
    """Measure each size and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="1000,10000", help="how many memories, separated by commas")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    rows: list[tuple[str, float, float]] = []
    for size in map(int, chosen.sizes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            for name, value, unit in measure(size, os.path.join(folder, "index.db")):
                rows.append((f"{name}, {size}", value, value / unit if unit else 0.0))
    if chosen.json:
        print(json.dumps([{"what": name, "value": value, "ratio": ratio} for name, value, ratio in rows]))
        return
    for name, value, ratio in rows:
        print(f"{name:44}{value:12.3f}" + (f"{ratio:10.4f} ×" if ratio else ""))


def measure(size: int, path: str) -> Iterable[tuple[str, float, float]]:
    """Name, value and the unit to compare it with in milliseconds (0: none) of everything measured at that
    size.
    """
    corpus = texts()
    memories = [memory(number, text) for number, text in enumerate(islice(corpus, size))]
    units = [import_click() for _ in range(5)]
    start = time.perf_counter()
    index = Index.open(path, KEY, VAULT)
    index.apply("c", [], memories)
    index.close()
    rebuild = time.perf_counter() - start
    yield "rebuild, memories per second", size / rebuild, 0
    yield "index / plain text", os.path.getsize(path) / sum(len(dump(one)) for one in memories), 0
    opened = timed(lambda _: Index.open(path, KEY, VAULT).commit, range(20))
    index = Index.open(path, KEY, VAULT)
    units += [import_click() for _ in range(5)]
    same = timed(lambda one: index.by_fingerprint(fingerprint(one)), memories[:200])
    asked = timed(
        lambda query: index.search(query, Filters(now="2026-11-20T07:00:00Z"), 10), questions(memories)
    )
    listed = timed(lambda _: index.rows(Filters(), 20), range(50))
    more = [memory(size + number, text) for number, text in enumerate(islice(corpus, 200))]
    added = timed(lambda one: index.apply("d", [], [one]), more)
    edited = timed(lambda one: index.apply("d", [], [one]), memories[:: max(1, size // 100)])
    units += [import_click() for _ in range(5)]
    unit = statistics.median(units)
    yield "rebuild, ms", rebuild * 1000, unit
    for name, times in (("open", opened), ("same text", same), ("search", asked), ("newest 20", listed),
                        ("add one", added), ("edit one", edited)):  # fmt: skip
        yield f"{name}, ms p50", statistics.median(times), unit
        yield f"{name}, ms p95", statistics.quantiles(times, n=20)[-1], unit
    after = timed(
        lambda query: index.search(query, Filters(now="2026-11-20T07:00:00Z"), 10), questions(memories)
    )
    yield "search after those edits, ms p50", statistics.median(after), unit
    index.close()


def memory(number: int, text: str) -> Memory:
    """A memory of about 640 bytes as a document."""
    unix_ms = _START + number * 1_000_000
    return Memory(
        id=new_id(unix_ms),
        title=text[:40],
        body=text,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(unix_ms // 1000)),
        project=f"project{number % 20}",
    )


def questions(memories: list[Memory]) -> list[str]:
    """Two hundred questions of six words each."""
    dice = random.Random(2)
    return [" ".join(dice.sample(dice.choice(memories).body.split(), 6)) for _ in range(200)]


def import_click() -> float:
    """Milliseconds of one ``python -c "import click"``."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import click"], check=True)
    return (time.perf_counter() - start) * 1000


def timed(run: Callable[[_Item], object], items: Iterable[_Item]) -> list[float]:
    """Milliseconds of each run, after a first one that does not count."""
    times = []
    for item in items:
        start = time.perf_counter()
        run(item)
        times.append((time.perf_counter() - start) * 1000)
    return times[1:]


if __name__ == "__main__":
    main()

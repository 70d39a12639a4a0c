"""Every measurement, one after the other, into one file of results; then the tables made of it.

    python -m bench [--results FILE] [--only quality,relevance,…] [--data FOLDER] [--keep FOLDER]

Results of parts that are not run again stay in FILE. ``python -m bench.report FILE`` writes tables and
charts into docs/benchmarks.md. What needs LoCoMo looks for it in FOLDER/locomo; what needs a model does
without when there is none.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from typing import Any

from bench import report
from gitmem import app

_FROM_DATA = ("quality", "reference", "relevance", "plain", "rivals")


def parts(options: argparse.Namespace, modes: str) -> dict[str, list[str]]:
    """Every part by name: a module and its arguments."""
    file = os.path.join(options.data, "locomo", "dev.json")
    semantic = ["--semantic"] if "semantic" in modes else []
    data = ["--data", options.data] if options.data else []
    keep = ["--keep", options.keep] if options.keep else []
    every = {
        "quality": ["bench.locomo", file, "--mode", modes],
        "reference": ["bench.locomo", file, "--reference"],
        "relevance": ["bench.locomo", file, "--relevance", "--mode", modes],
        "plain": ["bench.locomo", file, "--plain", "--mode", modes],
        "rivals": ["bench.rivals", file, "--mode", modes],
        "search": ["bench.search_speed", *data, *keep, *semantic],
        "commands": ["bench.speed", *data],
        "index": ["bench.index_speed"],
        "consolidate": ["bench.consolidate"],
        "digest": ["bench.digest"],
    }
    wanted = options.only.split(",") if options.only else list(every)
    return {name: every[name] for name in wanted if options.data or name not in _FROM_DATA}


def run(call: list[str]) -> Any:
    """What one module measures, and how long that took.

    Raises:
        SystemExit: it failed; what it said stands above.
    """
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", *call, "--json"], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"python -m {' '.join(call)} failed.")
    return {"seconds": round(time.perf_counter() - start), "found": json.loads(done.stdout)}


def machine() -> dict[str, str]:
    """What the figures depend on besides the program."""
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    commit = subprocess.run(
        ["git", "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "git": git,
        "sqlite": sqlite3.sqlite_version,
        "commit": commit.stdout.strip(),
    }


def main() -> None:
    """Run the parts, keep their results after each, print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", default=os.path.join(tempfile.gettempdir(), "gitmem-bench-results.json"))
    parser.add_argument("--only", default="", help="names of parts, separated by commas")
    parser.add_argument("--data", default=os.environ.get("GITMEM_TEST_DATA", ""))
    parser.add_argument("--keep", default="", help="keep the vaults of the search part there")
    options = parser.parse_args()
    modes = "lexical,semantic" if app.embedder() else "lexical"
    results = report.load(options.results)
    for name, call in parts(options, modes).items():
        print(f"{name}: python -m {' '.join(call)}", file=sys.stderr, flush=True)
        results[name] = run(call)
        results["machine"] = machine()
        report.save(results, options.results)
    print("\n\n".join(table for table in report.tables(results).values() if table))
    print(f"\nThe results are in {options.results}.")


if __name__ == "__main__":
    main()

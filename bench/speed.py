"""What whole commands cost, as ratios to ``python -c "import click"`` in the same run.

    python -m bench.speed [--runs 15] [--large 100000] [--data FOLDER] [--json]

Every round runs each command once, in turn, so that a machine whose speed drifts slows all of them alike.
"""

from __future__ import annotations

import argparse
import compileall
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Hashable
from typing import TypeVar

import gitmem
from bench import vaults
from gitmem.branch import Branch
from gitmem.repo.repo import Draft, Repo

Run = Callable[[], None]
_Name = TypeVar("_Name", bound=Hashable)
_GITMEM = [sys.executable, "-P", "-m", "gitmem"]
# What each figure must not pass: the name of a row without the size of the large vault → bar.
_BARS = {
    "--help": "≤ 1.3×",
    "write 1k bare": "≤ 2.3×",
    "write 1k full": "≤ 2.3×",
    "import 128": "≤ 15×",
    "growth 1k → {}, full": "≤ 1.8×",
    "growth 1k → {}, bare": "≤ 1.15×",
    "growth 1k bare → {} sparse": "≤ 1.15×",
    "write {} full / git add+commit": "≤ 0.7×",
    "write {} bare / git add+commit": "≤ 0.45×",
    "write {} sparse / git add+commit": "≤ 0.45×",
    "verify 10,000 commits, ms": "≤ 500",
}


def process(argv: list[str], env: dict[str, str] | None = None, data: Callable[[], str] | None = None) -> Run:
    """A run of one whole process that must end well."""

    def run() -> None:
        text = data() if data else ""
        done = subprocess.run(argv, input=text, env=env, text=True, capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(argv[-3:])} failed: {done.stderr.strip()}")

    return run


def rounds(runs: dict[_Name, Run], count: int) -> dict[_Name, float]:
    """The median seconds of each run over ``count`` interleaved rounds, after one that does not count."""
    times: dict[_Name, list[float]] = {name: [] for name in runs}
    for number in range(count + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if number:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(found) for name, found in times.items()}


def fresh_text() -> Callable[[], str]:
    """A text that the vault does not hold yet, at every call."""
    source, start = vaults.texts(seed=os.getpid()), itertools.count()
    return lambda: f"{next(source)} {next(start)} {os.urandom(8).hex()}"


def git_commit(place: str) -> Run:
    """``git add`` and ``git commit`` of one new file in a plain checkout: what a plaintext tool would do."""
    names = itertools.count()

    def run() -> None:
        name = os.path.join(place, "memories", "2024", "12", f"note-{next(names)}.md")
        with open(name, "wb") as file:
            file.write(os.urandom(900))
        who = ["-c", "user.name=b", "-c", "user.email=b@localhost", "-c", "gc.auto=0"]
        subprocess.run(["git", "-C", place, "add", name], check=True, capture_output=True)
        subprocess.run(["git", "-C", place, *who, "commit", "-qm", "note"], check=True, capture_output=True)

    return run


def commands(folder: str, large: int, data: str, tell: Callable[[str], None]) -> dict[str, Run]:
    """Every command that is timed, on vaults made in ``folder``."""
    runs: dict[str, Run] = {
        "import click": process([sys.executable, "-c", "import click"]),
        "--help": process([*_GITMEM, "--help"]),
    }
    for name, count in (("1k", 1_000), (f"{large // 1000}k", large)):
        bare = vaults.make(folder, count, tell)
        tell(f"cloning {name}")
        forms = {"bare": bare, "full": vaults.clone(bare, folder, sparse=False)}
        if count == large:
            forms["sparse"] = vaults.clone(bare, folder, sparse=True)
        for form, vault in forms.items():
            runs[f"write {name} {form}"] = process([*_GITMEM, "write", "-"], vault.env, fresh_text())
        tell(f"indexing {name}")
        process([*_GITMEM, "search", "unique1"], bare.env)()
        runs[f"search {name}"] = process([*_GITMEM, "search", "unique7"], bare.env)
        plain = os.path.join(folder, f"plain-{name}")
        subprocess.run(["git", "clone", "-q", "--no-local", bare.path, plain], check=True)
        runs[f"git add+commit {name}"] = git_commit(plain)
    if data:
        runs["import 128"] = imports(folder, os.path.join(data, "locomo", "dev-memories.jsonl"))
    return runs


def imports(folder: str, file: str) -> Run:
    """The import of the 128 conversations, each time into a fresh vault."""
    made: list[vaults.Vault] = [
        vaults.make(tempfile.mkdtemp(dir=folder), 1, lambda _: None) for _ in range(40)
    ]

    def run() -> None:
        vault = made.pop()
        process([*_GITMEM, "import", file], vault.env)()

    return run


def verify(folder: str, count: int) -> float:
    """Seconds to verify that many sealed commits for the first time."""
    vault = vaults.make(folder, 2, lambda _: None)
    repo = Repo.open(vault.path)
    repo.objects._fsync = False  # noqa: SLF001  (making the history is not what is timed)
    branch = Branch(repo, lambda _: vault.identity, vault.state_dir)
    tip = branch.tip()
    tree = repo.tree(tip)
    for _ in range(count):
        tip = branch.seal(Draft((tip,), tree, {}, "write 1 memory"))
    repo.git.run("update-ref", "refs/heads/long", tip)
    repo.git.run("repack", "-adq")
    repo.git.run("prune-packed", "-q")
    start = time.perf_counter()
    branch.history.verify(tip, branch.tip())
    seconds = time.perf_counter() - start
    repo.close()
    return seconds


def report(medians: dict[str, float], large: int, extra: dict[str, float]) -> list[tuple[str, float, float]]:
    """Rows of name, figure and the ratio to ``import click``, then the ratios between commands."""
    base, big = medians["import click"], f"{large // 1000}k"
    rows = [(name, seconds * 1000, seconds / base) for name, seconds in medians.items()]
    pairs = {
        f"growth 1k → {big}, full": (f"write {big} full", "write 1k full"),
        f"growth 1k → {big}, bare": (f"write {big} bare", "write 1k bare"),
        f"growth 1k bare → {big} sparse": (f"write {big} sparse", "write 1k bare"),
        f"write {big} full / git add+commit": (f"write {big} full", f"git add+commit {big}"),
        f"write {big} bare / git add+commit": (f"write {big} bare", f"git add+commit {big}"),
        f"write {big} sparse / git add+commit": (f"write {big} sparse", f"git add+commit {big}"),
    }
    rows += [(name, 0.0, medians[a] / medians[b]) for name, (a, b) in pairs.items()]
    return rows + [(name, figure, 0.0) for name, figure in extra.items()]


def main() -> None:
    """Make the vaults, time everything, print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--data", default=os.environ.get("GITMEM_TEST_DATA", ""))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    compileall.compile_dir(os.path.dirname(gitmem.__file__), quiet=2)

    def tell(text: str) -> None:
        print(f"  … {text}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOME"] = folder
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
            os.environ[name] = os.path.join(folder, name)
        runs = commands(folder, options.large, options.data, tell)
        medians = rounds(runs, options.runs)
        extra = {"verify 10,000 commits, ms": verify(folder, 10_000) * 1000}
        rows = report(medians, options.large, extra)
    bars = {name: _BARS.get(name.replace(f"{options.large // 1000}k", "{}"), "") for name, _, _ in rows}
    if options.json:
        table = {name: {"figure": figure, "ratio": ratio, "bar": bars[name]} for name, figure, ratio in rows}
        print(json.dumps(table, indent=1))
        return
    print(f"{'':36}{'median':>12}{'ratio':>8}  {'bar':>9}")
    for name, figure, ratio in rows:
        shown = f"{f'{figure:,.1f}' if figure else '':>12}{f'{ratio:.2f}×' if ratio else '':>8}"
        print(f"{name:36}{shown}  {bars[name]:>9}".rstrip())


if __name__ == "__main__":
    main()

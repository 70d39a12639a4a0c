"""gitmem beside what people use instead, in one run: the same texts, the same questions, one table.

    python -m bench.rivals FILE [--mode lexical,semantic] [--cache FOLDER] [--without NAME] [--json]

FILE is LoCoMo's JSON (bench.locomo). Every system gets each session as one text with its title and its day
in words: plain markdown files for those that read files, rows for SQLite, memories for gitmem. Asked are
the questions of categories 1 to 4 as they stand; R@10 is that of bench.metrics, of sessions and, where a
system has such a unit, of turns. ``pool`` looks in all conversations at once, ``conversation`` in the
question's own. Cold is a whole process for one question, in turn with ``python -c "import click"``; warm is
the median within one process. Disk is what a system keeps to answer from, the texts included.

ripgrep is taken from the PATH. basic-memory is installed from the package index into a virtual environment
of its own in --cache. What is not there is left out, and the table says so.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

from bench import basic_memory, dialogues, metrics
from bench.conversations import Talks
from bench.dialogues import HEADLINE, Dialogue
from bench.locomo import embedder, tell
from bench.plaintext import Asked, Plaintext, Rival, Run
from bench.speed import process, rounds
from bench.systems import FullText, Gitmem, Grep, Vectors

Row = dict[str, Any]


def rivals(found: list[Dialogue], folder: str, options: argparse.Namespace) -> Iterator[Rival]:
    """Every system that is there, ready to be asked."""
    texts = dialogues.texts(found, "turns")
    plain = Plaintext(os.path.join(folder, "plain"), texts)
    if program := shutil.which("rg"):
        yield Grep(plain, program)
    else:
        tell("ripgrep is not on the PATH: left out")
    yield FullText(plain, folder)
    if "basic-memory" not in options.without:
        environment = basic_memory.installed(options.cache)
        if environment:
            yield basic_memory.BasicMemory(plain, folder, environment)
        else:
            tell("basic-memory cannot be installed here: left out")
    model = embedder() if "semantic" in options.mode else None
    if model:
        yield Vectors(plain, folder, model)
    os.makedirs(os.path.join(folder, "vault"))
    talks = Talks(os.path.join(folder, "vault"), texts)
    yield Gitmem(talks, None)
    if model:
        yield Gitmem(talks, model)


def quality(rival: Rival, found: list[Dialogue]) -> Iterator[tuple[str, float]]:
    """R@10 by unit and scope, then the median milliseconds of one warm question."""
    times: list[float] = []
    for unit, scope in itertools.product(rival.units, ("conversation", "pool")):
        wanted = [
            (Asked(one.text, one.conversation if scope == "conversation" else ""), keys)
            for one, keys in dialogues.gold(found, unit)
            if keys and one.category in HEADLINE
        ]
        answers = list(rival.answer([asked for asked, _ in wanted], unit))
        means = metrics.means(
            metrics.of_one(answer.keys, keys) for answer, (_, keys) in zip(answers, wanted, strict=True)
        )
        yield f"{unit} {scope}", means["R@10"]
        if unit == "sessions":
            times += [answer.milliseconds for answer in answers]
    yield "warm", statistics.median(times)


def cold(systems: Sequence[Rival], found: list[Dialogue], runs: int) -> dict[str, float]:
    """The median milliseconds of a whole process of each, in turn, and of ``import click``."""
    asked = itertools.cycle(
        Asked(one.text, "") for dialogue in found for one in dialogue.questions if one.category in HEADLINE
    )
    timed = {"import click": process([sys.executable, "-c", "import click"])}
    timed |= {rival.name: _cold(rival, asked) for rival in systems}
    return {name: seconds * 1000 for name, seconds in rounds(timed, runs).items()}


def _cold(rival: Rival, asked: Iterator[Asked]) -> Run:
    def run() -> None:
        rival.cold(next(asked))()

    return run


def measure(found: list[Dialogue], folder: str, options: argparse.Namespace) -> Iterator[Row]:
    """One row per system."""
    systems = []
    rows = []
    for rival in rivals(found, folder, options):
        tell(rival.name)
        # Its disk at once: with the model the vault of the next system gets vectors too.
        rows.append({"system": rival.name, **dict(quality(rival, found)), "disk": rival.disk()})
        systems.append(rival)
    tell("cold processes")
    times = cold(systems, found, options.runs)
    for row, rival in zip(rows, systems, strict=True):
        milliseconds = times[rival.name]
        ratio = milliseconds / times["import click"]
        yield {**row, "cold": milliseconds, "cold_ratio": ratio}


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The rows as lines."""
    heads = ("sessions conversation", "sessions pool", "turns conversation", "turns pool")
    quality_heads = f"{'sessions':>9}{'pooled':>8}{'turns':>8}{'pooled':>8}"
    yield f"{'R@10':32}{quality_heads}{'cold ms':>9}{'×':>6}{'warm ms':>9}{'MB':>7}"
    for row in rows:
        cells = "".join(f"{row[head]:8.3f}" if head in row else f"{'–':>8}" for head in heads)
        yield (
            f"{row['system']:33}{cells}{row['cold']:9.0f}{row['cold_ratio']:6.1f}{row['warm']:9.1f}"
            f"{row['disk'] / 1e6:7.1f}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", help="LoCoMo's JSON")
    parser.add_argument(
        "--mode", default="lexical", help="lexical, or lexical,semantic when a model is installed"
    )
    parser.add_argument("--cache", default=os.path.join(tempfile.gettempdir(), "gitmem-bench"))
    parser.add_argument("--without", default="", help="basic-memory: leave it out")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = os.path.join(folder, "state-home")
        rows = list(measure(dialogues.load(options.file), folder, options))
    print(json.dumps({"rows": rows}, indent=1) if options.json else "\n".join(table(rows)))


if __name__ == "__main__":
    main()

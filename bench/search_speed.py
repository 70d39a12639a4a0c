"""What searching costs; whole processes as ratios to ``python -c "import click"`` in the same run.

    python -m bench.search_speed [--sizes 1000,10000,100000] [--runs 15] [--corpus made-up,talk]
                                 [--keep FOLDER] [--semantic] [--data FOLDER] [--json]

Cold: ``gitmem search QUESTION`` as a whole process with the head verified and nothing resident, in turn
with ``import click``. Warm: 150 questions one after the other in one process, through ``Store.search`` (the
ten memories found are opened and their snippets made) and through the index alone. After a write: how much
longer the next search takes than the same one again. Rebuild: from sealed files to an index, in one process
and as many as the machine lets gitmem have. Questions are LoCoMo's own on *talk* (bench.vaults) and six
words of a memory on *made-up*.
"""

from __future__ import annotations

import argparse
import compileall
import itertools
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gitmem
from bench import dialogues, vaults
from bench.search_costs import BARS, child
from bench.speed import process, rounds
from gitmem import config
from gitmem.vault.keys import Identity

Row = dict[str, Any]
Tell = Callable[[str], None]
_GITMEM = [sys.executable, "-P", "-m", "gitmem"]
_QUESTIONS = 150
CORPORA = ("made-up", "talk")


class Corpus:
    """Where texts and questions come from."""

    def __init__(self, name: str, data: str) -> None:
        self.name = name
        self._spoken: list[dialogues.Dialogue] = []
        if name == "talk":
            self._spoken = dialogues.load(os.path.join(data, "locomo", "dev.json"))

    def texts(self) -> Iterator[str]:
        """Endless texts of memories."""
        if self.name == "made-up":
            return vaults.texts()
        turns = (turn for one in self._spoken for session in one.sessions for turn in session.turns)
        return vaults.talk([turn.text for turn in turns])

    def questions(self) -> list[str]:
        """The questions to ask, the same ones in every run."""
        dice = random.Random(2)
        if self.name == "made-up":
            made = [text.split() for text in itertools.islice(vaults.texts(), 1_000)]
            return [" ".join(dice.sample(dice.choice(made), 6)) for _ in range(_QUESTIONS)]
        asked = [question.text for one in self._spoken for question in one.questions if question.category < 5]
        return dice.sample(asked, _QUESTIONS)

    def vault(self, folder: str, size: int, tell: Tell) -> vaults.Vault:
        """The vault of that size in ``folder``; one that was kept there is used again."""
        name = f"{self.name}-{size}"
        note = os.path.join(folder, f"{name}.json")
        if os.path.exists(note):
            with open(note, encoding="utf-8") as file:
                path, key, vault_id, state = json.load(file)
            return vaults.Vault(path, Identity.parse(key), vault_id, state)
        tell(f"making {size:,} memories of {self.name}")
        made = vaults.make(folder, size, tell, self.texts(), name)
        with open(note, "w", encoding="utf-8") as file:
            json.dump([made.path, made.identity.text, made.vault_id, made.state_dir], file)
        return made


def cold(held: dict[int, vaults.Vault], corpus: Corpus, runs: int, models: dict[str, str]) -> Iterator[Row]:
    """Whole processes of every size, by words and with a model, in turn with the unit.

    ``models``: what stands behind the name of the figure → the folder with the model.
    """
    asked = itertools.cycle(corpus.questions())
    timed = {("unit", 0): process([sys.executable, "-c", "import click"])}
    for (size, vault), (how, folder) in itertools.product(held.items(), models.items()):
        env = {**vault.env, "XDG_DATA_HOME": folder}
        process([*_GITMEM, "search", "unique1"], env)()  # the index is there, the files are in memory
        timed[how, size] = _search(env, asked)
    medians = rounds(timed, runs)
    unit = medians.pop(("unit", 0))
    yield {"what": "unit", "corpus": "", "size": 0, "value": unit * 1000, "unit": "ms", "bar": ""}
    for (how, size), seconds in medians.items():
        yield row(f"cold search, whole process{how}", corpus, size, seconds / unit, "×")
        yield row(f"cold search, whole process{how}, ms", corpus, size, seconds * 1000, "ms")


def _search(env: dict[str, str], asked: Iterator[str]) -> Callable[[], None]:
    def run() -> None:
        process([*_GITMEM, "search", next(asked)], env)()

    return run


def row(what: str, corpus: Corpus, size: int, value: float, unit: str) -> Row:
    """One figure with the bar of its kind and size, where there is one."""
    bar = BARS.get((what, size), "")
    return {"what": what, "corpus": corpus.name, "size": size, "value": value, "unit": unit, "bar": bar}


def measure(corpus: Corpus, options: argparse.Namespace, folder: str, tell: Tell) -> Iterator[Row]:
    """Every figure of one corpus. Those with a model come last: vectors make the index larger."""
    held = {size: corpus.vault(folder, size, tell) for size in options.sizes}
    kinds = ("rebuild", "together", "warm", "after", *(("semantic",) if options.semantic else ()))
    for what, (size, vault) in itertools.product(kinds, held.items()):
        tell(f"{what}, {size:,} of {corpus.name}")
        env = {**os.environ, "XDG_DATA_HOME": options.models} if what == "semantic" else None
        for name, value, unit in child(what, vault, corpus.questions(), env):
            yield row(name, corpus, size, value, unit)
    tell(f"cold searches of {corpus.name}")
    models = {"": os.environ["XDG_DATA_HOME"]} | (
        {", with a model": options.models} if options.semantic else {}
    )
    yield from cold(held, corpus, options.runs, models)


def main() -> None:
    """Make the vaults or find the kept ones, measure, print one table."""
    options = _options()
    compileall.compile_dir(os.path.dirname(gitmem.__file__), quiet=2)

    def tell(text: str) -> None:
        print(f"  … {text}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as temporary:
        folder = os.path.abspath(options.keep or temporary)
        os.makedirs(folder, exist_ok=True)
        options.models = os.path.dirname(config.data_dir())  # where a model may lie
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
            os.environ[name] = os.path.join(temporary, name)
        rows = [
            one
            for name in options.corpus
            for one in measure(Corpus(name, options.data), options, folder, tell)
        ]
        if options.data:
            rows += conversations(options.data, temporary)
    if options.json:
        print(json.dumps({"rows": rows}, indent=1))
    else:
        print("\n".join(table(rows)))


def conversations(data: str, folder: str) -> Iterator[Row]:
    """How large the index of LoCoMo's conversations is, against their plain text."""
    from bench.conversations import Talks
    from bench.search_costs import sizes

    found = dialogues.load(os.path.join(data, "locomo", "dev.json"))
    os.makedirs(os.path.join(folder, "talks"))
    talks = Talks(os.path.join(folder, "talks"), dialogues.texts(found, "turns"))
    count = len(talks.texts)
    for what, value, unit in sizes(talks.store):
        bar = BARS.get((what, 0), "")
        yield {
            "what": what,
            "corpus": "conversations",
            "size": count,
            "value": value,
            "unit": unit,
            "bar": bar,
        }
    talks.close()


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The rows as lines."""
    for one in rows:
        where = f"{one['corpus']} {one['size']:,}" if one["size"] else ""
        yield f"{one['what']:46}{where:20}{one['value']:12,.2f} {one['unit']:4} {one['bar']}".rstrip()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="1000,10000,100000", help="how many memories, separated by commas")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--data", default=os.environ.get("GITMEM_TEST_DATA", ""))
    parser.add_argument("--corpus", default="", help="made-up, talk (needs --data), or both")
    parser.add_argument(
        "--keep", default="", metavar="FOLDER", help="keep the vaults there and use them again"
    )
    parser.add_argument("--semantic", action="store_true", help="make vectors too and search with them")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.sizes = [int(size) for size in options.sizes.split(",")]
    options.corpus = options.corpus.split(",") if options.corpus else CORPORA if options.data else CORPORA[:1]
    return options


if __name__ == "__main__":
    main()

"""How well gitmem finds what answers a question: LoCoMo's conversations in a real vault, asked through the
product.

    python -m bench.locomo FILE [--json] [--units turns,notes,sessions] [--mode lexical,semantic]
                                [--scope conversation,pool] [--category 1,2,3,4,5]
    python -m bench.locomo FILE --relevance | --plain | --reference

FILE is LoCoMo's JSON, all of it or some conversations. Each session is one memory, written by
``Store.write`` into a sealed vault in a temporary folder and searched by ``Store.search``:

- turns: the memory is the conversation itself; it is searched by passage, and every passage found counts as
  the turns in it, in order. A question's units are the turns of its evidence.
- notes: the memory is the list of the session's observations. A question's units are the facts that rest on
  one of the turns of its evidence, and R@k is the share of those facts that is found: with that definition
  the plain reference gives the figures that the bars were set by (``--reference`` shows it). Questions
  without such a fact are left out.
- sessions: the memories themselves. A question's units are the sessions of its evidence; any@k is hit@k.

``conversation`` asks within the question's project, ``pool`` in all of them at once. The headline is
categories 1 to 4; 5 (questions whose premise is false) stands apart. Questions without usable evidence are
left out and counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench import dialogues, metrics, relevance
from bench.conversations import Talks
from bench.dialogues import CATEGORIES, HEADLINE, UNITS, Dialogue, Question
from bench.reference import Reference
from gitmem import app
from gitmem.index.embedder import Embedder

Row = dict[str, Any]
Rank = Callable[[str, str], list[str]]  # question, project or "" → keys, best first
SCOPES = ("conversation", "pool")
SHOWN = ("R@1", "R@5", "R@10", "any@1", "any@5", "any@10", "all@5", "all@10", "MRR")


def measure(
    found: list[Dialogue], unit: str, rank: Rank, scopes: tuple[str, ...], categories: set[int]
) -> list[Row]:
    """The figures of one kind of unit: for each scope the headline's, each category's."""
    asked = [
        (question, keys) for question, keys in dialogues.gold(found, unit) if question.category in categories
    ]
    rows = []
    for scope in scopes:
        figures = [
            (
                one.category,
                metrics.of_one(rank(one.text, one.conversation if scope == "conversation" else ""), keys),
            )
            for one, keys in asked
            if keys
        ]
        groups = {"1-4": HEADLINE} | {str(number): (number,) for number in CATEGORIES}
        for name, inside in groups.items():
            mean = metrics.means(row for category, row in figures if category in inside)
            if mean["n"]:
                rows.append({"units": unit, "scope": scope, "category": name, **mean})
    return rows


def evaluate(found: list[Dialogue], options: argparse.Namespace) -> Iterator[Row]:
    """The rows of everything asked for; one vault and one index for each kind of text serve both modes."""
    for text in dict.fromkeys("notes" if unit == "notes" else "turns" for unit in options.units):
        with tempfile.TemporaryDirectory() as folder:
            talks = Talks(folder, dialogues.texts(found, text))
            for mode in options.mode:
                talks.use(embedder() if mode == "semantic" else None)
                for unit in options.units:
                    if (unit == "notes") == (text == "notes"):
                        start = time.perf_counter()
                        rank = talks.sessions if unit == "sessions" else talks.passages
                        for row in measure(found, unit, rank, options.scope, options.category):
                            yield {"mode": mode, **row}
                        tell(f"{mode} {unit}: {time.perf_counter() - start:.1f} s")
            talks.close()


def reference(found: list[Dialogue], options: argparse.Namespace) -> Iterator[Row]:
    """The same figures of the plain reference system."""
    for unit in ("turns", "notes"):
        apart = {one.name: Reference([one], unit) for one in found} | {"": Reference(found, unit)}

        def rank(question: str, project: str, apart: dict[str, Reference] = apart) -> list[str]:
            return apart[project].search(question)

        for row in measure(found, unit, rank, options.scope, options.category):
            yield {"mode": "reference", **row}


def plain(found: list[Dialogue], options: argparse.Namespace) -> Iterator[Row]:
    """How many rankings differ between the encrypted index and a plain one that the same code made."""
    for text in ("turns", "notes"):
        with tempfile.TemporaryDirectory() as folder:
            talks = Talks(folder, dialogues.texts(found, text))
            questions = [(one.text, place) for one in _questions(found) for place in (one.conversation, "")]
            for mode in options.mode:
                talks.use(embedder() if mode == "semantic" else None)
                index = talks.plain_index(f"{folder}/plain-{mode}.db")
                for by in ("passage", "memory"):
                    different, asked = talks.differences(index, questions, by)
                    yield {"mode": mode, "texts": text, "by": by, "rankings": asked, "different": different}
                index.close()
            talks.close()


def embedder() -> Embedder:
    """The installed model.

    Raises:
        SystemExit: there is none.
    """
    found = app.embedder()
    if found is None:
        raise SystemExit("No model is installed for semantic search: `gitmem model install` brings it.")
    return found


def tell(text: str) -> None:
    """Say on standard error how far it is."""
    print(f"  … {text}", file=sys.stderr, flush=True)


def left_out(found: list[Dialogue]) -> dict[str, int]:
    """How many questions have no unit of each kind to find."""
    return {unit: sum(not keys for _, keys in dialogues.gold(found, unit)) for unit in UNITS}


def table(rows: list[Row]) -> Iterator[str]:
    """The rows as lines."""
    yield f"{'':34}{'n':>5}" + "".join(f"{name:>8}" for name in SHOWN)
    for row in rows:
        category = (
            row["category"]
            if row["category"] == "1-4"
            else f"{row['category']} {CATEGORIES[int(row['category'])]}"
        )
        name = f"{row['mode']:10}{row['units']:9}{row['scope'][:4]:5}{category}"
        yield f"{name:38.38}{row['n']:5.0f}"[:39] + "".join(f"{row[figure]:8.3f}" for figure in SHOWN)


def _questions(found: list[Dialogue]) -> Iterator[Question]:
    return (question for dialogue in found for question in dialogue.questions)


def _options() -> argparse.Namespace:
    def several(allowed: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
        def split(text: str) -> tuple[str, ...]:
            parts = tuple(text.split(","))
            if not set(parts) <= set(allowed):
                raise argparse.ArgumentTypeError(f"choose from {', '.join(allowed)}")
            return parts

        return split

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", help="LoCoMo's JSON")
    parser.add_argument("--units", type=several(UNITS), default=UNITS)
    parser.add_argument("--mode", type=several(("lexical", "semantic")), default=("lexical",))
    parser.add_argument("--scope", type=several(SCOPES), default=SCOPES)
    parser.add_argument(
        "--category", type=several(tuple(map(str, CATEGORIES))), default=tuple(map(str, CATEGORIES))
    )
    parser.add_argument("--json", action="store_true")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--relevance", action="store_true", help="what the relevance of the first hit tells")
    kinds.add_argument("--plain", action="store_true", help="compare every ranking with a plain index")
    kinds.add_argument("--reference", action="store_true", help="the plain system that the bars come from")
    options = parser.parse_args()
    options.category = {int(number) for number in options.category}
    return options


def main() -> None:
    """Measure what was asked for and print it."""
    options = _options()
    found = dialogues.load(options.file)
    if options.relevance:
        rows = [
            row
            for mode in options.mode
            for row in relevance.rows(found, mode, embedder if mode == "semantic" else None)
        ]
    else:
        kind = plain if options.plain else reference if options.reference else evaluate
        rows = list(kind(found, options))
    if options.json:
        print(json.dumps({"left_out": left_out(found), "rows": rows}, indent=1))
    elif options.plain or options.relevance:
        for row in rows:
            print(
                "  ".join(
                    f"{name} {value:.3f}" if isinstance(value, float) else f"{name} {value}"
                    for name, value in row.items()
                )
            )
    else:
        print("\n".join(table(rows)))
        without = ", ".join(f"{count} {unit}" for unit, count in left_out(found).items())
        print(f"\nQuestions left out, as nothing in the file answers them: {without}.")


if __name__ == "__main__":
    main()

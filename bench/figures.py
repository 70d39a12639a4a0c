"""The tables of docs/benchmarks.md: what each place shows of which results."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from bench.dialogues import CATEGORIES
from bench.metrics import NAMES

Part = dict[str, Any]
_SCOPES = {"conversation": "within the conversation", "pool": "all conversations at once"}
# (units, scope) → the R@10 to reach by words and with the model.
BARS = {
    ("turns", "conversation"): (0.76, 0.79),
    ("turns", "pool"): (0.74, 0.77),
    ("notes", "conversation"): (0.765, 0.815),
    ("notes", "pool"): (0.775, 0.815),
    ("sessions", "conversation"): (0.94, 0.95),
}
_COLUMNS = {
    "sessions conversation": "R@10 of sessions",
    "sessions pool": "R@10 of sessions, pooled",
    "turns conversation": "R@10 of turns",
    "turns pool": "R@10 of turns, pooled",
    "cold": "cold time",
    "warm": "warm time",
    "disk": "disk",
}
MODES = ("reference", "lexical", "semantic")


def rows_of(*parts: Part) -> list[Part]:
    """The rows of some results."""
    return [row for part in parts for row in part["found"]["rows"]]


def chosen(rows: Iterable[Part], **wanted: object) -> list[Part]:
    """The rows that have those values."""
    return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]


def quality(reference: Part, found: Part) -> str:
    """The headline: categories 1 to 4."""
    rows = chosen(rows_of(reference, found), category="1-4")
    names = ("R@1", "R@5", "R@10", "MRR", "any@1", "any@5", "all@5")
    heads = ("units", "asked", "system", "n", *names, "R@10 to reach")
    return _table(heads, _quality(rows, names))


def _quality(rows: list[Part], names: Sequence[str]) -> Iterator[list[str]]:
    for units in ("turns", "notes", "sessions"):
        for scope, said in _SCOPES.items():
            for mode in MODES:
                for row in chosen(rows, units=units, scope=scope, mode=mode):
                    bars = dict(zip(MODES[1:], BARS.get((units, scope), ()), strict=False))
                    bar = f"≥ {rate(bars[mode])}" if mode in bars else ""
                    yield [units, said, mode, f"{row['n']:.0f}", *(rate(row[name]) for name in names), bar]


def categories(reference: Part, found: Part) -> str:
    """R@10 by category, within the conversation."""
    rows = chosen(rows_of(reference, found), scope="conversation")
    heads = ("units", "system", *CATEGORIES.values())
    lines = []
    for units in ("turns", "notes", "sessions"):
        for mode in MODES:
            mine = {row["category"]: row for row in chosen(rows, units=units, mode=mode)}
            if mine:
                cells = (rate(mine[key]["R@10"]) if key in mine else "–" for key in map(str, CATEGORIES))
                lines.append([units, mode, *cells])
    return _table(heads, lines)


def left_out(found: Part) -> str:
    """Which questions could not be asked."""
    counts = ", ".join(f"{count} for {units}" for units, count in found["found"]["left_out"].items())
    return f"Questions left out, because nothing in the file answers them: {counts}."


def relevance(found: Part) -> str:
    """What the relevance of the first hit tells."""
    heads = (
        "score",
        "texts",
        "n",
        "pass at 5 % false alarms",
        "AUC",
        "default",
        "missed there",
        "false alarms there",
    )
    lines = []
    for row in rows_of(found):
        own = "default" in row
        errors = (
            [rate(row["default"]), _percent(row["missed"]), _percent(row["false_alarms"])]
            if own
            else ["–"] * 3
        )
        lines.append(
            [row["mode"], row["texts"], str(row["n"]), _percent(row["pass"]), rate(row["auc"]), *errors]
        )
    return _table(heads, lines)


def plain(found: Part) -> str:
    """Rankings of the encrypted index against those of a plain one."""
    rows = rows_of(found)
    asked, different = (sum(row[name] for row in rows) for name in ("rankings", "different"))
    return f"Of {asked:,} rankings, {different:,} differ between the encrypted index and a plain one."


def rivals(found: Part) -> str:
    """Every system in one table."""
    kinds = ("sessions conversation", "sessions pool", "turns conversation", "turns pool")
    heads = ("system", "R@10 sessions", "pooled", "R@10 turns", "pooled", "cold", "warm", "disk")
    lines = []
    for row in rows_of(found):
        cells = [rate(row[kind]) if kind in row else "–" for kind in kinds]
        cold = f"{row['cold']:,.0f} ms ({row['cold_ratio']:.1f} ×)"
        lines.append([row["system"], *cells, cold, f"{row['warm']:,.1f} ms", f"{row['disk'] / 1e6:.1f} MB"])
    return _table(heads, lines)


def behind(found: Part) -> str:
    """Where gitmem is not ahead, in words, system by system."""
    rows = rows_of(found)
    own = [row for row in rows if row["system"].startswith("gitmem")]
    said = []
    for rival, mine in itertools.product(rows, own):
        if rival in own:
            continue
        worse = [what for name, what in _COLUMNS.items() if name in rival and not _ahead(mine, rival, name)]
        if worse:
            said.append(f"- {mine['system']} is not ahead of {rival['system']} in {', '.join(worse)}.")
    return "\n".join(said) or "gitmem is ahead of every system in every column."


def _ahead(mine: Part, rival: Part, name: str) -> bool:
    found = " " in name  # R@10 of a unit and scope: more is better; of costs less is
    return bool(mine[name] > rival[name]) if found else bool(mine[name] < rival[name])


def gain(found: Part) -> str:
    """Whether the model ever makes a figure of the headline lower."""
    rows = chosen(rows_of(found), category="1-4")
    lower = []
    for row in chosen(rows, mode="semantic"):
        (words,) = chosen(rows, mode="lexical", units=row["units"], scope=row["scope"])
        where = f"{row['units']} {_SCOPES[row['scope']]}"
        lower += [f"{name} of {where}" for name in NAMES if row[name] < words[name]]
    if not chosen(rows, mode="semantic"):
        return ""
    return f"With the model lower than by words: {', '.join(lower) or 'no figure of this table'}."


def search(found: Part) -> str:
    """What a search costs: one line per figure and corpus, one column per size."""
    rows = [row for row in rows_of(found) if row["what"] != "unit"]
    sizes = sorted({row["size"] for row in rows})
    heads = ("figure", "corpus", *(f"{size:,}" for size in sizes))
    lines = []
    for what, corpus in dict.fromkeys((row["what"], row["corpus"]) for row in rows):
        mine = {row["size"]: row for row in chosen(rows, what=what, corpus=corpus)}
        lines.append([what, corpus, *(_cost(mine[size]) if size in mine else "" for size in sizes)])
    return _table(heads, lines)


def unit(found: Part) -> str:
    """What one ``import click`` took in that run."""
    values = [row["value"] for row in rows_of(found) if row["what"] == "unit"]
    return (
        '× is one `python -c "import click"`: ' + ", ".join(f"{value:.0f} ms" for value in values) + " here."
    )


def commands(found: Part) -> str:
    """Whole commands, as bench.speed prints them."""
    lines = []
    for name, row in found["found"].items():
        figure = f"{row['figure']:,.1f}" if row["figure"] else ""
        ratio = f"{row['ratio']:.2f} ×" if row["ratio"] else ""
        lines.append([name, figure, ratio, row["bar"]])
    return _table(("command", "ms, or as named", "ratio", "bar"), lines)


def index(found: Part) -> str:
    """The index by itself, as bench.index_speed prints it."""
    return _table(("figure", "value"), [[row["what"], f"{row['value']:,.2f}"] for row in found["found"]])


def work(found: Part) -> str:
    """Runs in a process of their own: consolidation, digest."""
    lines = [
        [name, f"{row['seconds']:.1f} s", f"{row['megabytes']:.0f} MB", str(row["said"])]
        for name, row in found["found"].items()
    ]
    return _table(("run", "time", "peak memory", "what it did"), lines)


def machine(found: dict[str, str]) -> str:
    """Where it was measured."""
    return (
        f"Measured on commit {found['commit']}: {found['cores']} cores, {found['system']},"
        f" Python {found['python']}, git {found['git']}."
    )


def _cost(row: Part) -> str:
    value = row["value"]
    said = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
    bar = f" ({row['bar']})" if row["bar"] else ""
    return f"{said} {row['unit']}".strip() + bar


def rate(value: float) -> str:
    """A share with three decimals: .776."""
    return f"{value:.3f}".removeprefix("0") if value < 1 else f"{value:.3f}"


def _percent(value: float) -> str:
    return f"{value:.1%}".replace("%", " %")


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    written = ["| " + " | ".join(cells) + " |" for cells in (heads, ["---"] * len(heads), *lines)]
    return "\n".join(written)


# Place → the parts of the results it shows, and how.
PLACES: dict[str, tuple[tuple[str, ...], Callable[..., str]]] = {
    "machine": (("machine",), machine),
    "quality": (("reference", "quality"), quality),
    "gain": (("quality",), gain),
    "categories": (("reference", "quality"), categories),
    "left-out": (("quality",), left_out),
    "relevance": (("relevance",), relevance),
    "plain": (("plain",), plain),
    "rivals": (("rivals",), rivals),
    "behind": (("rivals",), behind),
    "search": (("search",), search),
    "unit": (("search",), unit),
    "commands": (("commands",), commands),
    "index": (("index",), index),
    "consolidate": (("consolidate",), work),
    "digest": (("digest",), work),
}

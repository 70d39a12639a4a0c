"""How the steps of a consolidation look as lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gitmem.doors.cli.lines import title_of
from gitmem.doors.cli.output import Line, one_line, width
from gitmem.memory.memory import Memory, short
from gitmem.memory.text import noun

if TYPE_CHECKING:
    from gitmem.flows.consolidate.run import Report
    from gitmem.memory.outcome import Made

_SHOWN = 8  # lines of a new text
_VERBS = {
    "create": "new",
    "update": "update",
    "merge": "merge",
    "supersede": "supersede",
    "expire": "expire",
    "question": "question",
}
_DONE = {
    "create": "made",
    "update": "updated",
    "merge": "merged",
    "supersede": "superseded",
    "expire": "ended",
    "question": "asked",
}


def made(one: Made) -> Iterator[Line]:
    """One step: what it makes, what that replaces, and why."""
    memory = one.memory
    yield [("head", f"{_VERBS[one.step.action]:10}"), *_named(memory)]
    if one.step.action == "expire":
        yield ["          ", ("bad", f"ends {memory.expires[:10]}")]
    elif one.before is None or one.before.body != memory.body:
        yield from _text(memory, one.before)
    for old in one.replaced:
        yield ["          ", ("bad", "replaces "), *_named(old, 19)]
    drawn = [source for source in one.basis if source not in one.replaced and source.id != memory.id]
    if drawn:
        yield [
            "          ",
            ("dim", one_line(f"from {', '.join(short(one.id) for one in drawn)}", width() - 10)),
        ]
    if one.step.reason:
        yield ["          ", ("dim", one_line(f"because {one.step.reason}", width() - 10))]
    yield ""


def _named(memory: Memory, used: int = 10) -> list[tuple[str, str] | str]:
    return [("id", short(memory.id)), "  ", one_line(title_of(memory), width() - used - 8)]


def _text(memory: Memory, before: Memory | None) -> Iterator[Line]:
    old = set(before.body.split("\n")) if before else set()
    new = [line for line in memory.body.split("\n") if line.strip() and line not in old]
    for line in new[:_SHOWN]:
        yield ["          ", ("good", one_line(f"+ {line}", width() - 10))]
    if len(new) > _SHOWN:
        yield ["          ", ("dim", f"and {len(new) - _SHOWN} more lines; `gitmem read {short(memory.id)}`")]


def aside(found: Sequence[tuple[Memory, str]]) -> Iterator[Line]:
    """The memories that the engine does not take, by id and title."""
    for memory, why in found:
        yield [("bad", "set aside "), *_named(memory)]
        yield ["          ", ("dim", one_line(f"because {why}", width() - 10))]


def told(report: Report) -> Iterator[Line]:
    """The run in numbers; nothing of any memory is in these lines."""
    if report.looked:
        actions = Counter(one.step.action for one in report.made)
        what = ", ".join(f"{_DONE[action]} {count}" for action, count in actions.items()) or "no change"
        replaced = sum(len(one.replaced) for one in report.made)
        done = f"{report.looked} new {noun(report.looked)} looked at ({report.engine})"
        yield f"{done}: {what}; replaced {replaced}."
    if report.written:
        yield f"Topic lists and narratives brought up to date: {len(report.written)}."
    for why, count in sorted(Counter(report.refused).items()):
        yield ("dim", f"Not done, {count} ×: {why}.")
    if report.dropped:
        yield f"{report.dropped} left for the next time: their memories were changed meanwhile."
    if report.aside:
        yield ("bad", f"{len(report.aside)} set aside until changed.")
    if report.stopped:
        yield ("bad", f"{report.left} new {noun(report.left)} are left for the next time. {report.stopped}")
    if report.cost:
        cost = report.cost
        tokens = f"{cost.tokens_in:,} tokens in, {cost.tokens_out:,} out"
        yield f"Cost: {money(cost.dollars)} ({cost.requests} requests, {tokens})."


def money(dollars: float | None) -> str:
    """An amount as people read it; small ones to the hundredth of a cent."""
    if dollars is None:
        return "a price that is not known"
    return f"${dollars:.4f}" if dollars < 1 else f"${dollars:.2f}"

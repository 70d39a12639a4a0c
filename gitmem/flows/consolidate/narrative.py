"""The digest's narratives: one memory for each shared project and one for all, drawn from what is shared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace

from gitmem.flows.consolidate.apply import Write
from gitmem.flows.consolidate.engine import Engine, GroupRefusedError
from gitmem.memory.bounds import CONTENTS, MAX_BODY, MAX_TITLE, NARRATIVE, SOURCE, least, stated
from gitmem.memory.memory import Memory
from gitmem.memory.pack import best_first
from gitmem.memory.plan import Step
from gitmem.memory.sharing import outdated
from gitmem.memory.text import shorten, visible_line

_MOST = 300  # memories that one narrative is drawn from


def narratives(
    engine: Engine,
    current: Sequence[Memory],
    may: Callable[[Memory], bool],
    touched: Container[str],
    stamp: tuple[str, Callable[[], str]],
) -> Iterator[Write]:
    """The narratives that are due, told anew.

    Args:
        engine: who tells.
        current: all memories that hold.
        may: whether one of them may be published.
        touched: ids of what is new or changed; what rests on none of them is not told again.
        stamp: the time, and a function that gives fresh ids.

    Raises:
        ModelError: the model cannot be asked any more.
    """
    shared = [memory for memory in current if may(memory) and not _is_made_by_code(memory)]
    former: dict[str, list[Memory]] = {}
    for one in filter(_tells, sorted(current, key=stated, reverse=True)):
        former.setdefault(one.project, []).append(one)
    there = {memory.id for memory in current}
    for project in sorted({memory.project for memory in shared} | {""}):
        told = _fitting(shared if not project else [one for one in shared if one.project == project])
        last, *others = former.get(project, [None])
        stale = last is None or bool(others) or not may(last) or not there.issuperset(last.sources)
        if told and (stale or any(memory.id in touched for memory in told)):
            step = _asked(engine, project, told)
            if step and step.body.strip():
                write = _written(step, project, told, last, stamp)
                over = tuple(one.id for one in others if one)  # of two devices that told at once
                yield replace(write, memory=replace(write.memory, supersedes=over)) if over else write


def _asked(engine: Engine, project: str, told: Sequence[Memory]) -> Step | None:
    try:
        return engine.narrate(project, told)
    except GroupRefusedError:
        return None  # the digest then shows the memories alone


def _is_made_by_code(memory: Memory) -> bool:
    return memory.source == SOURCE and bool({NARRATIVE, CONTENTS} & set(memory.tags))


def _tells(memory: Memory) -> bool:
    return memory.source == SOURCE and NARRATIVE in memory.tags


def _fitting(memories: Sequence[Memory]) -> list[Memory]:
    """The best of each project in turn, as many as a narrative can rest on, oldest first."""
    place: Counter[str] = Counter()
    turn = {}
    for memory in best_first(memories):
        turn[memory.id] = place[memory.project]
        place[memory.project] += 1
    chosen = sorted(memories, key=lambda one: (turn[one.id], one.project))[:_MOST]
    return sorted(chosen, key=lambda one: (one.created, one.id))


def _written(
    step: Step,
    project: str,
    told: Sequence[Memory],
    last: Memory | None,
    stamp: tuple[str, Callable[[], str]],
) -> Write:
    """A narrative takes from the engine its words alone; the rest is decided here."""
    now, new_id = stamp
    known = {memory.id: memory for memory in told}
    # without a word on what it looked at, or with a wrong one, it looked at all
    named = set(step.sources) if step.sources and known.keys() >= set(step.sources) else set(known)
    sources = [memory for memory in told if memory.id in named]
    memory = Memory(
        id=last.id if last else new_id(),
        body=step.body.strip()[:MAX_BODY],
        title=shorten(visible_line(step.title), MAX_TITLE),
        kind="summary",
        created=last.created if last else now,
        updated=now if last else "",
        rev=last.rev + 1 if last else 1,
        tags=(NARRATIVE,),
        project=project,
        source=SOURCE,
        trust=least(sources),
        share=True,
        sources=tuple(memory.id for memory in sources),
    )
    holds = last is not None and not any(outdated(last, one) for one in sources)
    if last and holds and replace(memory, rev=last.rev, updated=last.updated) == last:
        memory = last
    return Write(memory, (memory.id, *memory.sources) if last else memory.sources)

"""Groups to plans by an engine: a group that it refuses is halved until the one memory is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gitmem.errors import ModelError
from gitmem.flows.consolidate.engine import Engine, GroupRefusedError
from gitmem.memory.memory import Memory
from gitmem.memory.plan import Group, Plan
from gitmem.store import Progress


@dataclass(slots=True)
class Thoughts:
    """What came of the groups: plans, memories looked at, those set aside and why, and what ended it."""

    plans: list[Plan] = field(default_factory=list)
    looked: list[Memory] = field(default_factory=list)
    aside: dict[str, tuple[Memory, str]] = field(default_factory=dict)
    stopped: ModelError | None = None


def think(engine: Engine, groups: Sequence[Group], progress: Progress | None = None) -> Thoughts:
    """Plan the groups one after the other, until they are done or the model cannot be asked any more."""
    thoughts = Thoughts()
    for count, group in enumerate(groups, 1):
        try:
            _plan(engine, group, thoughts)
        except ModelError as error:
            thoughts.stopped = error
            break
        if progress:
            progress(count, len(groups))
    return thoughts


def _plan(engine: Engine, group: Group, thoughts: Thoughts) -> None:
    """Plan one group, in ever smaller parts where it is refused. Each part that is done is done."""
    known = tuple(memory for memory in group.known if memory.id not in thoughts.aside)
    group = replace(group, known=known)
    try:
        thoughts.plans.append(engine.plan(group))
        thoughts.looked += group.new
    except GroupRefusedError as refusal:
        if len(group.new) > 1:
            half = len(group.new) // 2
            _plan(engine, replace(group, new=group.new[:half]), thoughts)
            _plan(engine, replace(group, new=group.new[half:]), thoughts)
        elif not known:
            thoughts.aside[group.new[0].id] = (group.new[0], refusal.message)
        else:
            _plan(engine, replace(group, known=()), thoughts)
            if group.new[0].id not in thoughts.aside:  # so it is an older one that is refused
                _plan(engine, replace(group, new=known, known=()), thoughts)

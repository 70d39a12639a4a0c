"""A consolidation plan: what a run proposes to do with a group of memories, checked before it is done.

An engine (Claude, or the offline one) fills in steps; :func:`check` is the only way from steps to a plan that
may be applied, so whatever a memory talks a model into meets the same bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gitmem.memory.memory import Memory

# create     a new memory drawn from its sources, which stay as they are
# update     the text of an earlier consolidated memory (target), drawn from its old sources and new ones
# merge      several that say the same: the target, or a new text, takes the place of the others
# supersede  a newer statement that contradicts older ones: it takes their place, with the dates of both
# expire     a memory (target) whose time is over, as a newer source shows
# question   a contradiction that nothing decides: an open question that names both; nothing is retired
ACTIONS = ("create", "update", "merge", "supersede", "expire", "question")


@dataclass(frozen=True, slots=True)
class Group:
    """Memories to be looked at together: one project, one topic; those that are new, and older related ones.

    ``known`` may be cited and retired like ``new``; a group without anything new is never made.
    """

    project: str
    topic: str
    new: tuple[Memory, ...]
    known: tuple[Memory, ...] = ()

    @property
    def memories(self) -> tuple[Memory, ...]:
        """All of them."""
        return self.new + self.known


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change that an engine proposes.

    ``sources`` are full ids of memories of the group; ``target`` is the id that the action is about, where it
    needs one. Text fields are empty where the action makes no text.
    """

    action: str
    sources: tuple[str, ...]
    target: str = ""
    kind: str = "note"
    title: str = ""
    body: str = ""
    topics: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    importance: float | None = None
    confidence: float = 1.0
    expires: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps that passed for one group, and why the others did not (a sentence each, no memory text)."""

    group: Group
    steps: tuple[Step, ...]
    refused: tuple[str, ...] = field(default=())


def check(group: Group, steps: Sequence[Step]) -> Plan:
    """Every step against its bounds."""
    raise NotImplementedError

"""A consolidation plan: what a run proposes to do with a group of memories, checked before it is done.

An engine (Claude, or the offline one) fills in steps; :func:`check` is the only way from steps to a plan that
may be applied, so whatever a memory talks a model into meets the same bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gitmem.memory.bounds import Bound, Roles, bounded, untrue
from gitmem.memory.memory import Memory


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
    """One change that an engine proposes; ``action`` is one of :data:`gitmem.memory.bounds.ACTIONS`.

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
    """The plan of those steps that keep all bounds; never raises, whatever the steps say.

    Every id is of the group and the texts have their sizes. A memory is retired (merged, superseded, expired)
    only on sources of no lesser trust, only once, never by a text that says too little of it, and never in
    bulk: steps that would call more than a quarter of the group (and more than two) untrue all go.
    """
    known = {memory.id: memory for memory in group.memories}
    roles = Roles()
    passed: list[Step] = []
    refused: list[str] = []
    for step in steps:
        try:
            clean = bounded(step, known)
            roles.claim(clean)
        except Bound as bound:
            refused.append(str(bound))
        else:
            passed.append(clean)
    return _not_in_bulk(group, passed, refused)


def _not_in_bulk(group: Group, passed: list[Step], refused: list[str]) -> Plan:
    for action in ("expire", "supersede"):
        hit = {one for step in passed if step.action == action for one in untrue(step)}
        if len(hit) > max(2, len(group.memories) // 4):
            passed = [step for step in passed if step.action != action]
            refused.append(f"{action}: too many of the group at once; none was taken")
    return Plan(group, tuple(passed), tuple(refused))

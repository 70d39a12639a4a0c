"""Which memories may be published: those marked to share, and those that a sealed rule covers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gitmem.memory.memory import Memory


@dataclass(frozen=True, slots=True)
class Rules:
    """Sealed sharing rules: every memory of these projects, tags or kinds is shared; nothing by default.

    A memory that came in by a link (trust ``inbox``) is never shared, by mark or rule, until it is accepted.
    """

    projects: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def cover(self, memory: Memory) -> bool:
        """Whether ``memory`` by itself is shared, by its mark or by a rule; its sources are not looked at."""
        if memory.trust == "inbox":
            return False
        return (
            memory.share
            or memory.project in self.projects
            or memory.kind in self.kinds
            or not set(self.tags).isdisjoint(memory.tags)
        )


def publishable(memories: Iterable[Memory], rules: Rules) -> Callable[[Memory], bool]:
    """The test for a memory: shared itself, and so is everything it was drawn from, all the way down.

    ``memories`` must be all of the vault, superseded and expired ones too: a consolidated memory whose source
    was unshared or forgotten afterwards must not carry its words out.
    """
    known = {memory.id: memory for memory in memories}
    answers: dict[str, bool] = {}

    def may(memory_id: str) -> bool:
        if memory_id not in answers:
            answers[memory_id] = False  # also the answer for a circle of sources
            memory = known.get(memory_id)
            answers[memory_id] = memory is not None and rules.cover(memory) and all(map(may, memory.sources))
        return answers[memory_id]

    return lambda memory: may(memory.id)

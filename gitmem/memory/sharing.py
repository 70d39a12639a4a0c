"""Which memories may be published: those marked to share, and those that a sealed rule covers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gitmem.memory.bounds import SOURCE
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
        return memory.trust != "inbox" and (memory.share or bool(self.reasons(memory)))

    def reasons(self, memory: Memory) -> tuple[str, ...]:
        """The rules that name it, as options of `gitmem share`: ``--project shop``, ``--tag public``."""
        tags = tuple(f"--tag {tag}" for tag in memory.tags if tag in self.tags)
        project = (f"--project {memory.project}",) if memory.project in self.projects else ()
        return (*project, *tags, *((f"--kind {memory.kind}",) if memory.kind in self.kinds else ()))


def publishable(
    memories: Iterable[Memory], rules: Rules, now: str = "", *, edited: bool = False
) -> Callable[[Memory], bool]:
    """The test for a memory: shared itself, and so is everything it was drawn from, all the way down.

    ``memories`` must be all of the vault, superseded and expired ones too: a consolidated memory whose source
    was unshared or forgotten afterwards must not carry its words out, nor one whose source was edited since
    what the source said before; the latter counts all the same with ``edited``. With ``now`` the same holds
    for what has expired by then. What it has rare words of (its links) is a source here too.
    """
    known = {memory.id: memory for memory in memories}
    answers: dict[str, bool] = {}

    def fits(memory_id: str) -> bool:
        memory = known.get(memory_id)
        return memory is not None and rules.cover(memory) and not expired(memory, now)

    def stands(memory_id: str, source: str) -> bool:
        return answers[source] and (edited or not outdated(known[memory_id], known[source]))

    def may(memory_id: str) -> bool:
        # By a list and not by calling itself: a chain of sources may be longer than Python's stack.
        waiting = [memory_id]
        while waiting:
            one = waiting[-1]
            if one not in answers:
                answers[one] = False  # also the answer for a circle of sources
                waiting += [source for source in _sources(known, one) if source not in answers]
            elif waiting.pop() == one and fits(one):
                answers[one] = all(stands(one, source) for source in _sources(known, one))
        return answers[memory_id]

    return lambda memory: may(memory.id)


def outdated(memory: Memory, source: Memory) -> bool:
    """Whether ``source`` was edited after ``memory`` was drawn from it, which may say what it said before."""
    return source.updated > (memory.updated or memory.created)


def expired(memory: Memory, now: str) -> bool:
    """Whether its time is over; without ``now`` nothing's is."""
    return bool(now and memory.expires and memory.expires <= now)


def drawn(memory: Memory) -> tuple[str, ...]:
    """The ids of all that a memory may say words of; links that a person made are something else."""
    return (*memory.sources, *memory.links) if memory.source == SOURCE else memory.sources


def _sources(known: dict[str, Memory], memory_id: str) -> tuple[str, ...]:
    return drawn(known[memory_id]) if memory_id in known else ()

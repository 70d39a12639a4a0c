"""A consolidation as one commit: what rests on memories that are still as they were read, and the marker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gitmem.flows.consolidate import marker
from gitmem.flows.consolidate.gather import Found
from gitmem.flows.consolidate.marker import Marker
from gitmem.memory.ids import path_of
from gitmem.memory.memory import Memory
from gitmem.repo.trees import BLOB_MODE, Changes
from gitmem.store import Store, counted

VERB = "consolidate"


@dataclass(frozen=True, slots=True)
class Write:
    """One memory to be written, and those that it rests on: if one of them moved on, it is not written."""

    memory: Memory
    basis: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """All that a run came to, to be written on any tip: see :func:`changes`."""

    found: Found
    writes: tuple[Write, ...]
    marker: Marker
    looked: Mapping[str, int]

    @property
    def subject(self) -> str:
        """The subject of the commit: a count and nothing else."""
        return counted(VERB, len(self.writes))


def changes(store: Store, work: Work, tip: str) -> tuple[Changes, frozenset[str]]:
    """What a commit on ``tip`` must change, and the ids of what is not written because its basis moved on.

    The marker is only moved if nobody else has moved it meanwhile; then it notes what was looked at.
    """
    moved_on = _moved_on(store, work, tip)
    kept, dropped = _standing(work.writes, moved_on)
    made: Changes = {path_of(one.memory.id): (BLOB_MODE, store.put(one.memory)) for one in kept}
    there = marker.read(store, tip)
    mark = work.marker
    if there != work.found.marker:
        mark = replace(
            there,
            done={**there.done, **work.looked},
            aside={**there.aside, **work.marker.aside},
        )
    return {**made, **marker.change(store, mark, tip)}, dropped


def commit(store: Store, work: Work) -> tuple[str, frozenset[str]]:
    """Write it all in one sealed commit; its id ("" when nothing changes) and the ids that were dropped.

    Raises:
        TamperedError: the branch is refused; nothing was written.
    """
    dropped: frozenset[str] = frozenset()

    def make(tip: str) -> Changes:
        nonlocal dropped
        made, dropped = changes(store, work, tip)
        return made

    oid = store.trunk.grow(make, work.subject)
    return oid, dropped


def _moved_on(store: Store, work: Work, tip: str) -> set[str]:
    """The ids that are no longer as they were read, or that something else replaces by now."""
    if tip == work.found.tip:
        return set()
    trees = (store.repo.tree(work.found.tip), store.repo.tree(tip))
    gone, come = store.between(*trees)
    replaced = {old for memory in store.memories(come, at=tip) for old in memory.supersedes}
    return {*gone, *come, *replaced}


def _standing(writes: Sequence[Write], moved_on: set[str]) -> tuple[list[Write], frozenset[str]]:
    """Without what rests on a memory that moved on, or on something that is not written itself."""
    lost = set(moved_on)
    dropped: set[str] = set()
    kept = list(writes)
    while True:
        fallen = [one for one in kept if not lost.isdisjoint((*one.basis, one.memory.id))]
        if not fallen:
            return kept, frozenset(dropped)
        dropped |= {one.memory.id for one in fallen}
        lost |= dropped
        kept = [one for one in kept if one.memory.id not in dropped]


def look(memories: Sequence[Memory]) -> dict[str, int]:
    """Memories as the marker notes them: id → rev."""
    return {memory.id: memory.rev for memory in memories}

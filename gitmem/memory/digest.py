"""Which memories a digest shows: those marked to share, and nothing else, ever."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gitmem.memory.memory import Memory
from gitmem.memory.pack import Entry, best_first, choose

_FRAME = 60  # characters of date, kind and tags around an entry; what a reader's budget also pays for


@dataclass(frozen=True, slots=True)
class Group:
    """The chosen memories of one project (``""``: of none), best first, and how many of it found no room."""

    project: str
    entries: tuple[Entry, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Digest:
    """What is published: groups in the order of their best memory, and how many are there and left out."""

    groups: tuple[Group, ...]
    shown: int
    left_out: int
    time: str


def select(memories: Iterable[Memory], budget: int, now: str) -> Digest:
    """The digest of ``memories`` within about ``budget`` characters at the time ``now``.

    Only memories marked to share that have not expired and that no other of ``memories`` supersedes; the most
    important first, then the newest. A superseding memory that is not marked hides the old one all the same:
    what it replaced is no longer true.
    """
    everything = list(memories)
    replaced = {old for memory in everything for old in memory.supersedes if old != memory.id}
    shared = [
        memory
        for memory in everything
        if memory.share and memory.id not in replaced and not (memory.expires and memory.expires <= now)
    ]
    ranked = best_first(shared)
    chosen = choose(ranked, budget, _cost)
    return Digest(_groups(ranked, chosen), len(chosen), len(ranked) - len(chosen), now)


def _cost(entry: Entry) -> int:
    return len(entry.title) + len(entry.body) + sum(map(len, entry.memory.tags)) + _FRAME


def _groups(ranked: list[Memory], chosen: list[Entry]) -> tuple[Group, ...]:
    groups = []
    for project in dict.fromkeys(memory.project for memory in ranked):
        entries = tuple(entry for entry in chosen if entry.memory.project == project)
        asked = sum(memory.project == project for memory in ranked)
        groups.append(Group(project, entries, asked - len(entries)))
    return tuple(groups)

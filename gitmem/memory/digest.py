"""What a digest shows: memories that are shared and stand, by project, and their narratives; no more."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from gitmem.memory.bounds import CONTENTS, SOURCE
from gitmem.memory.memory import Memory, superseded
from gitmem.memory.pack import best_first
from gitmem.memory.sharing import Rules, expired, publishable
from gitmem.memory.text import fingerprint

NARRATIVE_TAG = "digest"
EXPIRED, REPLACED, INBOX = "expired", "superseded", "not accepted yet"
DRAWN, TOPICS = "source not shared, or edited since", "list of topics"


@dataclass(frozen=True, slots=True)
class Project:
    """The memories of one project (``""``: of none), newest first, and its narrative if it has one."""

    name: str
    narrative: Memory | None
    memories: tuple[Memory, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A memory that is shared by itself and yet does not appear, and why."""

    memory: Memory
    why: str


@dataclass(frozen=True, slots=True)
class Digest:
    """What is published at ``time``.

    ``ranked`` are all memories, best first; ``projects`` the same ones, the project with the best memory
    first; ``narrative`` is that of the whole. ``version`` changes when anything of this does, but the time.
    """

    time: str
    version: str
    narrative: Memory | None
    ranked: tuple[Memory, ...]
    projects: tuple[Project, ...]
    held: tuple[Held, ...]

    @property
    def published(self) -> tuple[Memory, ...]:
        """Every memory whose text appears: narratives and entries."""
        told = (self.narrative, *(project.narrative for project in self.projects))
        return (*(memory for memory in told if memory), *self.ranked)


def select(memories: Iterable[Memory], rules: Rules, now: str) -> Digest:
    """The digest of ``memories``, which must be all of the vault, at the time ``now``.

    A memory appears if it and everything it was drawn from is shared and has not expired, and if no other
    memory supersedes it. A superseding memory that is not shared hides the old one all the same: what it
    replaced is no longer true. Lists of topics never appear: they count what is not shared as well.
    """
    everything = list(memories)
    may = publishable(everything, rules, now)
    replaced = superseded(everything)
    shown: list[Memory] = []
    held: list[Held] = []
    for memory in everything:
        if may(memory) and memory.id not in replaced and not _counts(memory):
            shown.append(memory)
        elif memory.share or rules.cover(memory):
            held.append(Held(memory, _why(memory, replaced, now)))
    told = best_first(memory for memory in shown if is_narrative(memory))
    ranked = best_first(memory for memory in shown if not is_narrative(memory))
    grouped: dict[str, list[Memory]] = {}
    for memory in ranked:
        grouped.setdefault(memory.project, []).append(memory)
    projects = tuple(
        Project(name, _newest(told, name) if name else None, tuple(sorted(mine, key=_age, reverse=True)))
        for name, mine in grouped.items()
    )
    return Digest(now, _version(shown), _newest(told, ""), tuple(ranked), projects, tuple(held))


def is_narrative(memory: Memory) -> bool:
    """Whether consolidation wrote it to tell a digest's story; such a memory is no entry of its own."""
    return memory.source == SOURCE and memory.kind == "summary" and NARRATIVE_TAG in memory.tags


def _counts(memory: Memory) -> bool:
    return memory.source == SOURCE and CONTENTS in memory.tags


def day(memory: Memory) -> str:
    """The date that a memory is of: when it was last changed, else when it was made."""
    return (memory.updated or memory.created)[:10]


def _why(memory: Memory, replaced: set[str], now: str) -> str:
    if memory.trust == "inbox":
        return INBOX
    if expired(memory, now):
        return EXPIRED
    if _counts(memory):
        return TOPICS
    return REPLACED if memory.id in replaced else DRAWN


def _newest(told: Iterable[Memory], project: str) -> Memory | None:
    fitting = [memory for memory in told if memory.project == project]
    return max(fitting, key=_age, default=None)


def _age(memory: Memory) -> tuple[str, str]:
    return (memory.updated or memory.created, memory.id)


def _version(shown: Iterable[Memory]) -> str:
    said = hashlib.sha256()
    for memory in sorted(shown, key=lambda memory: memory.id):
        said.update(memory.id.encode() + fingerprint(memory))
        said.update("\0".join((*memory.tags, memory.updated, memory.trust)).encode("utf-8", "surrogatepass"))
    return said.hexdigest()[:8]

"""Sharing: marks on memories, and sealed rules that share whole projects, tags or kinds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gitmem.errors import InvalidMemoryError
from gitmem.flows import records
from gitmem.memory.ids import path_of
from gitmem.memory.memory import KINDS, Memory, short
from gitmem.memory.sharing import Rules
from gitmem.repo.trees import BLOB_MODE, Changes
from gitmem.store import Store, counted

RECORD = "sharing"


@dataclass(frozen=True, slots=True)
class Shared:
    """A memory after its mark was set or taken away, and the rules that share it whatever its mark says."""

    memory: Memory
    rules: tuple[str, ...]


def rules(store: Store, at: str = "") -> Rules:
    """The sealed rules, as of the verified tip or the verified commit ``at``.

    Raises:
        TamperedError: the record is refused.
    """
    record = records.read(store, RECORD, at)
    return Rules(*(_words(record.get(name)) for name in ("projects", "tags", "kinds")))


def mark(store: Store, ids: Sequence[str], on: bool) -> list[Shared]:
    """Mark memories (full ids) to share, or take the mark away, in one commit.

    Raises:
        NotFoundError: one of them is not there; nothing is changed.
        InvalidMemoryError: one came in by a link and was not accepted yet.
    """
    marked: list[Memory] = []

    def make(tip: str) -> Changes:
        marked[:] = [store.get(memory_id, tip) for memory_id in ids]
        waiting = [memory for memory in marked if on and memory.trust == "inbox"]
        if waiting:
            raise InvalidMemoryError(
                f"Memory {short(waiting[0].id)} came in by a link and is not accepted yet.",
                f"Nothing was shared; `gitmem inbox accept {short(waiting[0].id)}` first.",
            )
        changes: Changes = {}
        for place, memory in enumerate(marked):
            if memory.share != on:
                # not `updated`: it says now what it said before, and what was drawn from it holds
                marked[place] = replace(memory, share=on, rev=memory.rev + 1)
                changes[path_of(memory.id)] = (BLOB_MODE, store.put(marked[place]))
        return changes

    store.trunk.grow(make, counted("edit", len(ids)))
    known = rules(store)
    return [Shared(memory, known.reasons(memory)) for memory in marked]


def rule(store: Store, projects: Sequence[str], tags: Sequence[str], kinds: Sequence[str], on: bool) -> Rules:
    """Set rules, or take them away; the rules that hold then.

    Raises:
        InvalidMemoryError: a name is empty, or there is no such kind.
    """
    named = (projects, tags, kinds)
    if not all(word.strip() for words in named for word in words) or not set(kinds) <= set(KINDS):
        raise InvalidMemoryError(
            "A rule names a project, a tag or a kind of memory.",
            "Nothing was changed; `gitmem share --list` shows the rules.",
        )

    def make(tip: str) -> Changes:
        before = rules(store, tip)
        after = [
            _joined(have, words, on)
            for have, words in zip((before.projects, before.tags, before.kinds), named, strict=True)
        ]
        record = dict(zip(("projects", "tags", "kinds"), after, strict=True))
        return records.change(store, RECORD, record if any(after) else {}, tip)

    store.trunk.grow(make, "change 1 record")
    return rules(store)


def marked(store: Store) -> Iterator[Memory]:
    """Every memory that is shared by its mark or by a rule, whether it appears or not."""
    known = rules(store)
    return (memory for memory in store.memories() if memory.share or known.cover(memory))


def _joined(have: Sequence[str], words: Sequence[str], on: bool) -> list[str]:
    given = [word.strip() for word in words]
    return sorted({*have, *given} if on else set(have) - set(given))


def _words(value: object) -> tuple[str, ...]:
    return tuple(word for word in value if isinstance(word, str)) if isinstance(value, list) else ()

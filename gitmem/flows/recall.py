"""The best memories within a budget: of a project when an assistant begins, or what a search found."""

from __future__ import annotations

from collections.abc import Iterable

from gitmem.index.filters import Filters
from gitmem.index.schema import Row
from gitmem.index.snippet import Hit
from gitmem.memory.memory import Memory
from gitmem.memory.pack import Candidate, best_first, pack
from gitmem.store import Store

_HEAD = 120  # characters that a memory takes in a pack beside its text, roughly
ENOUGH = 400  # candidates: more than any budget of text can hold


def recall(store: Store, project: str, budget: int) -> str:
    """The pack of ``project``, or of the whole vault when that is "" or empty; "" for an empty vault.

    ``budget`` is in characters. What came in by a link is left out until the owner has accepted it: whoever
    could put an issue there must not speak to the assistant.
    """
    rows = _trusted(store, project)
    if not rows and project:
        rows = _trusted(store, "")
    memories = best_first(store.readable(row.id for row in rows)) if rows else []
    return pack(map(Candidate, memories), budget)


def context(hits: Iterable[Hit], budget: int, limit: int = ENOUGH, *, inbox: bool = False) -> str:
    """The pack of what a search by passages found, best first; "" when it found nothing.

    ``budget`` is in characters, ``limit`` in memories. What came in by a link is left out as in ``recall``,
    unless ``inbox``.
    """
    memories: dict[str, Memory] = {}
    spans: dict[str, list[tuple[int, int]]] = {}
    room = budget
    for hit in hits:
        if hit.memory.trust == "inbox" and not inbox:
            continue
        memories.setdefault(hit.memory.id, hit.memory)
        known = spans.setdefault(hit.memory.id, [])
        room -= hit.end - hit.start + (0 if known else _HEAD)
        if room > 0 or not known:  # the best passages win the room, whichever memory they are of
            known.append((hit.start, hit.end))
    candidates = [Candidate(memory, tuple(spans[memory.id])) for memory in memories.values()]
    return pack(candidates[:limit], budget)


def _trusted(store: Store, project: str) -> list[Row]:
    rows = store.rows(Filters(project=project, now=store.now()), ENOUGH)
    return [row for row in rows if row.trust != "inbox"]

"""The best memories within a budget, as text: one builder for `read`, hooks, the proxy and digests.

Every line of a body is indented, so that no text inside a memory can pass for the head of another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gitmem.memory.memory import Memory, short
from gitmem.memory.text import derive_title, noun, visible, visible_line

NEUTRAL = 0.5  # the importance of a memory that has none

_LEAST = 300  # characters of a body below which a cut would only confuse


@dataclass(frozen=True, slots=True)
class Entry:
    """A memory in a pack: its title, its body made safe to show, and whether that is only the beginning."""

    memory: Memory
    title: str
    body: str
    cut: bool


Cost = Callable[[Entry], int]


def best_first(memories: Iterable[Memory]) -> list[Memory]:
    """Most important first, then newest; alike on every device."""
    ranked = sorted(memories, key=lambda memory: (memory.updated or memory.created, memory.id), reverse=True)
    return sorted(ranked, key=lambda memory: -importance(memory))


def importance(memory: Memory) -> float:
    """How important a memory is, 0 to 1; in the middle when it does not say."""
    return NEUTRAL if memory.importance is None else memory.importance


def pack(memories: Iterable[Memory], budget: int) -> str:
    """The best of ``memories`` in at most ``budget`` characters, with date, short id, trust, kind, title.

    Whatever does not fit is counted in the last line. Without memories, or with a budget too small for any
    sentence, the result is empty.
    """
    ranked = best_first(memories)
    if not ranked:
        return ""
    room = budget - len(_left_out(len(ranked)))
    entries = choose(ranked, room, lambda entry: len(_written(entry)) + 1)
    parts = [_written(entry) for entry in entries]
    missing = len(ranked) - len(entries)
    if missing:
        parts.append(_left_out(missing))
    text = "\n".join(parts)
    return text if len(text) <= budget else ""


def choose(ranked: Iterable[Memory], room: int, cost: Cost) -> list[Entry]:
    """Those of ``ranked`` (best first) whose entries fit into ``room``; one longer than a third of it is cut.

    A smaller memory may follow where a larger one did not fit. ``cost`` says what an entry takes.
    """
    longest = max(_LEAST, room // 3)
    chosen: list[Entry] = []
    for memory in ranked:
        entry = entry_of(memory, longest)
        if cost(entry) > room and len(entry.body) > _LEAST:
            entry = entry_of(memory, max(_LEAST, len(entry.body) - (cost(entry) - room) - 1))
        if cost(entry) > room:
            continue
        room -= cost(entry)
        chosen.append(entry)
    return chosen


def entry_of(memory: Memory, longest: int) -> Entry:
    """``memory`` to be shown, with at most ``longest`` characters of its body, cut at a line or word."""
    title = visible_line(memory.title) or visible_line(derive_title(memory.body)) or "Untitled"
    body = visible(memory.body).strip()
    if len(body) <= longest:
        return Entry(memory, title, body, cut=False)
    head = body[: max(0, longest - 1)]
    at = max(head.rfind("\n"), head.rfind(" "))
    return Entry(memory, title, (head[:at] if at > longest // 2 else head).rstrip() + "…", cut=True)


def _written(entry: Entry) -> str:
    memory = entry.memory
    head = f"[{memory.created[:10]} {short(memory.id)} {memory.trust} {memory.kind}] {entry.title}"
    lines = [head, *(f"  {line}" if line.strip() else "" for line in entry.body.split("\n") if entry.body)]
    if entry.cut:
        lines.append(f"  (cut here; all of it: `gitmem read {short(memory.id)}`)")
    return "\n".join(lines) + "\n"


def _left_out(count: int) -> str:
    return f"Left out for want of room: {count} {noun(count)}; `gitmem list` and `gitmem search` find them."

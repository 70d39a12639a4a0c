"""Cutting a memory into passages of about a thousand characters, and what the index reads of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from gitmem.index.words import folded
from gitmem.memory.memory import Memory

TARGET = 1_000  # characters
LONGEST = 1_200
_SHORTEST = 500
_NEIGHBOUR = 200  # characters of each neighbour: whole neighbours would double the index for little
_BREAKS = ("\n#", "\n\n", "\n", ". ", "。", " ")  # best first: a heading begins a passage
_MONTHS = {
    "01": "January", "02": "February", "03": "March", "04": "April", "05": "May", "06": "June",
    "07": "July", "08": "August", "09": "September", "10": "October", "11": "November", "12": "December",
}  # fmt: skip


def cuts(body: str) -> list[int]:
    """Where the passages of ``body`` begin, and its length at the end: passage k lies between two of them."""
    found = [0]
    while len(body) - found[-1] > LONGEST:
        found.append(_cut(body, found[-1]))
    return [*found, len(body)]


def passages(memory: Memory, at: Sequence[int]) -> Iterator[tuple[str, str]]:
    """What is indexed of each passage between the cuts ``at``: its text with date and title, and its context.

    The context is the nearest text of both neighbours; the first passage's also holds the names that the
    memory goes by (project, tags, topics, files), so that they can be searched for.
    """
    head, body = heading(memory), memory.body
    for k, (start, end) in enumerate(pairwise(at)):
        context = body[max(0, start - _NEIGHBOUR) : start] + " " + body[end : end + _NEIGHBOUR]
        if k == 0:
            context = f"{_names(memory)} {context}"
        yield folded(f"{head}\n{body[start:end]}"), folded(context)


def whole(memory: Memory) -> str:
    """What is indexed of a memory as one text."""
    return folded(f"{heading(memory)} {_names(memory)}\n{memory.body}")


def heading(memory: Memory) -> str:
    """Date and title, in the words that a question would have: ``8 May 2023 Title``."""
    year, month, day = memory.created[:10].split("-")
    return f"{int(day)} {_MONTHS.get(month, '')} {year} {memory.title}"


def _names(memory: Memory) -> str:
    return " ".join((memory.project, *memory.tags, *memory.topics, *memory.files, memory.path))


def _cut(body: str, start: int) -> int:
    for mark in _BREAKS:
        late = TARGET if mark == "\n#" else LONGEST
        at = body.rfind(mark, start + _SHORTEST, start + late)
        if at > 0:
            return at + (1 if mark == "\n#" else len(mark))
    return start + TARGET

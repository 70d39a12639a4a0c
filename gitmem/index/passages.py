"""Cutting a memory into passages, and what the index reads of each.

A passage is the smallest thing that a search points at: a turn of a conversation, an item of a list, or about
a thousand characters of prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from gitmem.index.words import folded
from gitmem.memory.memory import Memory

TARGET = 1_000  # characters of prose
LONGEST = 1_200
MOST = 400  # passages of one memory that come from lines; longer lists are cut into longer pieces
TURN, ASKING, TEXT = "t", "q", "p"  # the forms of a passage: a turn, a turn that ends in a question, all else
_SHORTEST = 500
_FEWEST = 4  # turns or items: below that a memory is short enough to be read at once
_BREAKS = ("\n#", "\n\n", "\n", ". ", "。", " ")  # best first: a heading begins a passage
_MONTHS = {
    "01": "January", "02": "February", "03": "March", "04": "April", "05": "May", "06": "June",
    "07": "July", "08": "August", "09": "September", "10": "October", "11": "November", "12": "December",
}  # fmt: skip
# What a line begins with that is a turn (group 1 or 2 names the speaker) or an item of a list.
_UNIT = r"^(?:\*\*([^*\n]{1,60}?):?\*\*:?[ \t]|([^\W\d_][\w .'-]{0,30}):[ \t]|(?:[-*+]|\d{1,3}[.)])[ \t])"


def cuts(body: str) -> tuple[list[int], str]:
    """Where the passages of ``body`` begin, with its length at the end, and the form of each, one letter.

    Passage k lies between two of the places.
    """
    starts, turns = _units(body) if body.count("\n") >= _FEWEST - 1 else ([], False)
    found = [0]
    for start in [*starts, len(body)]:
        while start - found[-1] > LONGEST:
            found.append(_cut(body, found[-1], start))
        if start > found[-1]:
            found.append(start)
    if len(found) == 1:
        return [0, 0], TEXT
    if not turns:
        return found, TEXT * (len(found) - 1)
    asks = (body[start:end].rstrip().endswith(("?", "？")) for start, end in pairwise(found))
    return found, "".join(ASKING if one else TURN for one in asks)


def passages(memory: Memory, at: Sequence[int]) -> Iterator[str]:
    """What is indexed of each passage between the cuts ``at``, and of what all of them are under.

    A memory of one passage is one text with its date, its title and the names it goes by. Of several, each is
    its own words alone, and one more text at the end holds what stands above them.
    """
    if len(at) == 2:
        yield folded(f"{_above(memory)}\n{memory.body}")
        return
    for start, end in pairwise(at):
        yield folded(memory.body[start:end])
    yield folded(_above(memory))


def _above(memory: Memory) -> str:
    return f"{heading(memory)} {names(memory)}".rstrip()


def plain(passage: str) -> str:
    """A passage without the marks of a list or of a speaker: what a model reads of it."""
    return re.sub(r"\A\s*(?:[-*+]|\d{1,3}[.)])[ \t]+|\*\*", "", passage)


def heading(memory: Memory) -> str:
    """Date and title, in the words that a question would have: ``8 May 2023 Title``."""
    year, month, day = memory.created[:10].split("-")
    return f"{int(day)} {_MONTHS.get(month, '')} {year} {memory.title}"


def names(memory: Memory) -> str:
    """What a memory goes by besides its title."""
    return " ".join((memory.project, *memory.tags, *memory.topics, *memory.files, memory.path))


def _units(body: str) -> tuple[list[int], bool]:
    """Where turns and items begin, and whether it is a conversation: few who speak often, or bold names."""
    found = list(_unfenced(body))
    if len(found) < _FEWEST:
        return [], False
    speakers = [one[1] or one[2] for one in found if one[1] or one[2]]
    turns = len(speakers) > len(found) // 2 and len(set(speakers)) <= max(2, len(speakers) // 3)
    least = len(body) // MOST
    starts: list[int] = []
    for one in found:
        if not starts or one.start() - starts[-1] >= least:
            starts.append(one.start())
    return starts, turns


def _unfenced(body: str) -> Iterator[re.Match[str]]:
    fences = at = 0
    for one in _unit().finditer(body):
        fences += body.count("```", at, one.start())
        at = one.start()
        if fences % 2 == 0:
            yield one


@lru_cache(1)
def _unit() -> re.Pattern[str]:
    return re.compile(_UNIT, re.MULTILINE)


def _cut(body: str, start: int, end: int) -> int:
    for mark in _BREAKS:
        late = TARGET if mark == "\n#" else LONGEST
        at = body.rfind(mark, start + _SHORTEST, min(start + late, end))
        if at > 0:
            return at + (1 if mark == "\n#" else len(mark))
    return min(start + TARGET, end)

"""The few words of a memory that show why it was found."""

from __future__ import annotations

import re

from gitmem.index.keyword import question

_SPACE = re.compile(r"\s+")
_LONGEST_STEM = 6


def snippet(body: str, query: str, start: int, end: int, width: int = 160) -> str:
    """The stretch of ``body[start:end]`` with the most words of ``query``: one line of ``width`` characters.

    It is cut between words; an ellipsis stands where something was left out of the passage.
    """
    text = _SPACE.sub(" ", body[start:end]).strip()
    if len(text) <= width:
        return text
    if width < 3:
        return "…"[:width]
    return _cut(text, _best(text, query, width), width)


def _best(text: str, query: str, width: int) -> int:
    """Where a window of ``width`` characters begins with the most words of the query, its first inside."""
    found = _matches(text, query)
    best, at = 0, 0
    first = 0
    for last, (position, _) in enumerate(found):
        while position - found[first][0] > width * 2 // 3:
            first += 1
        shown = len({word for _, word in found[first : last + 1]})
        if shown > best:
            best, at = shown, found[first][0]
    return max(0, at - width // 5)


def _matches(text: str, query: str) -> list[tuple[int, str]]:
    """Position and word, in order, of everything in ``text`` that begins like a word of the query."""
    stems = {_stem(word): word for word in question(query).words}
    if not stems:
        return []
    either = "|".join(map(re.escape, sorted(stems, key=len, reverse=True)))
    # Inside a word only where there are no spaces between words.
    pattern = re.compile(rf"(?<![0-9A-Za-z])(?:{either})", re.IGNORECASE)
    return [(match.start(), match[0].lower()) for match in pattern.finditer(text)]


def _stem(word: str) -> str:
    """What the forms of an English word have in common, roughly: enough to point at it."""
    return word[: max(4, min(len(word) - 2, _LONGEST_STEM))]


def _cut(text: str, start: int, width: int) -> str:
    if start > 0:
        space = text.find(" ", start, start + width // 4)
        start = start if space < 0 else space + 1
    room = width - (start > 0)
    if len(text) - start <= room:  # the end fits: show as much before it as there is room for
        start = len(text) - room
        space = text.find(" ", start, start + width // 4)
        return "…" + text[start if space < 0 else space + 1 :]
    piece = text[start : start + room - 1]
    space = piece.rfind(" ", room * 3 // 4)
    if space > 0 and text[start + room - 1] != " ":
        piece = piece[:space]
    return ("…" if start > 0 else "") + piece.rstrip() + "…"

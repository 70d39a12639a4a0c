"""The few words of a memory that show why it was found, and where the words of the query stand in them."""

from __future__ import annotations

import re
from typing import NamedTuple

from gitmem.index.fusion import Scored
from gitmem.index.keyword import question
from gitmem.memory.memory import Memory
from gitmem.memory.text import columns, visible_line

WIDTH = 160  # terminal columns: two lines beside an indent
Marks = tuple[tuple[int, int], ...]  # where marked words begin and end, in order, in characters

_WIDE = "\u2e80"  # from here on come the scripts without spaces: a word may stand anywhere
_SAME = 5  # letters by which two forms of a word are taken for one
_LONG = 8  # letters from which a word is told by its beginning alone
_ENDING = (
    "(?:e|s|es|d|ed|r|er|ers|or|ors|ing|ings|y|ly|ies|ied|ier|ion|ions|al|ally|ive|ment|ments|ate|ates|ated"
    "|ating|ation|ations|able|ness|ful|['’]s)?"
)
_LETTER = r"[^\W_\u2e80-\U0010ffff]"  # of a script with spaces
_ENDINGS = ("ings", "ing", "ies", "ied", "ers", "ed", "es", "er", "ly", "s", "e", "y")


class Hit(NamedTuple):
    """A memory that fits a query.

    Its score is the better the higher, within one search; ``relevance``, 0 to 1, means the same in every
    search. ``snippet`` is the best of the passage from ``start`` to ``end`` in the body, ``marks`` where the
    query's words stand in it, and ``parts`` what the score is made of.
    """

    memory: Memory
    score: float
    snippet: str
    relevance: float
    start: int
    end: int
    parts: tuple[tuple[str, float], ...]
    marks: Marks


def hit(memory: Memory, scored: Scored, query: str, width: int = WIDTH) -> Hit:
    """What to show of a memory that the index found, its snippet in ``width`` columns of a terminal."""
    _, score, start, end, relevance, parts = scored
    text = snippet(memory.body, query, start, end, width)
    return Hit(memory, score, text, relevance, start, end, parts, marks(text, query))


def snippet(body: str, query: str, start: int, end: int, width: int = WIDTH) -> str:
    """The stretch of ``body[start:end]`` with the most words of ``query``: one line of ``width`` columns.

    It is cut between words; an ellipsis stands where something was left out of the passage. Nothing in it can
    command a terminal.
    """
    text = visible_line(body[start:end])
    shown, most = text, width
    while max(columns(shown), len(shown)) > width:
        if most < 3:
            return "…"[:width]
        shown = _cut(text, _best(text, query, most), most)
        most = min(most - 1, most * width // (columns(shown) or 1))
    return shown


def marks(text: str, query: str) -> Marks:
    """Where the words of ``query`` stand in ``text``, whatever their endings; what touches is one mark.

    Where none does, what only begins like one of them is marked.
    """
    joined: list[tuple[int, int]] = []
    for begin, end in _found(text, query):
        gap = text[joined[-1][1] : begin] if joined else " "
        if len(gap) < 2 and not (gap.isspace() or gap.isalnum()):
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return tuple(joined)


def _found(text: str, query: str) -> list[tuple[int, int]]:
    plain = _unaccented(text)
    words = [_unaccented(word) for word in question(query).words]
    pairs = [re.escape(word) for word in words if word[0] >= _WIDE]
    spaced = [word for word in words if word[0] < _WIDE]
    places = {found.span(1) for found in re.finditer(f"(?=({'|'.join(pairs)}))", plain)} if pairs else set()
    places |= _spans(plain, [_piece(word) for word in spaced])
    return sorted(places or _spans(plain, [_beginning(word) for word in spaced]))


def _spans(text: str, pieces: list[str]) -> set[tuple[int, int]]:
    either = "|".join(sorted(set(pieces), key=len, reverse=True))
    return {found.span() for found in re.finditer(either, text, re.IGNORECASE)} if pieces else set()


def _beginning(word: str) -> str:
    return rf"(?<!{_LETTER}){re.escape(word[: max(3, len(word) - 3)])}{_LETTER}*"


def _piece(word: str) -> str:
    """What a word of the query looks like in a text: from the beginning of a word, with any usual ending."""
    if len(word) >= _LONG:
        return rf"(?<!{_LETTER}){re.escape(word[: max(6, len(word) - 5)])}{_LETTER}*"
    stem = _stem(word)
    doubled = f"{re.escape(stem[-1])}?" if stem != word or len(word) > 2 else ""
    return rf"(?<!{_LETTER})(?:{re.escape(word)}|{re.escape(stem)}{doubled}){_ENDING}(?!{_LETTER})"


def _stem(word: str) -> str:
    """A short English word without its ending, at least three letters of it; numbers stay as they are."""
    for ending in _ENDINGS:
        if len(word) - len(ending) >= 3 and word.endswith(ending):
            return word[: -len(ending)]
    return word


def _unaccented(text: str) -> str:
    """``text`` letter by letter without accents, as the index compares it; its length stays."""
    if text.isascii():
        return text
    return "".join(map(_bare, text))


def _bare(char: str) -> str:
    import unicodedata  # only texts beyond ASCII pay for it

    if char < "\x80" or "\u0530" < char < "\uff00":
        return char
    base = unicodedata.normalize("NFKD", char)
    return base[0] if all(map(unicodedata.combining, base[1:])) else char


def _best(text: str, query: str, width: int) -> int:
    """Where a window of ``width`` characters begins with the most words of the query, its first inside."""
    found = _found(text, query)
    best, at = 0, 0
    first = 0
    for last, (begin, _) in enumerate(found):
        while begin - found[first][0] > width * 2 // 3:
            first += 1
        shown = len({text[slice(*place)].lower()[:_SAME] for place in found[first : last + 1]})
        if shown > best:
            best, at = shown, found[first][0]
    return max(0, at - width // 5)


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
    if text[start + room - 1] != " ":
        ends = (
            at
            for at in range(len(piece), room * 3 // 4, -1)
            if piece[at - 1] == " " or piece[at - 1] >= _WIDE
        )
        piece = piece[: next(ends, len(piece))]
    return ("…" if start > 0 else "") + piece.rstrip() + "…"

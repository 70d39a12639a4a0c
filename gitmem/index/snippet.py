"""The few words of a memory that show why it was found, and where the words of the query stand in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from gitmem.index.fusion import Scored
from gitmem.index.keyword import question
from gitmem.index.words import is_run
from gitmem.memory.memory import Memory
from gitmem.memory.text import columns, visible_line

WIDTH = 160  # terminal columns: two lines beside an indent
Marks = tuple[tuple[int, int], ...]  # where marked words begin and end, in order, in characters

_WIDE = "\u2e80"  # from here on come scripts without spaces, which may be cut anywhere
_SAME = 5  # letters by which two forms of a word are taken for one
_KEY = 3  # letters that forms of a word have in common at least
_ENDINGS = frozenset(("", "s", "es", "d", "ed", "e", "y", "r", "er", "ers", "ing", "ings", "ies", "ied"))
_LONG_ENDINGS = _ENDINGS | frozenset(
    """al ally or ors ly ion ions ive ment ments ate ates ated ating ation ations ational able ness iness ful
    is ity ities ize izes ized izing ization""".split()
)


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
    return shown_for(Hit(memory, score, "", relevance, start, end, parts, ()), query, width)


def shown_for(found: Hit, query: str, width: int = WIDTH) -> Hit:
    """The same hit with the snippet and the marks for another ``query``."""
    text = snippet(found.memory.body, query, found.start, found.end, width)
    return found._replace(snippet=text, marks=marks(text, query))


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


@lru_cache(1)
def _asked(query: str) -> tuple[str, dict[str, list[str]]]:
    """The words of a query: pairs of characters as a pattern ("" for none), all by their first letters."""
    words = [_unaccented(word) for word in question(query).words]
    pairs = "|".join(re.escape(word) for word in words if is_run(word))  # no spaces: they may stand anywhere
    by_key: dict[str, list[str]] = {}
    for word in words:
        by_key.setdefault(word[:_KEY], []).append(word)
    return f"(?=({pairs}))" if pairs else "", by_key


def _found(text: str, query: str) -> list[tuple[int, int]]:
    plain, (pairs, by_key) = _unaccented(text.replace("…", " ")), _asked(query)
    places = {found.span(1) for found in re.finditer(pairs, plain)} if pairs else set()
    tokens = [(token, span, by_key.get(token[:_KEY], ())) for token, span in _tokens(plain)]
    places |= {span for token, span, words in tokens if any(_is_form(token, word) for word in words)}
    if not places:
        places = {span for token, span, words in tokens if token.startswith(tuple(words))}
    return sorted(places)


def _tokens(plain: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """The words of scripts with spaces, and where they stand."""
    for found in re.finditer(r"[^\W_]+", plain):
        token, at = found[0], found.start()
        if token.isascii() or max(token) < _WIDE:
            yield token, (at, at + len(token))
            continue
        for part in "".join(" " if char >= _WIDE else char for char in token).split(" "):
            if part:
                yield part, (at, at + len(part))
            at += len(part) + 1


def _is_form(token: str, word: str) -> bool:
    """Whether two words are forms of one, by their English endings."""
    if token == word:
        return True
    letters = zip(token, word, strict=False)
    same = next((at for at, (one, other) in enumerate(letters) if one != other), min(len(token), len(word)))
    endings = _ENDINGS if same < _SAME else _LONG_ENDINGS
    return same >= _KEY and all(
        one[same:] in endings or (one[same] == one[same - 1] and one[same + 1 :] in endings)  # run, running
        for one in (token, word)
    )


def _unaccented(text: str) -> str:
    """``text`` letter by letter, small and without accents, as the index compares it; its length stays."""
    if text.isascii():
        return text.lower()
    return "".join(map(_bare, text))


def _bare(char: str) -> str:
    import unicodedata  # only texts beyond ASCII pay for it

    if _WIDE <= char < "\uff00":
        return char
    base = unicodedata.normalize("NFKD", char.lower())
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
            at for at in range(len(piece), room // 2, -1) if piece[at - 1] == " " or piece[at - 1] >= _WIDE
        )
        piece = piece[: next(ends, len(piece))]
    return ("…" if start > 0 else "") + piece.rstrip() + "…"

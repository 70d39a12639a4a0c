"""How the hits of a search look: what was found, the words that match, and how each part scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from gitmem.doors.cli.lines import entry, title_of
from gitmem.doors.cli.output import Line, Piece, one_line, width
from gitmem.index.filters import Filters
from gitmem.index.snippet import Hit, Marks, marks
from gitmem.memory.memory import short
from gitmem.memory.text import columns, noun, visible_line

if TYPE_CHECKING:
    from gitmem.flows.nearest import Nothing

_INDENT = "        "
_NARROW = 60  # columns below which a date and a project leave no room for a title
_BAR = 50  # columns for a score of 1, of which no part has more than two thirds
_WORDS, _WORD = 6, 30  # of a query, in a message, and the columns of each


def room() -> int:
    """How many columns a snippet takes: about two lines."""
    return max(20, 2 * (width() - len(_INDENT)) - 12)


def every(
    found: Sequence[Hit], query: str, meant: Mapping[str, Sequence[str]], *, explained: bool
) -> Iterator[Line]:
    """All hits; before them what was looked for instead when no memory has the words of the question."""
    if meant:
        instead = dict.fromkeys(hit.snippet[slice(*place)].lower() for hit in found for place in hit.marks)
        what = f"this has {_listed(list(instead))}" if instead else "this comes nearest in meaning"
        yield ("dim", f"No memory has {_any(list(meant))}; {what}.")
    for hit in found:
        yield from lines(hit, query, explained=explained)


def lines(hit: Hit, query: str, *, explained: bool) -> Iterator[Line]:
    """A hit: a line about the memory (two on a narrow screen), its snippet, and how it scored."""
    memory = hit.memory
    title, about = visible_line(title_of(memory)), _about(hit)
    head: list[Piece] = [("id", short(memory.id)), "  "]
    if width() < _NARROW:
        head += [("dim", f"{hit.relevance:.2f}"), "  "]
        shown = one_line(title, width() - 14)
        yield [*head, *marked(shown, marks(shown, query))]
        yield ("dim", _INDENT + one_line(f"{memory.created[:10]}  {about}", width() - len(_INDENT)))
    else:
        tail = one_line(about, 24)
        head += [("dim", memory.created[:10]), "  ", ("dim", f"{hit.relevance:.2f}"), "  "]
        shown = one_line(title, width() - 26 - (columns(tail) + 2 if tail else 0))
        yield [*head, *marked(shown, marks(shown, query)), *([("dim", f"  {tail}")] if tail else [])]
    if hit.snippet != shown:
        for begin, end in wrapped(hit.snippet, width() - len(_INDENT)):
            yield [_INDENT, *marked(hit.snippet, hit.marks, begin, end)]
    if explained:
        yield from _explained(hit)


def marked(text: str, places: Marks, begin: int = 0, end: int | None = None) -> list[Piece]:
    """``text[begin:end]`` in pieces, of which those at ``places`` stand out."""
    end = len(text) if end is None else end
    pieces: list[Piece] = []
    for place in places:
        first, last = max(place[0], begin), min(place[1], end)
        if first < last:
            pieces += [text[begin:first], ("hit", text[first:last])]
            begin = last
    return [piece for piece in (*pieces, text[begin:end]) if piece]


def wrapped(text: str, most: int) -> Iterator[tuple[int, int]]:
    """Where the lines of ``text`` begin and end when each takes at most ``most`` columns."""
    start = 0
    while start < len(text):
        end = _fitting(text, start, most)
        space = text.rfind(" ", start, end + 1) if end < len(text) else -1
        if space > start + (end - start) // 2:  # else a long word, or a script without spaces
            end = space
        yield start, end
        start = end
        while text[start : start + 1] == " ":
            start += 1


def _fitting(text: str, start: int, most: int) -> int:
    """The end of what fits into ``most`` columns from ``start`` on, at least one character."""
    if text.isascii():
        return min(len(text), start + most)
    end = start + 1
    taken = columns(text[start:end])
    while end < len(text) and (taken := taken + columns(text[end])) <= most:
        end += 1
    return end


def _about(hit: Hit) -> str:
    memory = hit.memory
    words = ("" if memory.trust == "self" else memory.trust, memory.project)
    return "  ".join(word for word in (*words, "" if memory.kind == "note" else memory.kind) if word)


def _explained(hit: Hit) -> Iterator[Line]:
    """The score as a table: each part, its number, and a bar as long for the same number in every hit."""
    wide = max([5, *(len(name) for name, _ in hit.parts)])
    bar = min(_BAR, round(1.5 * (width() - len(_INDENT) - wide - 9)))
    for name, value in (*hit.parts, ("score", hit.score)):
        bars = "" if name == "score" else "▪" * round(bar * value)
        yield ("dim", f"{_INDENT}{name:<{wide}} {value:6.3f}  {bars}".rstrip())


def nothing(reason: Nothing, filters: Filters, least: float) -> Iterator[Line]:
    """Why a search found nothing, in a line or two, and the nearest memory."""
    yield _why(reason, filters, least)
    if reason.nearest:
        yield entry(reason.nearest, title_of(reason.nearest))


def _why(reason: Nothing, filters: Filters, least: float) -> str:
    fit = f"{reason.fitting} {noun(reason.fitting)} {'fits' if reason.fitting == 1 else 'fit'}"
    if reason.fitting >= reason.most:
        fit = f"{reason.most} memories or more fit"
    if reason.why == "unknown" and not reason.words:
        return "No other memory is like it."
    if reason.why == "weak" and not reason.nearest:
        return "What fits cannot be opened; `gitmem doctor` says more."
    return {
        "inbox": f"In the inbox {fit}; --trust inbox takes it into a pack.",
        "empty": "This vault is empty. `gitmem write 'text'` remembers something.",
        "wordless": "There is no word in that to search for; signs and emoji are not indexed.",
        "weak": f"{fit}, but none with a relevance of {least:.2f}; the best has {reason.relevance:.2f}:",
        "outside": f"Nothing with {_options(filters)}; {fit} without. The best:",
        "hidden": f"Nothing that is still valid; with --all {fit}. The best:",
        "unknown": f"No memory has {_any(reason.words)}. Other words may help.",
    }[reason.why]


def _options(filters: Filters) -> str:
    """The options behind the filters that were set."""
    names = ("project", "kind", "since", "until", "trust", "session")
    given = [f"--{name}" for name in names if getattr(filters, name)]
    return " ".join([*given, "--tag"] if filters.tags else given)


def _any(words: Sequence[str]) -> str:
    return f"the word {_listed(words)}" if len(words) == 1 else f"any of the words {_listed(words)}"


def _listed(words: Sequence[str]) -> str:
    few = ", ".join(f"“{one_line(word, _WORD)}”" for word in words[:_WORDS])
    more = f" and {len(words) - _WORDS} more" if len(words) > _WORDS else ""
    return few + more

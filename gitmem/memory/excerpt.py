"""Parts of a text that read by themselves: never cut within a word, and code stays between its fences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

Span = tuple[int, int]  # where a part begins and ends, in characters

_GAP = "\n…\n"
_WHOLE_BLOCK = 1_200  # characters of code up to which a block is shown whole or not at all
_FENCES = r"(?ms)^ {0,3}(`{3,}|~{3,})[^\n]*$.*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)"
# What may be cut at, and from which share of the room on: rather a whole paragraph than three words more.
_ENDS = (("\n\n", 0.7), ("\n", 0.7), (". ", 0.8), ("。", 0.8), ("\n", 0.4), (" ", 0.0))


class _Block(NamedTuple):
    """Code between fences, both within ``begin`` and ``end``."""

    begin: int
    end: int
    fence: str


def beginning(text: str, longest: int) -> str:
    """The beginning of ``text`` in at most ``longest`` characters, with an ellipsis where it was cut.

    "" when not even its first word fits.
    """
    if len(text) <= longest:
        return text
    at = _last_end(text, max(0, longest - 1))
    for block in _blocks(text):
        if block.begin < at < block.end:
            if block.begin > longest // 2:
                return text[: block.begin].rstrip() + "…"
            at = text.rfind("\n", block.begin, max(0, longest - len(_GAP + block.fence)))
            inside = text.find("\n", block.begin) < at
            return text[:at] + _GAP + block.fence if inside else _ended(text[: block.begin])
    return _ended(text[:at])


def excerpt(text: str, spans: Sequence[Span], longest: int) -> str:
    """As many of ``spans`` (best first) as fit into ``longest`` characters, in the order of the text.

    An ellipsis stands where something is missing. "" when nothing fits.
    """
    blocks = _blocks(text)
    chosen: list[Span] = []
    shown = ""
    for span in spans:
        grown = _joined(text, [*chosen, _widened(text, span, blocks)])
        written = _written(text, grown, blocks)
        if len(written) <= longest:
            chosen, shown = grown, written
    if not chosen and spans:  # even the best one is longer than the room
        (whole,) = _joined(text, [_widened(text, spans[0], blocks)])
        shown = beginning(_written(text, [whole], blocks).rstrip("…\n"), longest)
    return shown


def _ended(text: str) -> str:
    return text.rstrip() + "…" if text.strip() else ""


def _last_end(text: str, room: int) -> int:
    """The last place to cut ``text`` at within its first ``room`` characters; 0 when there is none."""
    for mark, share in _ENDS:
        at = text.rfind(mark, 0, room)
        if at > share * room:
            return at + len(mark.rstrip())
    at = room
    while at > 0 and not (_is_wide(text[at]) or _is_wide(text[at - 1])):
        at -= 1
    return at


def _is_wide(char: str) -> bool:
    """Whether ``char`` is of a script without spaces, where a text may be cut anywhere."""
    return "\u3000" <= char <= "\u9fff" or "\u0e00" <= char <= "\u0eff" or "\u1000" <= char <= "\u109f"


def _blocks(text: str) -> list[_Block]:
    if "```" not in text and "~~~" not in text:
        return []
    return [_Block(found.start(), found.end(), found[1]) for found in re.finditer(_FENCES, text)]


def _widened(text: str, span: Span, blocks: Iterable[_Block]) -> Span:
    """``span`` without half words, and with the whole of a short block of code that it holds a part of."""
    begin, end = (min(place, len(text)) for place in span)
    for block in blocks:
        short = block.end - block.begin <= _WHOLE_BLOCK
        if block.begin < begin < block.end:
            begin = block.begin if short else text.rfind("\n", block.begin, begin) + 1
        if block.begin < end < block.end:
            end = block.end if short else text.rfind("\n", block.begin, end)
    if _splits(text, begin):
        begin = next((at for at in range(begin, end) if text[at].isspace()), end)
    if _splits(text, end):
        end = next((at for at in range(end, begin, -1) if text[at - 1].isspace()), begin)
    return begin, max(begin, end)


def _splits(text: str, at: int) -> bool:
    """Whether a cut at ``at`` goes through a word."""
    near = text[max(0, at - 1) : at + 1]
    return len(near) == 2 and not any(char.isspace() or _is_wide(char) for char in near)


def _joined(text: str, spans: Iterable[Span]) -> list[Span]:
    """The spans in order, and as one where nothing but white space lies between two."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and not text[found[-1][1] : begin].strip():
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def _written(text: str, spans: Sequence[Span], blocks: Sequence[_Block]) -> str:
    pieces = [_piece(text, span, blocks) for span in spans]
    before = "…\n" if text[: spans[0][0]].strip() else ""
    after = "\n…" if text[spans[-1][1] :].strip() else ""
    return before + _GAP.join(pieces) + after


def _piece(text: str, span: Span, blocks: Iterable[_Block]) -> str:
    """That part of the text; code that it begins or ends in gets a fence there."""
    begin, end = span
    opened = next((block.fence + "\n" for block in blocks if block.begin < begin < block.end), "")
    closed = next(("\n" + block.fence for block in blocks if block.begin < end < block.end), "")
    return opened + text[begin:end].strip("\n" if opened else None) + closed

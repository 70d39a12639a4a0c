"""A small, safe part of markdown as blocks of text: templates make the HTML, so no text ever becomes a tag.

Headings, lists, quotes, code and paragraphs; inside them code, bold, italics and web links. Anything else
stays as it is written. Every character of the text that is not such markup is in the result.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FENCE = re.compile(r" {0,3}(```+|~~~+)[^`]*$")
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*\S)")
_ITEM = re.compile(r"\s{0,8}(?:([-*+])|\d{1,9}[.)])[ \t]+(.*)$")
_QUOTE = re.compile(r" {0,3}> ?(.*)$")
_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`|\*\*(?P<strong>[^*\n]+)\*\*"
    r"|(?<![\w*])\*(?P<em>[^*\s](?:[^*\n]*[^*\s])?)\*(?![\w*])"
    r"|\[(?P<label>[^\[\]\n]+)\]\((?P<target>https?://[^\s()<>\"']+)\)"
)


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in a style: text, code, strong, em; a link, or one inside the site, with its target."""

    style: str
    text: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, paragraph, quote, code or list (``ul``, ``ol``): spans for each of its lines or items."""

    style: str
    lines: tuple[tuple[Span, ...], ...]


def blocks(text: str) -> list[Block]:
    """The blocks of a text, in order."""
    found: list[tuple[str, list[str]]] = []
    fence = ""
    for line in text.split("\n"):
        opening = _FENCE.match(line)
        if fence:
            if opening and line.strip() == fence:
                fence = ""
            else:
                found[-1][1].append(line)
        elif opening:
            fence = opening[1]
            found.append(("code", []))
        else:
            _add(found, line)
    return [_block(style, lines) for style, lines in found if lines]


def spans(text: str) -> tuple[Span, ...]:
    """A line as runs of text in their styles."""
    found: list[Span] = []
    at = 0
    for match in _INLINE.finditer(text):
        if match.start() > at:
            found.append(Span("text", text[at : match.start()]))
        if match["target"]:
            found.append(Span("link", match["label"], match["target"]))
        else:
            found.append(Span(str(match.lastgroup), match[str(match.lastgroup)]))
        at = match.end()
    return (*found, Span("text", text[at:])) if at < len(text) else tuple(found)


def _add(found: list[tuple[str, list[str]]], line: str) -> None:
    """Adds a line outside code to the block it continues, or begins one; an empty line ends a block."""
    style, text = _style(line)
    last = found[-1] if found else ("", [])
    if not line.strip():
        found.append(("gap", []))
    elif style == last[0] and style not in ("heading", "code"):
        last[1].append(text)
    elif style == "paragraph" and last[0] in ("ul", "ol") and line.startswith(" "):
        last[1][-1] += " " + text.strip()
    else:
        found.append((style, [text]))


def _style(line: str) -> tuple[str, str]:
    if match := _HEADING.match(line):
        return "heading", match[2].rstrip("#").rstrip() or match[2]
    if match := _ITEM.match(line):
        return ("ul" if match[1] else "ol"), match[2]
    if match := _QUOTE.match(line):
        return "quote", match[1]
    return "paragraph", line.rstrip()


def _block(style: str, lines: list[str]) -> Block:
    if style == "code":
        return Block(style, ((Span("text", "\n".join(lines)),),))
    return Block(style, tuple(spans(line) for line in lines))

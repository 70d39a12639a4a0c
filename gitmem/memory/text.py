"""Text as people see it: control characters made visible, titles, and whether two texts are the same."""

from __future__ import annotations

import re

from gitmem.hashing import sha256
from gitmem.memory.memory import Memory

TITLE_LENGTH = 80

# C0 but newline and tab, DEL, C1, line separators, bidi controls, invisible tag characters, lone surrogates.
_CONTROL = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_MARKUP = r"(?:#{1,6}|[-*+>]|\d{1,3}[.)])\s+|\[[ xX]\]\s+"
_EMPHASIS = r"\*\*|__|`|\[\[|\]\]"
_HEADING = r"(?m)^ {0,3}#{1,6}[ \t]+(\S.*)$"
_LONGEST = 1000  # characters of a line that can matter for a title,
_MOSTLY = 200  # and that mostly do
_FENCED = r"(?ms)^ {0,3}(```|~~~).*?(?:^ {0,3}\1|\Z)"


def visible(text: str) -> str:
    """``text`` with nothing that could command a terminal or hide: controls become pictures or ``<U+202E>``.

    Newlines and tabs stay; a carriage return before a newline is dropped.
    """
    if text.replace("\n", "").replace("\t", "").isprintable():  # spares most commands the pattern
        return text
    if re.search(_CONTROL, text) is None:
        return text
    return re.sub(_CONTROL, _picture, text.replace("\r\n", "\n"))


def visible_line(text: str) -> str:
    """The same on one line: every run of white space is one space."""
    return visible(" ".join(text.split()))


def derive_title(body: str) -> str:
    """A title for a text that has none: its first line with words, at most 80 characters, without markup."""
    for line in body.split("\n", 50)[:50]:
        title = _clean(line)
        if title and not title.startswith("~~~") and any(map(str.isalnum, title)):
            return shorten(title, TITLE_LENGTH)
    return ""


def first_heading(body: str) -> str:
    """The text of the first markdown heading outside code, or ``""``."""
    if "#" not in body:
        return ""
    match = re.search(_HEADING, re.sub(_FENCED, "", body))
    return shorten(_clean(match[1].rstrip("# \t\r")), TITLE_LENGTH) if match else ""


def shorten(text: str, length: int) -> str:
    """``text`` in at most ``length`` characters, cut at a word, with an ellipsis when it was cut."""
    if len(text) <= length:
        return text
    if length <= 1:
        return "…"[:length]
    cut = text[: length - 1]
    words, space, _ = cut.rpartition(" ")
    return (words if space and len(words) > length // 2 else cut).rstrip() + "…"


def columns(text: str) -> int:
    """How many columns of a terminal ``text`` takes: two for a wide character, none for a joined one."""
    if text.isascii():
        return len(text)
    import unicodedata  # a shared library that most texts never need

    wide, kind = unicodedata.east_asian_width, unicodedata.category
    return sum(
        1 if char < "\x7f" else 0 if kind(char) in ("Mn", "Me", "Cf") else 1 + (wide(char) in "WF")
        for char in text
    )


def noun(count: int) -> str:
    """The word for so many memories."""
    return "memory" if count == 1 else "memories"


def fingerprint(memory: Memory) -> bytes:
    """16 bytes that are equal for the same text: kind, project, title unless it is derived, body.

    Line ends, white space at line ends and around the text, and Unicode composition do not count.
    """
    title = "" if memory.title == derive_title(memory.body) else memory.title
    parts = (memory.kind, _normal(memory.project), _normal(title), _normal(memory.body))
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()[:16]


def _normal(text: str) -> str:
    if not text.isascii():
        import unicodedata  # a shared library that most texts never need

        text = unicodedata.normalize("NFC", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if " \n" in text or "\t\n" in text:
        text = "\n".join([line.rstrip() for line in text.split("\n")])
    return text.strip()


def _clean(line: str) -> str:
    if len(line) > _MOSTLY:
        clean = _cleaned(line[:_MOSTLY])
        # More would only follow: what was cut through, two characters of markup, is at its end.
        if len(clean) > TITLE_LENGTH + 4 and any(map(str.isalnum, clean)):
            return clean
    return _cleaned(line[:_LONGEST])


def _cleaned(line: str) -> str:
    line = " ".join(line.split())
    while not line[:1].isalpha() and (match := re.match(_MARKUP, line + " ")):
        line = line[match.end() :]
    if "*" in line or "_" in line or "`" in line or "[" in line or "]" in line:
        line = re.sub(_EMPHASIS, "", line)
    return (line if line.isprintable() else re.sub(_CONTROL, "", line)).strip()


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"<U+{code:04X}>"

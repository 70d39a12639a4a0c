"""What comes in from outside as a memory: of all that it claims only title, tags and text are taken."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from gitmem.errors import InvalidMemoryError

SEALED_MARK = "gitmem inbox v1"  # the line above sealed text in an issue's body
MAX_TEXT = 256 << 10  # bytes of what a sealed text may grow to
_MAX_TITLE = 256  # characters, as GitHub allows
_MAX_TAGS = 20
_MAX_TAG = 50  # characters
_ARMOR = "-----BEGIN AGE ENCRYPTED FILE-----"
_ARMOR_END = "-----END AGE ENCRYPTED FILE-----"
# The mark alone on its line; or before an age file whose line break was lost on the way.
_SEALED = rf"{SEALED_MARK}[ \t]*(?:\r?\n|\Z|(?<=[ \t])YWdlLWVuY3J5cHRpb24)|{_ARMOR}"
_HASHTAGS = r"#[^\s#]+(?:[ \t]+#[^\s#]+)*"
_BASE64URL = r"[A-Za-z0-9_-]+"
_ZLIB = b"\x78"
_UNREADABLE = "What came in cannot be read."
_KEPT = "It stays where it is."


class Letter(NamedTuple):
    """What is taken of a text from outside."""

    title: str
    tags: tuple[str, ...]
    text: str


def is_sealed(body: str) -> bool:
    """Whether an issue's body is sealed text: below the mark, or an armored age file."""
    return re.match(_SEALED, body.lstrip()) is not None


def sealed_part(body: str) -> bytes:
    """The age file in an issue's body: below the mark in base64url, or armored.

    Raises:
        InvalidMemoryError: it is not sealed, or what stands below the mark is not base64url.
    """
    text = body.replace("\r\n", "\n").strip()
    if text.startswith(_ARMOR):
        return (text.partition(_ARMOR_END)[0] + _ARMOR_END).encode("ascii", "replace")
    block = text.removeprefix(SEALED_MARK).lstrip().split("\n\n", 1)[0]
    packed = "".join(block.split())
    if not re.fullmatch(_BASE64URL, packed) or len(packed) % 4 == 1:
        raise InvalidMemoryError(_UNREADABLE, _KEPT)
    return base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))


def from_plain(title: str, body: str) -> Letter:
    """The letter in an issue that was written in clear: a last line of nothing but ``#words`` are its tags.

    Raises:
        InvalidMemoryError: it is too long.
    """
    text = _clean(body)
    before, _, last = text.rpartition("\n")
    if re.fullmatch(_HASHTAGS, last.strip()):
        return _letter(title, last.replace("#", " ").split(), before)
    return _letter(title, (), text)


def from_sealed(content: bytes) -> Letter:
    """The letter in an opened age file: JSON with title, tags and text, deflated or not; else all is text.

    Raises:
        InvalidMemoryError: broken, too long, or not text.
    """
    data = _inflated(content) if content[:1] == _ZLIB else content
    if len(data) > MAX_TEXT:
        raise InvalidMemoryError("What came in is too long.", _KEPT)
    try:
        text = data.decode()
    except UnicodeDecodeError:  # not chained: it carries the text
        raise InvalidMemoryError(_UNREADABLE, _KEPT) from None
    fields = _fields(text)
    if fields is None:
        return _letter("", (), _clean(text))
    tags = fields.get("tags")
    words = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    return _letter(_text(fields.get("title")), words, _clean(_text(fields.get("text"))))


def _inflated(content: bytes) -> bytes:
    machine = zlib.decompressobj()
    try:
        data = machine.decompress(content, MAX_TEXT + 1)  # never more, whatever it claims to hold
    except zlib.error:
        raise InvalidMemoryError(_UNREADABLE, _KEPT) from None
    if len(data) <= MAX_TEXT and not machine.eof:
        raise InvalidMemoryError(_UNREADABLE, _KEPT)
    return data


def _fields(text: str) -> dict[str, Any] | None:
    """The object that the page seals, or None when the text is something else."""
    if not text.startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and isinstance(value.get("text"), str) else None


def _letter(title: str, tags: Sequence[str], text: str) -> Letter:
    if len(text.encode("utf-8", "replace")) > MAX_TEXT:
        raise InvalidMemoryError("What came in is too long.", _KEPT)
    flat = " ".join(title.split())[:_MAX_TITLE]
    words = dict.fromkeys("-".join(tag.split())[:_MAX_TAG] for tag in tags[:_MAX_TAGS])
    text = text.strip("\n") if text.strip() else flat
    if not text:
        raise InvalidMemoryError("There is no text in what came in.", _KEPT)
    return Letter(flat, tuple(filter(None, words)), text)


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

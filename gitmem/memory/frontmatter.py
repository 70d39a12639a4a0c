"""Front matter of any shape, by PyYAML: the slow road of ``document`` and the road of importers.

Nothing is ever constructed: events become text, lists and dicts, so no YAML type can surprise. Anchors and
aliases (the stuff of YAML bombs), several documents, nesting beyond ``_DEPTH`` and more than ``_LIMIT``
characters are refused. What gitmem does not know is kept as the raw lines that it was written in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from gitmem.errors import InvalidMemoryError
from gitmem.memory.memory import FIELDS, LISTS, TIMES
from gitmem.memory.times import parse_time

Value = str | None | list[Any] | dict[str, Any]

_FENCE = "---"
_LIMIT = 1 << 16
_DEPTH = 32
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DOCUMENT_LINE = re.compile(r"^(?:---|\.\.\.|%)", re.MULTILINE)
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of the front matter, its value and the raw lines it came in; comments have the key ``""``."""

    key: str
    value: Value
    raw: str
    key_length: int = 0


@dataclass(slots=True)
class _Open:
    """A collection whose end has not been read yet."""

    items: list[Any]
    mapping: bool


def split(text: str) -> tuple[str | None, str]:
    """The front matter between the first two ``---`` lines (None when there is none) and the text after it.

    One empty line after the front matter belongs to neither; line ends in the front matter become newlines.
    """
    text = text.removeprefix("\ufeff")
    first, newline, rest = text.partition("\n")
    if first.rstrip(" \t\r") != _FENCE or not newline:
        return None, text
    at = 0
    while at < len(rest):
        end = rest.find("\n", at)
        end = len(rest) if end < 0 else end
        if rest.startswith(_FENCE, at) and rest[at:end].rstrip(" \t\r") == _FENCE:
            body = rest[end + 1 :]
            head = rest[:at].removesuffix("\n").removesuffix("\r").replace("\r\n", "\n")
            return head, body.removeprefix("\r\n" if body.startswith("\r") else "\n")
        at = end + 1
    return None, text


def read(text: str) -> dict[str, Any]:
    """The fields of a document, by name, as ``Memory`` takes them; foreign keys in ``extra``, raw.

    Raises:
        InvalidMemoryError: no front matter, not valid YAML, a field twice or of the wrong shape.
    """
    head, body = split(text)
    found = None if head is None else entries(head)
    if found is None:
        raise InvalidMemoryError("The document has no front matter between two lines of '---'.")
    fields: dict[str, Any] = {}
    extra: list[str] = []
    for entry in found:
        if entry.key not in FIELDS:
            extra.append(entry.raw)
        elif entry.key in fields:
            raise InvalidMemoryError(f"The front matter has the field '{entry.key}' twice.")
        elif entry.value is not None:
            fields[entry.key] = field_value(entry.key, entry.value)
    for name in ("id", "created"):
        if name not in fields:
            raise InvalidMemoryError(f"The front matter has no field '{name}'.")
    return {**fields, "extra": "\n".join(extra), "body": body.rstrip("\n")}


def check(extra: str) -> None:
    """See that ``extra`` is front matter of others: valid, no field of gitmem's, kept as it is by ``read``.

    Raises:
        InvalidMemoryError: it is not.
    """
    found = entries(extra) or []
    if any(entry.key in FIELDS for entry in found) or "\n".join(entry.raw for entry in found) != extra:
        raise InvalidMemoryError("The extra front matter must be YAML with keys that gitmem does not know.")


def entries(head: str) -> list[Entry] | None:
    """What stands in a front matter, in order; None when it is YAML but no mapping (so no front matter).

    Raises:
        InvalidMemoryError: not valid YAML, or of a kind that gitmem refuses.
    """
    if len(head) > _LIMIT:
        raise InvalidMemoryError(f"Front matter by hand may have {_LIMIT:,} characters; this one has more.")
    if _DOCUMENT_LINE.search(head):
        raise InvalidMemoryError("The front matter holds a YAML document marker or directive.")
    try:
        root, marks, flow = _compose(head)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidMemoryError("The front matter is not valid YAML.") from error
    if root is None:
        return _comments(head)
    if not isinstance(root, dict):
        return None
    return _flow_entries(head, marks) if flow else _block_entries(head, marks)


def field_value(key: str, value: Value) -> object:
    """A value of the front matter as the ``Memory`` field ``key`` takes it.

    Raises:
        InvalidMemoryError: the shape does not fit the field.
    """
    if key in LISTS:
        return _texts(key, value)
    if not isinstance(value, str):
        raise InvalidMemoryError(f"The field '{key}' must be one value.")
    if key in TIMES:
        return parse_time(value) if value else ""
    try:
        if key == "rev":
            return int(value)
        return float(value) if key == "importance" else _text_or_flag(key, value)
    except ValueError as error:
        raise InvalidMemoryError(f"The field '{key}' must be a number.") from error


def _text_or_flag(key: str, value: str) -> str | bool:
    if key != "share":
        return value
    if value.lower() not in ("true", "yes", "on", "false", "no", "off"):
        raise InvalidMemoryError("The field 'share' must be true or false.")
    return value.lower() in ("true", "yes", "on")


def _texts(key: str, value: Value) -> tuple[str, ...]:
    if isinstance(value, str):
        # A hand-written `tags: one, two` means two tags; other lists may hold commas.
        parts = value.split(",") if key == "tags" else [value]
        return tuple(part.strip() for part in parts if part.strip())
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidMemoryError(f"The field '{key}' must be a list of words.")
    return tuple(value)


@dataclass(slots=True)
class _Reading:
    """How far a YAML text has been read: open collections, and where the root's keys and values stand."""

    stack: list[_Open]
    keys: list[tuple[int, int]]
    marks: list[_Mark]
    flow: bool = False


_Mark = tuple[str, Any, int, int, int]  # key, value, start of the key, end of the key, end of the value


def _compose(head: str) -> tuple[Value, list[_Mark], bool]:
    """The value of a YAML text, where the root's keys stand, and whether the root is in flow style."""
    reading = _Reading([_Open([], mapping=False)], [], [])
    for event in yaml.parse(head, Loader=_LOADER):
        _take(event, reading)
    found = reading.stack[0].items
    return (found[0] if found else None), reading.marks, reading.flow


def _take(event: Any, reading: _Reading) -> None:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        raise InvalidMemoryError("The front matter uses YAML anchors or aliases; gitmem does not read those.")
    stack = reading.stack
    if isinstance(event, yaml.CollectionStartEvent):
        if len(stack) == 1:
            reading.flow = bool(event.flow_style)
        if len(stack) > _DEPTH:
            raise InvalidMemoryError("The front matter is nested too deeply.")
        stack.append(_Open([], isinstance(event, yaml.MappingStartEvent)))
        return
    if isinstance(event, yaml.ScalarEvent):
        event.value.encode()  # the Python loader lets escaped surrogates through
        stack[-1].items.append(None if not event.style and event.value in _NULLS else event.value)
    elif isinstance(event, yaml.CollectionEndEvent):
        value = _close(stack.pop())
        stack[-1].items.append(value)
    else:
        return
    if len(stack) == 2 and stack[1].mapping:
        _mark(event, reading)


def _mark(event: Any, reading: _Reading) -> None:
    items, start, end = reading.stack[1].items, event.start_mark, event.end_mark
    if len(items) % 2 == 0:
        reading.marks.append((items[-2] or "", items[-1], *reading.keys[-1], end.index))
        return
    if not isinstance(event, yaml.ScalarEvent) or end.line != start.line:
        raise InvalidMemoryError("The front matter has a key that is not one word or line.")
    reading.keys.append((start.index, end.index))


def _close(collection: _Open) -> Value:
    items = collection.items
    if not collection.mapping:
        return items
    pairs = zip(items[::2], items[1::2], strict=True)
    return {key if isinstance(key, str) else "" if key is None else repr(key): value for key, value in pairs}


def _block_entries(head: str, marks: list[_Mark]) -> list[Entry]:
    found = _comments(head[: marks[0][2]].removesuffix("\n")) if marks else []
    ends = [mark[2] for mark in marks[1:]] + [len(head)]
    for number, ((key, value, start, key_end, _), end) in enumerate(zip(marks, ends, strict=True)):
        if start and head[start - 1] != "\n":
            raise InvalidMemoryError("The front matter must have its keys at the start of a line.")
        raw = head[start:end] if number == len(marks) - 1 else head[start:end].removesuffix("\n")
        if key in FIELDS:
            used = _without_comments(raw)
            found.append(Entry(key, value, used, key_end - start))
            found += _comments(raw[len(used) :].removeprefix("\n"))
        else:
            found.append(Entry(key, value, raw, key_end - start))
    return found


def _flow_entries(head: str, marks: list[_Mark]) -> list[Entry]:
    # A front matter like {a: 1, b: 2} has no lines to keep: each foreign key gets one of its own.
    found = []
    for key, value, start, key_end, end in marks:
        separator = head[key_end:end].lstrip()
        written = separator[1:].strip().replace("\n", "\n  ") if separator.startswith(":") else ""
        found.append(Entry(key, value, f"{head[start:key_end]}: {written}".rstrip(), key_end - start))
    return found


def _without_comments(raw: str) -> str:
    lines = raw.split("\n")
    while len(lines) > 1 and (not lines[-1].strip() or lines[-1].startswith("#")):
        lines.pop()
    return "\n".join(lines)


def _comments(between: str) -> list[Entry]:
    lines = between.split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    text = "\n".join(lines)
    return [Entry("", None, text)] if text else []

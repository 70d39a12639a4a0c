"""One markdown note to one memory: what of a foreign front matter fits, what is kept, tags and links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from gitmem.errors import InvalidMemoryError
from gitmem.flows.importers.found import Options
from gitmem.memory import ids
from gitmem.memory.document import load
from gitmem.memory.frontmatter import Entry, entries, split
from gitmem.memory.memory import FIELDS, KINDS, Memory, is_id
from gitmem.memory.text import derive_title, first_heading
from gitmem.memory.times import parse_time, to_unix_ms

_CREATED = ("created", "date created", "created_at", "creation_date", "date")
_TAGS = ("tags", "tag", "keywords")
_CODE = re.compile(r"^ {0,3}(```|~~~).*?(?:^ {0,3}\1|\Z)|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_TAG = re.compile(r"(?:^|(?<=[\s(,;]))#([\w/-]*[^\W\d][\w/-]*)")
_LINK = re.compile(r"(?<!!)\[\[([^\[\]|#^\n]{1,200})(?:[#^][^\[\]|\n]*)?(?:\|[^\[\]\n]*)?\]\]")


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of a note besides its text; ``project`` and ``time`` serve where the text has none."""

    name: str
    source: str
    stem: str
    project: str
    time: str


def memory_of(text: str, note: Note, options: Options) -> tuple[Memory, bool]:
    """The memory that a note makes, and whether it is an export of gitmem, which names its own id.

    Of a foreign front matter, title, tags, kind, project, importance, dates, links, topics and files are
    taken where they fit; an id, trust, the mark to share and the like are not. All the rest stays as it was
    written, under ``original-…`` where the key is one of gitmem's.

    Raises:
        InvalidMemoryError: the front matter is broken, or an export is damaged.
    """
    own = _exported(text)
    if own is not None:
        return own, True
    head, body = split(text)
    found = None if head is None else entries(head)
    if found is None:
        found, body = [], text
    values = {entry.key.lower(): entry.value for entry in found}
    identifier = values.get("id")
    if isinstance(identifier, str) and is_id(identifier):
        return load(text.encode()), True
    fields = _fitting(values)
    if options.project:
        fields.pop("project", None)
    extra = "\n".join(_kept(entry) for entry in found if entry.key not in fields)
    fields = _completed(fields, values, body.strip("\r\n"), note)
    fields["project"] = options.project or fields["project"]
    fields["tags"] = _unique([*options.tags, *fields["tags"]])
    made = ids.new_id(to_unix_ms(fields["created"]))
    return Memory(**fields, id=made, extra=extra, source=note.source, trust="import"), False


def _exported(text: str) -> Memory | None:
    """An export as gitmem wrote it, read without PyYAML."""
    try:
        return load(text.encode()) if text.startswith("---\nid: ") else None
    except InvalidMemoryError:
        return None


def _completed(fields: dict[str, Any], values: dict[str, Any], body: str, note: Note) -> dict[str, Any]:
    plain = _CODE.sub(" ", body)
    words = [word for key in _TAGS for word in _texts(values.get(key)) or ()]
    dates = (_time(values.get(key)) for key in _CREATED)
    return {
        "project": note.project,
        "created": next(filter(None, dates), note.time),
        "title": first_heading(body) or note.stem or derive_title(body),
        **fields,
        "body": body,
        "tags": _unique([word.lstrip("#") for word in words] + _TAG.findall(plain)),
        "links": _unique([*fields.get("links", ()), *map(str.strip, _LINK.findall(plain))]),
    }


def _kept(entry: Entry) -> str:
    return f"original-{entry.key}{entry.raw[entry.key_length :]}" if entry.key in FIELDS else entry.raw


def _fitting(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a foreign front matter that mean the same as gitmem's field of that name."""
    read = {
        **dict.fromkeys(("title", "project"), _line),
        **dict.fromkeys(("created", "updated", "expires"), _time),
        **dict.fromkeys(("tags", "links", "topics", "files"), _texts),
        "kind": lambda value: value if value in KINDS else None,
        "importance": _importance,
    }
    fields = {key: reader(values[key]) for key, reader in read.items() if key in values}
    return {key: value for key, value in fields.items() if value not in (None, "")}


def _line(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _importance(value: Any) -> float | None:
    try:
        number = float(value) if isinstance(value, str) else -1.0
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None


def _time(value: Any) -> str:
    try:
        return parse_time(value) if isinstance(value, str) else ""
    except InvalidMemoryError:
        return ""


def _texts(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, str):
        # Obsidian takes `tags: one, two` and `tags: #one #two` for two tags.
        parts = re.split(r"[,\s]+" if "#" in value else ",", value)
        return tuple(filter(None, map(str.strip, parts)))
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return None


def _unique(words: list[str]) -> tuple[str, ...]:
    """Each word once, as it was first written: Obsidian's tags and links know no case."""
    first: dict[str, str] = {}
    for word in filter(None, words):
        first.setdefault(word.casefold(), word)
    return tuple(first.values())

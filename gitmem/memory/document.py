"""A memory as text: YAML front matter and a markdown body, written and read without a YAML library.

``dump`` writes one line per field in the part of YAML that is also easy to read by hand: plain words, JSON
strings, lists of either. ``load`` reads exactly that part itself, because an index rebuild opens tens of
thousands of documents; anything else that is valid YAML goes to ``frontmatter``, which uses PyYAML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from gitmem.errors import InvalidMemoryError
from gitmem.memory.memory import FIELDS, LISTS, MAX_BYTES, MAX_REV, Memory, is_id, is_time

# Words that a YAML 1.1 or 1.2 reader takes for something else than text.
_RESERVED = frozenset(("y", "n", "yes", "no", "true", "false", "on", "off", "null"))
# Text that every YAML reader takes for that text: it starts with a letter, so it is never a number.
_PLAIN = re.compile(r"[^\W\d_](?:[\w .,/+()'@%&;!?-]*[\w.,/+()'@%&;!?-])?")
_PLAIN_ITEM = r"[^\W\d_][\w./+@-]*"
# Characters that YAML does not allow or takes for a line break; inside a JSON string they are escaped.
_SPECIAL = "[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]"
# JSON joins two escaped surrogates to one character, YAML does not.
_SURROGATE = r"(?<!\\)(?:\\\\)*\\u[dD]"
_FLOAT = r"(?a)[01]\.\d+(?:e-\d+)?|\d\.\d+e-\d+"
_REV = r"(?a)[1-9]\d{0,9}"
# Foreign front matter that is certainly valid YAML: simple keys with one plain value or a list of them.
_WORD = r"(?!(?:---|\.\.\.))[\w./][\w ./+()@%-]*"
_ENTRY = rf"[A-Za-z_][\w-]*:(?: {_WORD}|(?:\n  - {_WORD})+|(?:\n- {_WORD})+)?"
_SIMPLE_EXTRA = rf"(?a){_ENTRY}(?:\n{_ENTRY})*"
_EXTRA_KEY = r"(?am)^([A-Za-z_][\w-]*):"


def dump(memory: Memory) -> bytes:
    """The document of ``memory``: UTF-8, front matter of what is set, the body, one newline.

    Raises:
        InvalidMemoryError: lone surrogates, more than ``MAX_BYTES``, or ``extra`` that is no front matter.
    """
    lines = ["---"]
    for name, write in _WRITE.items():
        value = getattr(memory, name)
        if value != UNSET.get(name, ""):
            lines.append(f"{name}: {write(value)}")
    if memory.extra:
        _check_extra(memory.extra)
        lines.append(memory.extra)
    lines += ["---", "", memory.body, ""]
    try:
        data = "\n".join(lines).encode()
    except UnicodeEncodeError as error:
        raise InvalidMemoryError("The text holds half of a character (a lone surrogate).") from error
    if len(data) > MAX_BYTES:
        raise InvalidMemoryError(f"A memory may have {MAX_BYTES:,} bytes; this one has {len(data):,}.")
    return data


def load(data: bytes) -> Memory:
    """The memory in a document; newlines at its end are padding.

    A document that does not say its trust has the trust ``import``: nobody can vouch for where it came from.

    Raises:
        InvalidMemoryError: not UTF-8, too long, no front matter, or fields that make no memory.
    """
    if len(data) > MAX_BYTES and len(data.rstrip(b"\n")) >= MAX_BYTES:
        raise InvalidMemoryError(f"A memory may have {MAX_BYTES:,} bytes; this one has more.")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InvalidMemoryError("The document is not UTF-8 text.") from error
    fields = _read_strictly(text)
    if fields is None:
        from gitmem.memory.frontmatter import read  # brings PyYAML, which the strict form never needs

        fields = read(text)
    fields.setdefault("trust", "import")
    return Memory(**fields)


def parse_foreign(text: str) -> tuple[dict[str, object], str]:
    """Front matter of any markdown as plain values (text, None, lists, dicts), and the body after it.

    Without front matter the values are empty and the body is the whole text.

    Raises:
        InvalidMemoryError: the front matter is not valid YAML, or has what ``frontmatter`` refuses.
    """
    from gitmem.memory.frontmatter import entries, split  # brings PyYAML

    head, body = split(text)
    if head is None:
        return {}, body
    found = entries(head)
    if found is None:
        return {}, text
    return {entry.key: entry.value for entry in found if entry.key}, body


def quote(text: str) -> str:
    """``text`` as a JSON string that is also a YAML double-quoted scalar on one line."""
    quoted = json.dumps(text, ensure_ascii=False)
    if quoted.isascii() and "\x7f" not in quoted:
        return quoted
    return re.sub(_SPECIAL, lambda match: f"\\u{ord(match[0]):04x}", quoted)


def _write_text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    return quote(text)


def _write_id(text: str) -> str:
    # Digits alone, or with one E, are a number to some reader.
    return text if text.strip("0123456789E") else quote(text)


def _write_list(items: tuple[str, ...]) -> str:
    if all(re.fullmatch(_PLAIN_ITEM, item) and item.lower() not in _RESERVED for item in items):
        return f"[{', '.join(items)}]"
    return f"[{', '.join(map(quote, items))}]"


def _write_number(number: float) -> str:
    text = repr(float(number))
    # YAML 1.1 takes 1e-05 for text: its numbers need a point.
    return text if "." in text else text.replace("e", ".0e")


def _check_extra(extra: str) -> None:
    if _simple_extra(extra):
        return
    from gitmem.memory.frontmatter import check  # brings PyYAML

    check(extra)


def _simple_extra(extra: str) -> bool:
    if not re.fullmatch(_SIMPLE_EXTRA, extra):
        return False
    return not any(match[1] in FIELDS for match in re.finditer(_EXTRA_KEY, extra))


def _read_strictly(text: str) -> dict[str, Any] | None:
    """The fields of a document in the form that ``dump`` writes; None when it needs a YAML reader."""
    end = text.find("\n---\n", 3)
    if end < 4 or not text.startswith("---\n"):
        return None
    head = text[4:end]
    bare = head.replace("\n", "")
    if not bare.isprintable() and re.search(_SPECIAL, bare):
        return None
    fields: dict[str, Any] = {}
    at = 0
    for line in head.split("\n"):
        key, _, written = line.partition(": ")
        read = _READ.get(key)
        if read is None:
            if not _simple_extra(head[at:]):
                return None
            fields["extra"] = head[at:]
            break
        value = read(written)
        if value is None or key in fields:
            return None
        fields[key] = value
        at += len(line) + 1
    if "id" not in fields or "created" not in fields:
        return None
    start = end + 6 if text.startswith("\n", end + 5) else end + 5
    fields["body"] = text[start:].rstrip("\n")
    return fields


def _read_text(written: str) -> str | None:
    if written[:1] == '"':
        return _read_quoted(written)
    if _PLAIN.fullmatch(written) and written.lower() not in _RESERVED:
        return written
    return None


def _read_quoted(written: str) -> str | None:
    if written.find('"', 1) == len(written) - 1 and "\\" not in written and written.isprintable():
        return written[1:-1]
    try:
        value = json.loads(written)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, str) and not re.search(_SURROGATE, written) else None


def _read_id(written: str) -> str | None:
    value = written.strip('"')
    return value if is_id(value) and _write_id(value) == written else None


def _read_time(written: str) -> str | None:
    value = written[1:-1]
    return value if is_time(value) and written == f'"{value}"' else None


def _read_list(written: str) -> tuple[str, ...] | None:
    if written[:1] != "[" or written[-1:] != "]":
        return None
    if '"' in written:
        return _read_quoted_list(written)
    items = tuple(written[1:-1].split(", "))
    for item in items:
        if not re.fullmatch(_PLAIN_ITEM, item) or item.lower() in _RESERVED:
            return None
    return items


def _read_quoted_list(written: str) -> tuple[str, ...] | None:
    try:
        items = json.loads(written)
    except (ValueError, RecursionError):
        return None
    if re.search(_SURROGATE, written) or not all(isinstance(item, str) for item in items):
        return None
    return tuple(items)


def _read_number(written: str) -> float | None:
    return float(written) if re.fullmatch(_FLOAT, written) else None


def _read_rev(written: str) -> int | None:
    return int(written) if re.fullmatch(_REV, written) and int(written) <= MAX_REV else None


def _read_flag(written: str) -> bool | None:
    return {"true": True, "false": False}.get(written)


_TEXT, _LIST = (_write_text, _read_text), (_write_list, _read_list)
_TIME = (quote, _read_time)
_FORMS: dict[str, tuple[Callable[[Any], str], Callable[[str], object]]] = {
    "id": (_write_id, _read_id),
    "title": _TEXT,
    "kind": _TEXT,
    "created": _TIME,
    "updated": _TIME,
    "rev": (str, _read_rev),
    "tags": _LIST,
    "project": _TEXT,
    "session": _TEXT,
    "source": _TEXT,
    "trust": _TEXT,
    "importance": (_write_number, _read_number),
    "expires": _TIME,
    "share": (lambda share: "true" if share else "false", _read_flag),
    "sources": _LIST,
    "supersedes": _LIST,
    "links": _LIST,
    "topics": _LIST,
    "files": _LIST,
    "path": _TEXT,
}
_WRITE = {name: write for name, (write, _) in _FORMS.items()}
_READ = {name: read for name, (_, read) in _FORMS.items()}
# What a field holds when it is not set, where that is not "". Trust is always written, so that losing the
# line never raises it.
UNSET: dict[str, object] = {
    "kind": "note",
    "rev": 1,
    "importance": None,
    "share": False,
    **dict.fromkeys(LISTS, ()),
}

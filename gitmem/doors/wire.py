"""The one JSON shape of everything that gitmem answers: --json, MCP and HTTP give the same objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from gitmem.errors import GitmemError
from gitmem.memory.memory import Memory, short

Json = dict[str, object]
_ALWAYS = ("id", "title", "kind", "created", "trust", "body")  # present even when empty


def memory(value: Memory) -> Json:
    """A memory: only what is set, plus ``short_id``; ``extra`` is its foreign front matter, as text."""
    shape: Json = {"id": value.id, "short_id": short(value.id)}
    for field in fields(value):
        content = getattr(value, field.name)
        unset = content is None or content is False or content in ("", ())
        if not unset or field.name in _ALWAYS:
            shape[field.name] = list(content) if isinstance(content, tuple) else content
    return shape


def memories(values: Iterable[Memory]) -> Json:
    """Several memories: ``{"memories": […]}``."""
    return {"memories": [memory(value) for value in values]}


def slots(value: object) -> Json:
    """Any other frozen value by its field names, nested values and tuples included."""
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}  # type: ignore[arg-type]


def _plain(value: object) -> object:
    if isinstance(value, Memory):
        return memory(value)
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return slots(value)
    return value


def row(value: object) -> Json:
    """A line of a list: the front matter that the index holds, with ``short_id``."""
    shape = slots(value)
    memory_id = str(shape.pop("id"))
    return {"id": memory_id, "short_id": short(memory_id), **shape}


def error(value: GitmemError) -> Json:
    """A failure: kind, message, hint and the exit code that the command line ends with."""
    return failure(type(value).__name__, value.message, value.hint, value.exit_code)


def failure(kind: str, message: str, hint: str, exit_code: int) -> Json:
    """A failure from its parts."""
    return {"error": {"kind": kind, "message": message, "hint": hint, "exit_code": exit_code}}

"""The one JSON shape of everything that gitmem answers: --json, MCP and HTTP give the same objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gitmem.errors import GitmemError
from gitmem.memory.memory import Memory, short

if TYPE_CHECKING:
    from gitmem.flows.nearest import Nothing
    from gitmem.index.snippet import Hit

Json = dict[str, object]
DIGITS = 4  # of a relevance
_ALWAYS = ("id", "title", "kind", "created", "trust", "body")  # present even when empty


def memory(value: Memory) -> Json:
    """A memory: only what is set, plus ``short_id``; ``extra`` is its foreign front matter, as text."""
    shape: Json = {"id": value.id, "short_id": short(value.id)}
    for name, content in zip(value._fields, value, strict=True):
        unset = content is None or content is False or content in ("", ())
        if not unset or name in _ALWAYS:
            shape[name] = list(content) if isinstance(content, tuple) else content
    return shape


def memories(values: Iterable[Memory]) -> Json:
    """Several memories: ``{"memories": […]}``."""
    return {"memories": [memory(value) for value in values]}


def hit(value: Hit, *, explained: bool = False) -> Json:
    """A hit of a search: the memory, and how and where it fits.

    ``matches`` are where words of the query begin and end in ``snippet``, ``passage`` where the best passage
    does in ``body``, all in characters. ``parts``, when ``explained``, is what the score is made of.
    """
    shape: Json = {
        **memory(value.memory),
        "score": round(value.score, 6),
        "relevance": round(value.relevance, DIGITS),
        "snippet": value.snippet,
        "matches": [list(place) for place in value.marks],
        "passage": [value.start, value.end],
    }
    return {**shape, "parts": {name: round(part, 6) for name, part in value.parts}} if explained else shape


def nothing(value: Nothing) -> Json:
    """Why a search found nothing, and the nearest memory (null when there is none)."""
    shape: Json = {**value._asdict(), "words": list(value.words)}
    return {**shape, "nearest": memory(value.nearest) if value.nearest else None}


def slots(value: object) -> Json:
    """Any other frozen value by its field names, nested values and tuples included."""
    return {name: _plain(getattr(value, name)) for name in _names(value)}


def _names(value: object) -> Iterable[str]:
    """The fields of a dataclass or named tuple; none of any other value."""
    names: Iterable[str] = getattr(value, "__dataclass_fields__", getattr(value, "_fields", ()))
    return names


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

"""What a memory is: one frozen value, valid or never made."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from gitmem.errors import InvalidMemoryError

KINDS = ("note", "decision", "convention", "pattern", "task", "fact", "summary", "file")
TRUSTS = ("self", "assistant", "import", "inbox")  # best first
MAX_BYTES = 1 << 20  # one document, UTF-8, front matter included
SHORT = 6  # a ULID begins with the clock, so its end is what tells ids apart
MAX_REV = (1 << 31) - 1

_TIME = re.compile(
    r"(?!0000)\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|[12]\d))"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ",
    re.ASCII,
)
_ID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """One thing remembered.

    Times are UTC in the form ``2026-11-20T07:00:00Z``, so text order is time order. ``body`` never ends in
    a newline (they are taken off): trailing newlines are padding in the sealed form. ``extra`` is the front
    matter that gitmem does not know, as raw YAML lines, kept as they came.

    Raises:
        InvalidMemoryError: a field is outside its bounds.
    """

    id: str
    body: str
    title: str = ""
    kind: str = "note"
    created: str
    updated: str = ""
    rev: int = 1
    tags: tuple[str, ...] = ()
    project: str = ""
    session: str = ""
    source: str = ""
    trust: str = "self"
    importance: float | None = None
    expires: str = ""
    share: bool = False
    sources: tuple[str, ...] = ()
    supersedes: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    path: str = ""
    extra: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not is_id(self.id):
            raise InvalidMemoryError("A memory's id must be a ULID of 26 characters.")
        if self.kind not in KINDS:
            raise InvalidMemoryError(f"Unknown kind of memory; use one of {', '.join(KINDS)}.")
        if self.trust not in TRUSTS:
            raise InvalidMemoryError(f"Unknown trust; use one of {', '.join(TRUSTS)}.")
        if self.importance is not None and not 0 <= self.importance <= 1:
            raise InvalidMemoryError("Importance must lie between 0 and 1.")
        if not 1 <= self.rev <= MAX_REV:
            raise InvalidMemoryError(f"A memory's rev must lie between 1 and {MAX_REV}.")
        _check_times(self)
        if self.body.endswith("\n"):
            object.__setattr__(self, "body", self.body.rstrip("\n"))
        if not self.body.strip() and not self.title.strip():
            raise InvalidMemoryError("A memory needs some text.")


def _check_times(memory: Memory) -> None:
    if not is_time(memory.created):
        raise InvalidMemoryError("A memory needs the time it was created, like 2026-11-20T07:00:00Z.")
    if any(when and not is_time(when) for when in (memory.updated, memory.expires)):
        raise InvalidMemoryError("A time must be a real one and look like 2026-11-20T07:00:00Z.")


def superseded(memories: Collection[Memory]) -> set[str]:
    """The ids that another of these memories, which must be all of the vault, takes the place of.

    Two devices can merge the same two memories at once, one this way and one that way. Both would be gone;
    so of two that replace each other the one with the earlier id stays.
    """
    takes = {(memory.id, old) for memory in memories for old in memory.supersedes if old != memory.id}
    return {old for new, old in takes if new < old or (old, new) not in takes}


def is_id(text: str) -> bool:
    """Whether ``text`` is a full memory id: a ULID in upper-case Crockford base 32."""
    return _ID.fullmatch(text) is not None


FIELDS = frozenset(Memory.__dataclass_fields__) - {"body", "extra"}  # what gitmem's own front matter may hold
LISTS = ("tags", "sources", "supersedes", "links", "topics", "files")  # the fields that hold several words,
TIMES = ("created", "updated", "expires")  # and those that hold a time


def is_time(text: str) -> bool:
    """Whether ``text`` is a time that exists, in UTC, written like ``2026-11-20T07:00:00Z``."""
    if _TIME.fullmatch(text) is None:
        return False
    year = int(text[:4]) if text[5:10] == "02-29" else 4
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def short(memory_id: str) -> str:
    """The form of an id that people see and type: its last six characters."""
    return memory_id[-SHORT:]

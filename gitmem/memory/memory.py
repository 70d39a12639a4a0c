"""What a memory is: one frozen value, valid or never made."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from gitmem.errors import InvalidMemoryError

if TYPE_CHECKING:
    from dataclasses import Field

KINDS = ("note", "decision", "convention", "pattern", "task", "fact", "summary", "file")
TRUSTS = ("self", "assistant", "import", "inbox")  # best first
MAX_BYTES = 1 << 20  # one document, UTF-8, front matter included
SHORT = 6  # a ULID begins with the clock, so its end is what tells ids apart
MAX_REV = (1 << 31) - 1

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32
_DAYS = ("31", "29", "31", "30", "31", "30", "31", "31", "30", "31", "30", "31")


class _Fields(NamedTuple):
    id: str
    body: str
    title: str = ""
    kind: str = "note"
    created: str = ""  # never left out: see _check
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
    extra: str = ""


class _Described:
    """What ``dataclasses.replace`` and ``fields`` ask of a value, made when they ask."""

    def __get__(self, _: object, owner: type[Memory]) -> dict[str, Field[Any]]:
        import dataclasses  # 1 ms of every start, for the few who change a memory

        as_dataclass: Any = dataclasses.make_dataclass("Memory", Memory._fields)
        owner.__dataclass_fields__ = as_dataclass.__dataclass_fields__  # from now on without this detour
        return owner.__dataclass_fields__


class Memory(_Fields):
    """One thing remembered.

    Times are UTC in the form ``2026-11-20T07:00:00Z``, so text order is time order. ``body`` never ends in
    a newline (they are taken off): trailing newlines are padding in the sealed form. ``extra`` is the front
    matter that gitmem does not know, as raw YAML lines, kept as they came. A dataclass to whoever asks, and a
    tuple because a dataclass of this size costs 4 ms of every start.

    Raises:
        InvalidMemoryError: a field is outside its bounds.
    """

    __slots__ = ()
    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    else:
        __dataclass_fields__ = _Described()

        def __new__(cls, *values: object, **fields: object) -> Self:
            memory = super().__new__(cls, *values, **fields)
            _check(memory)
            if memory.body.endswith("\n"):
                memory = super()._replace(memory, body=memory.body.rstrip("\n"))
            return memory

        def _replace(self, **fields: object) -> Self:
            return type(self)(**{**self._asdict(), **fields})


def _check(memory: Memory) -> None:
    if not is_id(memory.id):
        raise InvalidMemoryError("A memory's id must be a ULID of 26 characters.")
    if memory.kind not in KINDS:
        raise InvalidMemoryError(f"Unknown kind of memory; use one of {', '.join(KINDS)}.")
    if memory.trust not in TRUSTS:
        raise InvalidMemoryError(f"Unknown trust; use one of {', '.join(TRUSTS)}.")
    if memory.importance is not None and not 0 <= memory.importance <= 1:
        raise InvalidMemoryError("Importance must lie between 0 and 1.")
    if not 1 <= memory.rev <= MAX_REV:
        raise InvalidMemoryError(f"A memory's rev must lie between 1 and {MAX_REV}.")
    _check_times(memory)
    if not memory.body.strip() and not memory.title.strip():
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


@lru_cache(16)  # reading a document asks twice
def is_id(text: str) -> bool:
    """Whether ``text`` is a full memory id: a ULID in upper-case Crockford base 32."""
    return len(text) == 26 and text[0] in _ALPHABET[:8] and not text.strip(_ALPHABET)


FIELDS = frozenset(Memory._fields) - {"body", "extra"}  # what gitmem's own front matter may hold
LISTS = ("tags", "sources", "supersedes", "links", "topics", "files")  # the fields that hold several words,
TIMES = ("created", "updated", "expires")  # and those that hold a time


@lru_cache(16)
def is_time(text: str) -> bool:
    """Whether ``text`` is a time that exists, in UTC, written like ``2026-11-20T07:00:00Z``."""
    if len(text) != 20 or text[4::3] != "--T::Z":
        return False
    year, month, day = text[:4], text[5:7], text[8:10]
    clock = (text[11:13], text[14:16], text[17:19])
    digits = "".join((year, month, day, *clock))
    if not (digits.isascii() and digits.isdigit()) or year == "0000" or not "01" <= month <= "12":
        return False
    if not "01" <= day <= _DAYS[int(month) - 1] or clock[0] > "23" or clock[1] > "59" or clock[2] > "59":
        return False
    return (month, day) != ("02", "29") or _leaps(int(year))


def _leaps(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def short(memory_id: str) -> str:
    """The form of an id that people see and type: its last six characters."""
    return memory_id[-SHORT:]

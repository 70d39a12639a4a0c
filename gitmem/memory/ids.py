"""ULIDs, and the one path that an id has in the repository."""

from __future__ import annotations

import os
import time

from gitmem.errors import InvalidMemoryError
from gitmem.memory.memory import is_id

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U
_DIGITS = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")  # what int() reads in base 32
SUFFIX = ".md.age"


def new_id(unix_ms: int, tail: bytes = b"") -> str:
    """A fresh id for that time: 48 bits of milliseconds, 80 random bits (github.com/ulid/spec).

    With the ten bytes ``tail`` in place of random ones it is the same id each time.
    """
    number = unix_ms << 80 | int.from_bytes(tail or os.urandom(10), "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -5, -5))


def unix_ms(memory_id: str) -> int:
    """The time inside an id, in milliseconds since 1970."""
    return int(memory_id[:10].translate(_DIGITS), 32)


def path_of(memory_id: str) -> str:
    """Where that memory lies: ``memories/YYYY/MM/<id>.md.age``, the month of its id in UTC.

    Raises:
        InvalidMemoryError: not an id, or one from after the year 9999.
    """
    if not is_id(memory_id):
        raise InvalidMemoryError("That is not a memory id.")
    try:
        when = time.gmtime(unix_ms(memory_id) / 1000)
    except (OverflowError, ValueError, OSError) as error:
        raise InvalidMemoryError("That id lies outside the calendar.") from error
    if when.tm_year > 9999:
        raise InvalidMemoryError("That id lies outside the calendar.")
    return f"memories/{when.tm_year:04d}/{when.tm_mon:02d}/{memory_id}{SUFFIX}"


def id_of(path: str) -> str | None:
    """The id whose path this is, or None when no memory may lie there."""
    name = path.rpartition("/")[2].removesuffix(SUFFIX)
    if not is_id(name):
        return None
    try:
        return name if path_of(name) == path else None
    except InvalidMemoryError:
        return None

"""Dates as people and other programs write them, to the one form that a memory holds."""

from __future__ import annotations

import datetime as dt

from gitmem.errors import InvalidMemoryError

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def parse_time(text: str) -> str:
    """An ISO 8601 date or time as ``2026-11-20T07:00:00Z``; without an offset it is taken for UTC.

    Raises:
        InvalidMemoryError: not a date, or one outside the calendar.
    """
    try:
        when = dt.datetime.fromisoformat(text.strip())
        if when.tzinfo is not None:
            when = when.astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidMemoryError("A date must look like 2026-11-20 or 2026-11-20T07:00:00Z.") from error
    return when.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def from_unix(seconds: float) -> str:
    """Seconds since 1970 in the form that a memory holds; outside the calendar, its nearest end."""
    bounded = min(max(seconds, -62135596800.0), 253402300799.0)
    return (_EPOCH + dt.timedelta(seconds=int(bounded))).isoformat().removesuffix("+00:00") + "Z"


def to_unix_ms(time: str) -> int:
    """Milliseconds since 1970 of ``2026-11-20T07:00:00Z``, never less than 0: what an id takes."""
    since = dt.datetime.fromisoformat(time) - _EPOCH
    return max(0, since // dt.timedelta(milliseconds=1))

"""Reads the dates that people type: 2026-12-31, RFC 3339, and spans such as 30d, 12w, 6mo, 1y."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta

from gitmem.errors import ConfigError

_SPAN = re.compile(r"(\d{1,4})\s*(d|w|mo|y)")
_HINT = "Use a date (2026-12-31), a time (2026-12-31T18:00:00Z), or a span (30d, 12w, 6mo, 1y)."


def after(text: str, now: str) -> str:
    """The moment that ``text`` names, spans counted forward from ``now``; a date means its last second.

    Raises:
        ConfigError: that is no date.
    """
    return _moment(text, now, forward=True, late=True)


def before(text: str, now: str, *, late: bool = False) -> str:
    """The moment that ``text`` names, spans counted backward; a date is its first second (``late``: last).

    Raises:
        ConfigError: that is no date.
    """
    return _moment(text, now, forward=False, late=late)


def _moment(text: str, now: str, *, forward: bool, late: bool) -> str:
    text = text.strip()
    try:
        span = _SPAN.fullmatch(text.lower())
        if span:
            amount = int(span[1]) if forward else -int(span[1])
            return _written(_shifted(datetime.fromisoformat(now), amount, span[2]))
        moment = datetime.fromisoformat(text.upper())
    except (ValueError, OverflowError) as error:
        raise ConfigError("That is not a date.", _HINT) from error
    if len(text) <= 10 and late:
        moment += timedelta(days=1, seconds=-1)
    return _written(moment)


def _shifted(start: datetime, amount: int, unit: str) -> datetime:
    if unit in "dw":
        return start + timedelta(days=amount * (7 if unit == "w" else 1))
    months = start.year * 12 + start.month - 1 + amount * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    return start.replace(year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1]))


def _written(moment: datetime) -> str:
    # A time without a zone is read as UTC, as everything in a vault is.
    in_utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return f"{in_utc.year:04d}" + in_utc.strftime("-%m-%dT%H:%M:%SZ")

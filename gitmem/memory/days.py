"""The calendar days that a text names, in the forms that people write in English and in ISO 8601."""

from __future__ import annotations

import datetime as dt
import re

_MONTHS = {
    name: number
    for number, names in enumerate(
        "jan january,feb february,mar march,apr april,may,jun june,jul july,aug august,"
        "sep sept september,oct october,nov november,dec december".split(","),
        1,
    )
    for name in names.split()
}
_NAME = f"({'|'.join(sorted(_MONTHS, key=len, reverse=True))})"
_ISO = re.compile(r"(?<!\d)(\d{4})-(\d\d)-(\d\d)(?!\d)")
_DAY_FIRST = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_NAME}\b\.?,?(?: (\d{{4}})\b)?", re.IGNORECASE
)
_MONTH_FIRST = re.compile(
    rf"\b{_NAME}\b\.? (\d{{1,2}})(?:st|nd|rd|th)?\b(?!:),?(?: (\d{{4}})\b)?", re.IGNORECASE
)


def days(text: str, since: str) -> list[str]:
    """The days in ``text`` as ``2026-11-20``, in no particular order; those that do not exist are left out.

    A day without a year is the first such day not before ``since``, the time when the text was written.
    """
    found = [(year, month, day) for year, month, day in _ISO.findall(text)]
    found += [(year, _MONTHS[name.casefold()], day) for day, name, year in _DAY_FIRST.findall(text)]
    found += [(year, _MONTHS[name.casefold()], day) for name, day, year in _MONTH_FIRST.findall(text)]
    made = (_day(str(year), int(month), int(day), since[:10]) for year, month, day in found)
    return [day for day in made if day]


def _day(year: str, month: int, day: int, since: str) -> str:
    years = [int(year)] if year else [int(since[:4]), int(since[:4]) + 1]
    for one in years:
        try:
            made = dt.date(one, month, day).isoformat()
        except ValueError:
            continue
        if year or made >= since:
            return made
    return ""

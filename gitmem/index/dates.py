"""Dates as people say them in English, one at a place of a text.

Days are numbered as ``datetime.date.toordinal`` does; a week begins on Monday.
"""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

_WORD = (  # a date in digits (but no part of a name such as CVE-2023-12), another word, a dash
    r"(?<![\w./-])(?:[0-9]{4}[-/][0-9]{1,2}(?:[-/][0-9]{1,2})?|[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4})(?![\w/-]|\.\w)"
    r"|\w+|[-–—]"
)
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9,
    "oct": 10, "nov": 11, "dec": 12, "january": 1, "february": 2, "march": 3, "april": 4, "june": 6,
    "july": 7, "august": 8, "september": 9, "october": 10, "november": 11, "december": 12,
}  # fmt: skip
_PLAIN = frozenset("january february july september october november december".split())  # mean nothing else
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}  # the first of three months
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PARTS_OF_DAY = frozenset("morning afternoon evening night".split())
_LENGTHS = {"day": 1, "week": 7, "weekend": 7, "month": 31, "quarter": 92, "year": 366}  # days
_CLOCK = frozenset("second seconds minute minutes hour hours".split())
_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "couple": 2, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
_FEW = frozenset(("few", "several"))
_DAYS_AGO = {"today": 0, "tonight": 0, "yesterday": 1}
_RECENT = {"recently": 30, "recent": 30, "lately": 30}  # days
# What stands before a word that is a date only in such company: "in May", "the last summer", "mid-June".
_CUES = frozenset("in during since until till before after of last this early late mid from between".split())
_JOINTS = frozenset("and or to until till through - – —".split())
_BACK = frozenset("last past previous".split())


class Span(NamedTuple):
    """Days from ``first`` to ``last``; ``end`` is the word after it, ``fixed`` tells that it named a date."""

    first: int
    last: int
    end: int
    fixed: bool = False


class Dates:
    """The dates in a text in lower case, read at a memory's time ``now``."""

    def __init__(self, text: str, now: str) -> None:
        self.words: list[str] = re.findall(_WORD, text)
        self.today = date(int(now[:4]), int(now[5:7]), int(now[8:10])).toordinal()
        self._clock = int(now[11:13] + now[14:16] + now[17:19])

    def word(self, at: int) -> str:
        """The word at a place, "" beyond the ends."""
        return self.words[at] if 0 <= at < len(self.words) else ""

    def joint(self, at: int) -> bool:
        """Whether the word at a place joins two dates to a range."""
        return self.word(at) in _JOINTS

    def at(self, at: int, *, cued: bool = False, today: int = 0) -> Span | None:
        """The date whose words begin at ``at``; ``cued``: also one that needs a word such as "in" before it.

        A date without a year is the latest one that has begun on the day ``today``.
        """
        word, today = self.word(at), today or self.today
        cued = cued or self._is_cued(at)
        if not word or self.word(at - 1) == "next":
            return None
        if word[0].isdigit():
            return (
                _numeric(word, at + 1)
                or self._day_first(at, today)
                or self._year(at, cued=cued)
                or self._ago(at)
            )
        if word in _MONTHS:
            return self._month_first(at, today) or self._month(at, today, cued=cued)
        if word in _SEASONS:
            return self._season(at, today, cued=cued)
        return self._spoken(at)

    def times(self, span: Span) -> tuple[int, int]:
        """First and last time of ``span`` as numbers of 14 digits; a span that reaches today ends now."""
        last = self._clock if span.last == self.today else 235959
        return _digits(span.first), _digits(span.last) + last

    def length_before(self, at: int) -> int:
        """The days of "week", "two months" or "Sunday" in front of the word at ``at``, 0 without."""
        unit = self.word(at - 1)
        number = _NUMBERS.get(self.word(at - 2)) or _small(self.word(at - 2)) or 1
        return 7 if unit in _WEEK else number * _LENGTHS.get(unit.removesuffix("s"), 0)

    def _is_cued(self, at: int) -> bool:
        before = self.word(at - 1)
        return (self.word(at - 2) if before in {"the", "-"} else before) in _CUES

    # Dates that the text names.

    def _day_first(self, at: int, today: int) -> Span | None:
        """``8 May``, ``8th of May, 2023``, ``3 and 7 May``."""
        day, following = _ordinal(self.word(at)), self.word(at + 1)
        if not day:
            return None
        if following in _JOINTS and _ordinal(self.word(at + 2)):
            until = self._day_first(at + 2, today)
            return until and until._replace(first=until.first - _ordinal(self.word(at + 2)) + day)
        month = at + 1 + (following == "of")
        number = _MONTHS.get(self.word(month), 0)
        return self._in_year(month + 1, today, number, day) if number else None

    def _month_first(self, at: int, today: int) -> Span | None:
        """``May 8``, ``May 8th 2023``, ``May 3-7, 2023``."""
        day, month = _ordinal(self.word(at + 1)), _MONTHS[self.word(at)]
        if not day:
            return None
        until = _ordinal(self.word(at + 3)) if self.joint(at + 2) else 0
        if until <= day or self.word(at + 4) in _MONTHS:
            return self._in_year(at + 2, today, month, day)
        span = self._in_year(at + 4, today, month, until)
        return span and span._replace(first=span.first - until + day)

    def _month(self, at: int, today: int, *, cued: bool) -> Span | None:
        """``in May``, ``May 2023``, ``last May``, ``October``."""
        word, year = self.word(at), self._year_at(at + 1)[0]
        if not (cued or word in _PLAIN or year):
            return None
        if self.word(at - 1) in _BACK and not year:  # one that is over
            today = _shifted(today, 0) - 1
        return self._in_year(at + 1, today, _MONTHS[word], 0)

    def _season(self, at: int, today: int, *, cued: bool) -> Span | None:
        """``summer 2021``, ``last summer``, ``in the winter``: the three months that begin in that year."""
        year = self._year_at(at + 1)[0]
        if not (cued or year):
            return None
        if self.word(at - 1) in _BACK and not year:
            today = _shifted(today, -2) - 1  # it began three months ago or earlier
        span = self._in_year(at + 1, today, _SEASONS[self.word(at)], 0)
        return span and span._replace(last=_shifted(span.first, 3) - 1)

    def _year(self, at: int, *, cued: bool) -> Span | None:
        """``in 2022``; a number elsewhere is a port or a size."""
        word = self.word(at)
        if not _is_year(word) or int(word) > date.fromordinal(self.today).year + 1:
            return None
        if not (cued or self.word(at - 1) == "year"):
            return None
        first = date(int(word), 1, 1).toordinal()
        return Span(first, _shifted(first, 12) - 1, at + 1, fixed=True)

    def _in_year(self, at: int, today: int, month: int, day: int) -> Span | None:
        """That month, or day of it, in the year that stands at ``at``; without one the latest begun."""
        year, end = self._year_at(at)
        if year:
            return _span(year, month, day, end)
        year = date.fromordinal(today).year
        spans = (_span(one, month, day, end) for one in range(year, year - 9, -1))  # 29 February: rare
        return next((span for span in spans if span and span.first <= today), None)

    def _year_at(self, at: int) -> tuple[int, int]:
        """The year that stands at ``at``, and where its words end; 0 and ``at`` when there is none."""
        at_word = at + (self.word(at) == "of")
        word = self.word(at_word)
        if _is_year(word):
            return int(word), at_word + 1
        if word in {"this", "last"} and self.word(at_word + 1) == "year":
            return date.fromordinal(self.today).year - (word == "last"), at_word + 2
        return 0, at

    # Dates that today gives.

    def _spoken(self, at: int) -> Span | None:
        """``yesterday``, ``on Tuesday``, ``this month``, ``last 3 days``, ``two weeks ago``, ``recently``."""
        word = self.word(at)
        if word in _DAYS_AGO:
            return Span(self.today - _DAYS_AGO[word], self.today - _DAYS_AGO[word], at + 1)
        if word in _RECENT:
            return Span(self.today - _RECENT[word], self.today, at + 1)
        if word in _WEEK:
            return self._weekday(at)
        if word == "this" or word in _BACK:
            return self._this_or_last(at) or self._stretch(at)
        return self._ago(at)

    def _weekday(self, at: int) -> Span | None:
        before, today = self.word(at - 1), _weekday(self.today)
        if before != "on" and before not in _CUES:
            return None
        ago = today - _WEEK.index(self.word(at))
        if before != "this":
            ago = ago % 7 or 7 * (before in _BACK)
        return Span(self.today - ago, self.today - ago, at + 1)

    def _this_or_last(self, at: int) -> Span | None:
        word, unit = self.word(at), self.word(at + 1)
        if unit in _PARTS_OF_DAY:
            ago = int(word != "this")
            return Span(self.today - ago, self.today - ago, at + 2)
        if unit not in _LENGTHS or unit == "day":
            return None
        if word == "past":
            return Span(self.today - _LENGTHS[unit], self.today, at + 2)
        return self._unit(unit, int(word != "this"), at + 2)

    def _stretch(self, at: int) -> Span | None:
        """``last 3 days``, ``past few weeks``, ``last couple of months``: up to now."""
        number, unit = self._quantity(at + 1)
        name = self.word(unit)
        length = 1 if name in _CLOCK else number * _LENGTHS.get(name.removesuffix("s"), 0)
        if not number or not length or self.word(at) == "this":
            return None
        return Span(self.today - length, self.today, unit + 1)

    def _ago(self, at: int) -> Span | None:
        """``two weeks ago``: the week that was then; ``a few days ago`` reaches back as far as six."""
        number, unit = self._quantity(at)
        name = self.word(unit).removesuffix("s")
        if not number or self.word(unit + 1) != "ago":
            return None
        if self.word(unit) in _CLOCK:
            return Span(self.today, self.today, unit + 2)
        if name not in _LENGTHS:
            return None
        span = self._unit(name, number, unit + 2)
        return span._replace(last=self._unit(name, 2, 0).last) if self.word(unit - 1) in _FEW else span

    def _quantity(self, at: int) -> tuple[int, int]:
        """``3``, ``two``, ``a couple of``, ``a few``: the number, 0 for none, and where the next word is."""
        if self.word(at) == "a" and (self.word(at + 1) in _FEW or self.word(at + 1) == "couple"):
            at += 1
        word = self.word(at)
        number = 6 if word in _FEW else _NUMBERS.get(word) or _small(word)
        return number, at + 1 + (self.word(at + 1) == "of")

    def _unit(self, unit: str, ago: int, end: int) -> Span:
        """The calendar's day, week, weekend, month, quarter or year, so many of them ago."""
        today = self.today
        if unit == "day":
            return Span(today - ago, today - ago, end)
        if unit in {"week", "weekend"}:
            monday = today - _weekday(today) - 7 * ago
            return Span(monday + 5 * (unit == "weekend"), monday + 6, end)
        months = {"month": 1, "quarter": 3, "year": 12}[unit]
        first = _shifted(today, -((date.fromordinal(today).month - 1) % months) - months * ago)
        return Span(first, _shifted(first, months) - 1, end)


def _numeric(word: str, end: int) -> Span | None:
    """``2023-05-08``, ``2023/05``, ``8.5.2023``; ``5/8/2023`` can be read in two ways."""
    parts = [int(part) for part in re.split("[-/.]", word) if part.isascii() and part.isdigit()]
    if not 2 <= len(parts) <= 3:
        return None
    if "." in word:
        parts.reverse()
    return _span(parts[0], parts[1], parts[2] if len(parts) == 3 else 0, end)


def _span(year: int, month: int, day: int, end: int) -> Span | None:
    """That day, or that month for day 0; None when there is no such day."""
    try:
        first = date(year, month, day or 1).toordinal()
    except ValueError:
        return None
    return Span(first, first if day else _shifted(first, 1) - 1, end, fixed=True)


def _shifted(day: int, months: int) -> int:
    """The first day of the month that lies ``months`` after the one of ``day``."""
    there = date.fromordinal(day)
    count = min(max(there.year * 12 + there.month - 1 + months, 12), 9999 * 12 + 11)
    return date(count // 12, count % 12 + 1, 1).toordinal()


def _weekday(day: int) -> int:
    return (day + 6) % 7


def _small(word: str) -> int:
    """A number of one or two digits, or 0."""
    return int(word) if len(word) <= 2 and word.isascii() and word.isdigit() else 0


def _ordinal(word: str) -> int:
    """``8`` or ``8th``, or 0."""
    return _small(word[:-2] if word[-2:] in {"st", "nd", "rd", "th"} else word)


def _is_year(word: str) -> bool:
    return len(word) == 4 and word[:2] in {"19", "20"} and word.isascii() and word.isdigit()


def _digits(day: int) -> int:
    there = date.fromordinal(min(max(day, 1), date.max.toordinal()))
    return ((there.year * 100 + there.month) * 100 + there.day) * 1_000_000

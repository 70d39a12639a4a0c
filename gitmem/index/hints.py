"""The time that a question speaks of: "last week", "in May", "between 3 and 7 May 2023".

It says what to prefer, never what to leave out, so a doubtful word ("may I", "march on", "the second") is
taken for no date. Most questions name none, and a cold search pays for what it imports: how dates are read is
imported for a question that has a word for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitmem.index.dates import Dates, Span

_LONGEST = 2_000  # characters of a question that are looked at
_SIGNS = frozenset(
    """jan january feb february mar march apr april may jun june jul july aug august sep sept
    september oct october nov november dec december spring summer autumn fall winter monday tuesday
    wednesday thursday friday saturday sunday today tonight yesterday recently recent lately ago
    last past previous this""".split()
)
_SPANS = frozenset(
    "day days week weeks weekend month months quarter year years morning evening night".split()
)
_PUNCTUATION = str.maketrans(dict.fromkeys("!\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~–—’‘“”…", " "))


def period(query: str, now: str) -> tuple[int, int] | None:
    """First and last time (``gitmem.index.filters.digits``) that the date words of ``query`` mean, or None.

    ``now`` is a memory's time; a month or a day without a year is the latest one that has begun by then.
    Whole days of UTC, and no end beyond now that the question does not name. A date of its own wins over
    "last week", and a short period over a long one.
    """
    low = query[:_LONGEST].lower()
    seen = low.translate(_PUNCTUATION).split()
    if not now or (_SIGNS.isdisjoint(seen) and not any(map(_maybe_year, seen))):
        return None
    from gitmem.index.dates import Dates

    dates = Dates(low, now)
    found: list[Span] = []
    at = 0
    while at < len(dates.words):
        span = _phrase(dates, at)
        if span:
            found.append(span)
        at = span.end if span else at + 1
    if not found:
        return None
    return dates.times(min(found, key=lambda one: (not one.fixed, one.last - one.first)))


def is_of_dates(word: str) -> bool:
    """Whether a word in lower case is one that dates are said with: a hint, which need not be found."""
    return word in _SIGNS or word in _SPANS or word.isdigit()


def _maybe_year(word: str) -> bool:
    return len(word) == 4 and word[:2] in {"19", "20"}


def _phrase(dates: Dates, at: int) -> Span | None:
    """The date or the range of dates whose words begin at ``at``, as the words before it mean it."""
    span = dates.at(at)
    if span is None:
        return None
    until = dates.at(span.end + 1, cued=True) if dates.joint(span.end) else None
    if until is None:
        return _bounded(dates, at, span)
    if until.first < span.first:  # "11 August to 15 August 2023", "March to December"
        span = dates.at(at, cued=True, today=until.last) or span
    first, last = min(span.first, until.first), max(span.last, until.last)
    return until._replace(first=first, last=last, fixed=span.fixed or until.fixed)


def _bounded(dates: Dates, at: int, span: Span) -> Span:
    """``span`` as "since", "before" and the like bound it, "the week before" and "two days after" included.

    The day itself counts: what is said about the week before is often said on that day.
    """
    length = dates.length_before(at - 1)
    match dates.word(at - 1):
        case "since":
            return span._replace(last=max(span.last, dates.today))
        case "after":
            last = span.last + length if length else max(span.last, dates.today)
            return span._replace(first=span.last, last=last)
        case "before":
            if length and not span.fixed:  # "the day before yesterday"
                return span._replace(first=span.first - length, last=span.last - length)
            return span._replace(first=span.first - length if length else 1, last=span.first)
        case "until" | "till":
            return span._replace(first=1)
    return span

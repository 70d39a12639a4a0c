"""The dates that people type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.doors.cli import dates
from gitmem.errors import ConfigError, GitmemError
from gitmem.memory.memory import is_time

NOW = "2026-11-20T07:00:00Z"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-31", "2026-12-31T23:59:59Z"),
        ("2026-12-31T18:00:00Z", "2026-12-31T18:00:00Z"),
        ("2026-12-31 18:00", "2026-12-31T18:00:00Z"),
        ("2026-12-31T18:00:00+02:00", "2026-12-31T16:00:00Z"),
        ("30d", "2026-12-20T07:00:00Z"),
        ("12W", "2027-02-12T07:00:00Z"),
        ("3 mo", "2027-02-20T07:00:00Z"),
        ("1y", "2027-11-20T07:00:00Z"),
    ],
)
def test_an_expiry_is_a_date_a_time_or_a_span_from_now(text, moment):
    assert dates.after(text, NOW) == moment


@pytest.mark.parametrize(
    ("text", "late", "moment"),
    [
        ("2026-11-01", False, "2026-11-01T00:00:00Z"),
        ("2026-11-01", True, "2026-11-01T23:59:59Z"),
        ("30d", False, "2026-10-21T07:00:00Z"),
        ("6mo", False, "2026-05-20T07:00:00Z"),
        ("9999d", False, "1999-07-06T07:00:00Z"),
    ],
)
def test_since_and_until_look_back(text, late, moment):
    assert dates.before(text, NOW, late=late) == moment


def test_a_month_that_is_shorter_ends_on_its_last_day():
    assert dates.after("1mo", "2027-01-31T00:00:00Z") == "2027-02-28T00:00:00Z"


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-01", "30", "d", "9999y", "-3d", "2026-12-31T25:00:00Z"]
)
def test_what_is_no_date_is_refused_with_the_forms_that_work(text):
    with pytest.raises(ConfigError, match=r"2026-12-31.*30d"):
        dates.after(text, NOW)


@given(st.text(max_size=12) | st.from_regex(r"\d{1,4}(d|w|mo|y)", fullmatch=True), st.booleans())
def test_every_text_gives_a_valid_time_or_our_error(text, late):
    for read in (dates.after, lambda text, now: dates.before(text, now, late=late)):
        try:
            assert is_time(read(text, NOW))
        except GitmemError:
            pass

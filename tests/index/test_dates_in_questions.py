"""Which time a question speaks of, and which words only look as if they did."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.index.filters import Filters
from gitmem.index.hints import period
from gitmem.index.index import Index
from gitmem.memory.ids import new_id
from gitmem.memory.memory import Memory

NOW = "2026-11-20T07:00:00Z"  # a Friday


def said(query, now=NOW):
    """The period as ``2026-05-08 2026-05-10``, with the time of day only where it is not a whole day's."""
    found = period(query, now)
    if found is None:
        return None
    first, last = (f"{number:014}" for number in found)
    assert first.endswith("000000")
    end = "" if last.endswith("235959") else f" {last[8:10]}:{last[10:12]}"
    return f"{first[:4]}-{first[4:6]}-{first[6:8]} {last[:4]}-{last[4:6]}-{last[6:8]}{end}"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # days around today
        ("what did I write today?", "2026-11-20 2026-11-20 07:00"),
        ("yesterday's decision", "2026-11-19 2026-11-19"),
        ("the day before yesterday", "2026-11-18 2026-11-18"),
        ("what broke last night", "2026-11-19 2026-11-19"),
        ("on Tuesday", "2026-11-17 2026-11-17"),
        ("what did we agree on last Friday?", "2026-11-13 2026-11-13"),
        ("on Friday", "2026-11-20 2026-11-20 07:00"),
        ("this Monday", "2026-11-16 2026-11-16"),
        # weeks, months, seasons, years
        ("what happened this week", "2026-11-16 2026-11-22"),
        ("last week", "2026-11-09 2026-11-15"),
        ("last weekend", "2026-11-14 2026-11-15"),
        ("this month", "2026-11-01 2026-11-30"),
        ("in the previous month", "2026-10-01 2026-10-31"),
        ("last quarter", "2026-07-01 2026-09-30"),
        ("last year", "2025-01-01 2025-12-31"),
        ("last summer", "2026-06-01 2026-08-31"),
        ("in the winter", "2025-12-01 2026-02-28"),
        ("summer 2021", "2021-06-01 2021-08-31"),
        # how long ago
        ("three days ago", "2026-11-17 2026-11-17"),
        ("two weeks ago", "2026-11-02 2026-11-08"),
        ("a couple of months ago", "2026-09-01 2026-09-30"),
        ("4 years ago", "2022-01-01 2022-12-31"),
        ("a few days ago", "2026-11-14 2026-11-18"),
        ("an hour ago", "2026-11-20 2026-11-20 07:00"),
        ("in the last 3 days", "2026-11-17 2026-11-20 07:00"),
        ("over the past month", "2026-10-20 2026-11-20 07:00"),
        ("what did she recently buy", "2026-10-21 2026-11-20 07:00"),
        # months and days
        ("in May", "2026-05-01 2026-05-31"),
        ("in December", "2025-12-01 2025-12-31"),
        ("in November", "2026-11-01 2026-11-30"),
        ("last November", "2025-11-01 2025-11-30"),
        ("in May 2023", "2023-05-01 2023-05-31"),
        ("in May of last year", "2025-05-01 2025-05-31"),
        ("mid-June", "2026-06-01 2026-06-30"),
        ("our October retreat", "2026-10-01 2026-10-31"),
        ("May 8", "2026-05-08 2026-05-08"),
        ("on December 3rd", "2025-12-03 2025-12-03"),
        ("8 May 2023", "2023-05-08 2023-05-08"),
        ("the 8th of May, 2023", "2023-05-08 2023-05-08"),
        ("Dec 1,2023", "2023-12-01 2023-12-01"),
        ("on 29 Feb", "2024-02-29 2024-02-29"),
        ("2023-05-08", "2023-05-08 2023-05-08"),
        ("2023/05", "2023-05-01 2023-05-31"),
        ("8.5.2023", "2023-05-08 2023-05-08"),
        ("in 2022", "2022-01-01 2022-12-31"),
        ("early 2022", "2022-01-01 2022-12-31"),
        # ranges
        ("since March", "2026-03-01 2026-11-20 07:00"),
        ("since yesterday", "2026-11-19 2026-11-20 07:00"),
        ("between 3 and 7 May", "2026-05-03 2026-05-07"),
        ("May 3-7, 2023", "2023-05-03 2023-05-07"),
        ("between August 11 and August 15 2023", "2023-08-11 2023-08-15"),
        ("from March to June 2025", "2025-03-01 2025-06-30"),
        ("from November to January", "2025-11-01 2026-01-31"),
        ("from 2021 to 2022", "2021-01-01 2022-12-31"),
        ("before 2020", "0001-01-01 2020-01-01"),
        ("until June", "0001-01-01 2026-06-30"),
        ("after May 3, 2026", "2026-05-03 2026-11-20 07:00"),
        ("the week before 16 November 2023", "2023-11-09 2023-11-16"),
        ("two weeks before August 11, 2023", "2023-07-28 2023-08-11"),
        ("the Sunday before October 25, 2022", "2022-10-18 2022-10-25"),
        ("two days after 3 May 2023", "2023-05-03 2023-05-05"),
        # several
        ("what did she finish last Friday on 23 January, 2022?", "2022-01-23 2022-01-23"),
        ("on 3 June 2023, not in 2023", "2023-06-03 2023-06-03"),
        ("recently, that is yesterday", "2026-11-19 2026-11-19"),
    ],
)  # fmt: skip
def test_date_words_are_understood(query, expected):
    assert said(query) == expected
    assert said(query.upper()) == expected


@pytest.mark.parametrize(
    "query",
    ["", "may I ask", "it may break", "March on", "they march", "the second try", "wait a second",
     "fall back", "spring boot", "what does June like", "Jan said so", "sun and moon", "Black Friday",
     "Tuesdays", "error 404", "port 2049", "exit code 2022", "in 2049", "CVE-2023-12345",
     "v2.2023.1", "CVE-2023-12",
     "550e8400-2023-05-08", "5/8/2023", "Feb 30", "2023-13-01", "next month", "next Friday", "next May",
     "the last word", "this function", "past tense", "months", "ago", "last", "this", "since", "1.2.2023.4",
     "last minute change", "२०२३ in २०२२", "in ²⁰²²", "19ab 20", "the last 10 lines", "0 May", "May 32"],
)  # fmt: skip
def test_words_that_are_no_date_are_none(query):
    assert period(query, NOW) is None


def test_without_a_clock_there_is_no_period():
    assert period("yesterday", "") is None


def test_a_month_that_has_begun_is_the_latest_and_one_that_has_not_is_last_years():
    assert said("in March", "2026-03-01T00:00:00Z") == "2026-03-01 2026-03-31"
    assert said("in March", "2026-02-28T23:59:59Z") == "2025-03-01 2025-03-31"
    assert said("last summer", "2026-07-10T00:00:00Z") == "2025-06-01 2025-08-31"
    assert said("last summer", "2026-09-01T00:00:00Z") == "2026-06-01 2026-08-31"
    assert said("this summer", "2026-07-10T00:00:00Z") == "2026-06-01 2026-08-31"


WORDS = (
    "in on since before after until last this past next the a few two 3 8 8th 31 99 1 and to - of ago may "
    "march may 2023 9999 1900 0001-01-01 9999-12-31 2023-05-08 31.12.9999 december monday week weekend weeks "
    "month day days years year quarter winter yesterday today recently couple several hours , . ? ' \0 ½ é"
).split(" ")


@given(
    st.one_of(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), st.text(max_size=60)),
    st.dates(),
)
def test_any_text_at_any_time_gives_a_period_in_order_or_none(query, day):
    found = period(query, f"{day.isoformat()}T23:59:59Z")
    if found is not None:
        first, last = found
        assert 1_01_01_000000 <= first <= last <= 9999_12_31_235959
        for number in found:
            text = f"{number:014}"
            date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def test_a_question_without_a_date_does_not_pay_for_the_grammar():
    script = (
        "import sys; from gitmem.index.hints import period;"
        "period('why does jwt.ts fail', '2026-11-20T07:00:00Z'); print('gitmem.index.dates' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("query", "first"),
    [("where are the keys", 3), ("where were the keys last week", 2), ("keys since yesterday", 3),
     ("the keys that we lost in May", 1), ("keys in 2025", 0), ("keys two weeks ago", 3)],
)  # fmt: skip
def test_a_memory_of_that_time_comes_first_and_no_other_is_left_out(query, first):
    index = Index.open("/dev/null/none", bytes(32), "v")  # in memory
    days = ("2025-02-03", "2026-05-20", "2026-11-11", "2026-11-19")
    ids = [new_id(1_777_000_000_000 + n) for n in range(len(days))]
    index.apply(
        "c",
        [],
        [
            Memory(id=ids[n], created=f"{day}T12:00:00Z", body="The keys lie there.")
            for n, day in enumerate(days)
        ],
    )
    found = [hit.id for hit in index.search(query, Filters(now=NOW), 10)]
    assert found[0] == ids[first]
    assert sorted(found) == sorted(ids)

"""Where the words of a query stand in a snippet, and how wide a snippet is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.index.snippet import marks, snippet
from gitmem.memory.text import columns


def marked(text, query):
    return [text[begin:end] for begin, end in marks(text, query)]


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        (
            "tests",
            "We test, tested and are testing; the testimony of a contest",
            ["test", "tested", "testing"],
        ),
        ("testing", "a test, a testimony", ["test"]),
        ("run", "runs running runner runaway overrun", ["runs", "running", "runner"]),
        ("authenticate", "the authentication of an author", ["authentication"]),
        ("the port", "The port, a portfolio, the ports", ["port", "ports"]),
        ("src/auth/jwt.ts", "in src/auth/jwt.ts line 4", ["src/auth/jwt.ts"]),
        ("foo_bar", "foo_bar and foo bar", ["foo_bar", "foo", "bar"]),
        ("cafe", "Cafés and CAFÉ", ["Cafés", "CAFÉ"]),
        ("Straße", "die STRAẞE, die Straße", ["STRAẞE", "Straße"]),
        ("认证系统", "用认证系统登录，认证", ["认证系统", "认证"]),
        ("認証 login", "認証のlogin", ["認証", "login"]),
        ("한국어", "한국어로 쓴 글", ["한국어"]),
        ("e\u0301te\u0301", "un été chaud", ["été"]),
        ("deplo", "a deployment", ["deployment"]),
        ("zebra", "nothing of that kind", []),
        ("", "text", []),
        ("? *", "what? *", []),
    ],
)
def test_words_of_the_query_are_marked_whatever_their_endings(query, text, found):
    assert marked(text, query) == found


@given(st.text(max_size=200), st.text(max_size=40))
def test_marks_are_in_order_and_inside_the_text(text, query):
    end = 0
    for begin, stop in marks(text, query):
        assert end <= begin < stop <= len(text)
        end = stop


@given(
    st.text(st.sampled_from("ab 日本語。e\u0301\u200d👨é"), max_size=300),
    st.text(max_size=10),
    st.integers(0, 90),
)
def test_a_snippet_fits_its_columns(body, query, width):
    shown = snippet(body, query, 0, len(body), width)
    assert columns(shown) <= width


@given(st.text(max_size=60))
def test_columns_are_those_of_the_unicode_standard(text):
    kinds = [(unicodedata.category(char), unicodedata.east_asian_width(char)) for char in text]
    assert columns(text) == sum(
        0 if kind in ("Mn", "Me", "Cf") else 2 if wide in ("W", "F") else 1 for kind, wide in kinds
    )


def test_nothing_in_a_snippet_can_steer_a_terminal():
    assert snippet("a \x1b[31m\u202eb", "a", 0, 20) == "a ␛[31m<U+202E>b"


def test_a_snippet_in_a_wide_script_does_not_cut_a_latin_word():
    body = "環境に反映する前に実行。deployment " * 20
    assert set(snippet(body, "反映", 0, len(body), 60).strip("…").replace("。", " ").split()) <= {
        "deployment", "環境に反映する前に実行", *("環境に反映する前に実行"[cut:] for cut in range(11)),
        *("環境に反映する前に実行"[:cut] for cut in range(11)),
    }  # fmt: skip

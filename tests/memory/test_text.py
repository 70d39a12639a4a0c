"""Text made safe to show, titles, and the same text again."""

import dataclasses
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmem.memory.memory import Memory
from gitmem.memory.text import derive_title, fingerprint, first_heading, shorten, visible, visible_line

ONE = Memory(id="01KAGFWXW0ABCDEFGHJKMNPQRS", created="2026-11-20T07:00:00Z", body="text of it", title="T")


@settings(max_examples=500)
@given(st.text(st.characters()))
def test_visible_text_holds_no_control_but_newline_and_tab(text):
    for char in visible(text):
        assert char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp")
        assert not (0x202A <= ord(char) <= 0x202E or 0x2066 <= ord(char) <= 0x2069)


@settings(max_examples=200)
@given(st.text(st.characters()))
def test_visible_text_is_left_alone_the_second_time(text):
    assert visible(visible(text)) == visible(text)


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        ("a\x1b[31mb", "a␛[31mb"),
        ("a\x00\x7f", "a␀␡"),
        ("a\r\nb\rc", "a\nb␍c"),
        ("\x9b", "<U+009B>"),
        ("a\u202eb", "a<U+202E>b"),
        ("\ud800", "<U+D800>"),
        ("x\U000e0041", "x<U+E0041>"),
        ("tab\there\n", "tab\there\n"),
        ("日本 é 😀", "日本 é 😀"),
    ],
)
def test_what_commands_or_hides_is_shown(raw, seen):
    assert visible(raw) == seen


def test_one_line_stays_one_line():
    assert visible_line(" a\n b\t\u2028c ") == "a b c"


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("# Heading\ntext", "Heading"),
        ("\n\n- [ ] buy milk\n", "buy milk"),
        ("**Bold** start", "Bold start"),
        ("```\ncode", "code"),
        ("---\nreal line", "real line"),
        ("1. first", "first"),
        ("> quote", "quote"),
        ("", ""),
        ("\n \n", ""),
        ("#tag only", "#tag only"),
        ("See [[Other note]]", "See Other note"),
        ("a\x1b[31mb", "a[31mb"),
    ],
)
def test_a_title_is_the_first_line_with_words(body, title):
    assert derive_title(body) == title


@settings(max_examples=300)
@given(st.text(max_size=200))
def test_a_derived_title_is_one_short_line(body):
    title = derive_title(body)
    assert len(title) <= 80 and title == title.strip() and "\n" not in title


def test_a_long_title_is_cut_at_a_word():
    assert derive_title("word " * 40) == shorten("word " * 40, 80)
    assert derive_title("word " * 40).endswith("word…")
    assert len(shorten("x" * 100, 10)) == 10
    assert shorten("abc", 1) == "…" and shorten("abc", 0) == ""


def test_hostile_lines_cost_no_time():
    start = time.perf_counter()
    for body in (
        "- " * 500_000,
        "# " * 500_000,
        "`" * 1_000_000,
        "```\n" * 250_000,
        "[[" * 500_000,
        "#" * 1_000_000,
    ):
        derive_title(body)
        first_heading(body)
        fingerprint(dataclasses.replace(ONE, body=body))
    assert time.perf_counter() - start < 10


def test_a_heading_in_code_is_no_heading():
    assert first_heading("```\n# no\n```\n~~~\n# nor this\n~~~\n## Yes ##\n") == "Yes"
    assert first_heading("#tag\nno heading") == ""


def test_line_ends_composition_and_spaces_at_the_end_are_the_same_text():
    first = dataclasses.replace(ONE, body="caf\u00e9 one\nline")
    again = dataclasses.replace(ONE, body="cafe\u0301 one  \r\nline \n\n")
    assert fingerprint(first) == fingerprint(again)
    assert len(fingerprint(first)) == 16


@pytest.mark.parametrize(
    "change", [{"body": "text of it."}, {"title": "U"}, {"kind": "fact"}, {"project": "p"}]
)
def test_another_body_title_kind_or_project_is_another_text(change):
    assert fingerprint(dataclasses.replace(ONE, **change)) != fingerprint(ONE)


@pytest.mark.parametrize(
    "change", [{"tags": ("x",)}, {"created": "2020-01-01T00:00:00Z"}, {"source": "s"}, {"rev": 9}]
)
def test_the_rest_does_not_make_another_text(change):
    assert fingerprint(dataclasses.replace(ONE, **change)) == fingerprint(ONE)


def test_a_derived_title_counts_as_none():
    bare = dataclasses.replace(ONE, title="")
    assert fingerprint(bare) == fingerprint(dataclasses.replace(ONE, title=derive_title(ONE.body)))
    assert fingerprint(bare) != fingerprint(ONE)

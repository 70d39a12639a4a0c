"""Cutting texts into passages and snippets."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmem.index.passages import LONGEST, cuts, passages
from gitmem.index.snippet import snippet
from gitmem.index.words import folded, words

SENTENCE = "The weather was fine and nothing much happened on that day. "


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(("\n", "\n\n", "\n# ", " ", "a" * 700, "word", "。", SENTENCE)), max_size=200)
)
def test_passages_cover_the_body_without_gap_and_are_of_like_length(parts):
    body = "".join(parts)
    at, _ = cuts(body)
    assert at[0] == 0
    assert at[-1] == len(body)
    lengths = [end - start for start, end in pairwise(at)]
    assert max(lengths) <= LONGEST
    assert all(length >= 500 for length in lengths[:-1])


def test_the_largest_memory_has_fewer_passages_than_a_row_can_number():
    assert len(cuts("\n\n" + ("a" * 499 + "\n\n" + "b" * 1300) * 600)[0]) < 4096


def test_a_passage_begins_at_a_heading_or_a_paragraph_where_there_is_one():
    body = SENTENCE * 12 + "\n# Heading\n" + SENTENCE * 12
    assert body[cuts(body)[0][1] :].startswith("# Heading")
    body = SENTENCE * 15 + "\n\nParagraph " + SENTENCE * 15
    assert body[cuts(body)[0][1] :].startswith("Paragraph")


def test_a_short_memory_is_read_with_its_heading_and_a_long_one_has_it_once_beside_its_passages(make):
    memory = make("a" * 1000, title="Title", created="2023-05-08T00:00:00Z", project="shop", tags=("t1",))
    assert list(passages(memory, cuts(memory.body)[0])) == [f"8 May 2023 Title shop t1\n{'a' * 1000}"]
    memory = replace(memory, body="a" * 1000 + " left " + "b" * 990 + " right " + "c" * 1000)
    *texts, above = passages(memory, cuts(memory.body)[0])
    assert len(texts) == 3
    assert "".join(texts) == memory.body
    assert above == "8 May 2023 Title shop t1"


TALK = "**Ann**: Where is it?\n**Bob**: In the drawer.\nLeft side.\n**Ann**: Thanks!\n**Bob**: Sure. OK?\n"


@pytest.mark.parametrize(
    ("body", "begins", "forms"),
    [
        (TALK, ["**Ann**: Wh", "**Bob**: In", "**Ann**: Th", "**Bob**: Su"], "qttq"),
        (TALK.replace("*", ""), ["Ann: Wh", "Bob: In", "Ann: Th", "Bob: Su"], "qttq"),
        (
            "We decided:\n- one\n- two\n  more\n- three?\n- four",
            ["We ", "- o", "- tw", "- th", "- f"],
            "ppppp",
        ),
        ("1. a\n2. b\n3) c\n4. d", ["1", "2", "3", "4"], "pppp"),
        ("- one\n- two\n- three", ["- one"], "p"),
        ("Host: a\nPort: b\nUser: c\nPath: d", ["Host", "Port", "User", "Path"], "pppp"),
        ("```\n- a\n- b\n- c\n- d\n```\nend", ["```"], "p"),
        ("", [""], "p"),
    ],
)
def test_turns_and_items_are_passages_of_their_own(body, begins, forms):
    at, found = cuts(body)
    assert found == forms
    assert [body[start:].startswith(begin) for start, begin in zip(at, begins, strict=False)] == [True] * len(
        begins
    )
    assert len(at) == len(begins) + 1


def test_a_list_of_many_short_lines_is_cut_into_longer_pieces():
    at, forms = cuts("- x y\n" * 20_000)
    assert len(forms) <= 500
    assert at[-1] == 120_000


def test_text_is_folded_into_pairs_of_characters():
    assert folded("plain text") == "plain text"
    assert folded("用认证系统").split() == ["用认", "认证", "证系", "系统", "统"]
    assert folded("认").split() == ["认"]
    assert folded("ＡＢＣ") == "ABC"
    assert words("用认证 ok's") == ["用认", "认证", "ok", "s"]
    assert folded("a\ud800b") == "a?b"


# --- snippets ---------------------------------------------------------------------------------------------

LONG = (
    SENTENCE * 6 + "We then fixed the authentication bug in src/auth/jwt.ts by rotating keys. " + SENTENCE * 6
)


@pytest.mark.parametrize(
    "query", ["authentication bug", "authenticate bugs", "src/auth/jwt.ts", "AUTHENTICATION"]
)
def test_a_snippet_shows_the_words_of_the_query(query):
    shown = snippet(LONG, query, 0, len(LONG))
    assert "authentication bug in src/auth/jwt.ts" in shown
    assert shown.startswith("…")
    assert shown.endswith("…")


def test_a_snippet_of_a_short_passage_is_all_of_it_on_one_line():
    assert snippet("one\n\n two\tthree", "two", 0, 15) == "one two three"
    assert snippet("xxx one two yyy", "two", 4, 11) == "one two"


def test_a_snippet_without_a_match_is_the_beginning():
    assert snippet(LONG, "zebra", 0, len(LONG)).startswith("The weather")
    assert snippet(LONG, "", 0, len(LONG)).startswith("The weather")


def test_a_snippet_in_a_script_without_spaces_shows_the_word():
    body = "天気がいい日でした" * 40 + "認証を直した" + "天気がいい日でした" * 40
    assert "認証を直した" in snippet(body, "認証", 0, len(body))


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=400), st.text(max_size=30), st.integers(0, 400), st.integers(0, 400), st.integers(0, 200)
)
def test_a_snippet_is_never_longer_than_asked(body, query, start, end, width):
    shown = snippet(body, query, start, end, width)
    assert len(shown) <= width
    assert "\n" not in shown


@given(st.lists(st.sampled_from(("alpha", "beta", "gamma-delta", "a")), min_size=60, max_size=100))
def test_a_snippet_is_cut_between_words(parts):
    body = " ".join(parts)
    shown = snippet(body, "beta", 0, len(body), 80)
    assert set(shown.strip("…").split()) <= set(parts)

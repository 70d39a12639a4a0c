"""Whatever is typed into a search: an answer, or one clear sentence."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmem.index.filters import Filters
from gitmem.memory.ids import new_id
from gitmem.memory.memory import Memory
from machine import Machine

BODIES = (
    "The exact words that were said stand here, in this order.",
    "Here stand words, said in another order, exact or not.",
    "The keys of the archive are in the soup bowl.",
    "Body and title and rank are names of columns. NEAR the end, AND so on, OR NOT.",
    "To be or not to be, that is it.",
    "The party 🎉 was loud.",
    "用户认证系统使用令牌。",
    "A 5\" disk and a 3\" screw; it's Ann's.",
    "---\ntitle: no front matter\n---\n\n| a | b |\n|---|---|\n| keys | soup |",
    "...",
)
ODD = {
    "emoji": "🎉",
    "family": "👩‍👩‍👧",
    "single quote": "'",
    "apostrophe": "it's",
    "double quote": '"',
    "empty quotes": '""',
    "open quote": '"exact words',
    "disk": '5" disk',
    "star": "*",
    "prefix": "key*",
    "stars": "**",
    "near": "NEAR(",
    "near with words": "NEAR(keys soup, 3)",
    "operators": "AND OR NOT",
    "operators with words": "keys AND NOT (soup OR archive)",
    "column": "body:",
    "column with a word": "body: keys",
    "other columns": "context:keys rank:soup rowid:1",
    "columns in braces": "{body context}: keys",
    "minus column": "- body: keys",
    "caret": "^keys",
    "plus": "keys + soup",
    "brackets": "[(keys)]",
    "semicolon": "keys; DROP TABLE memory; --",
    "percent": "%s %n {0} ${HOME} `id`",
    "backslash": "\\",
    "comment": "keys -- soup /* */",
    "empty": "",
    "spaces": " \t\r\n\v\f\u00a0\u2003",
    "stop words": "what is it and where are they",
    "punctuation": "?!.,;:-_/|<>@#$%^&()[]{}~+=",
    "null": "\0",
    "null inside": "ke\0ys",
    "lone surrogate": "\ud800",
    "surrogate inside": "ke\udcffys \udfff",
    "controls": "\x01\x02\x1b[31mkeys\x1b[0m\x7f\x9b",
    "direction": "\u202ekeys\u202c \u2066soup\u2069",
    "zero width": "ke\u200bys \ufeffsoup",
    "not a character": "\ufdd0 \uffff \U0010ffff",
    "not yet assigned": "\u0378 \U000e0fff",
    "private use": "\ue000\U000f0000",
    "combining only": "\u0301\u0302",
    "many combining": "a" + "\u0301" * 5000,
    "digits of elsewhere": "٣ ३ ³ ½ Ⅷ",
    "10,000 characters": "keys of the archive " * 500,
    "one long word": "a" * 10_000,
    "one longer word": "z" * 200_000,
    "one long run": "认" * 10_000,
    "long identifier": "ab-" * 5_000,
    "long path": "/".join(["src"] * 4_000),
    "5,000 words": " ".join(f"word{n}" for n in range(5_000)),
    "5,000 known words": " ".join(["keys"] * 5_000),
    "every ASCII sign": "".join(map(chr, range(1, 128))) * 20,
    "quotes": '"' * 9_999,
    "many phrases": '"keys of" ' * 2_000,
    "nested quotes": "“keys „of “the” archive” «soup»",
    "dates": "9999-99-99 0000-00-00 31 Feb " * 100,
    "typos of everything": "kesy achrive suop bwol",
    "long typos": " ".join("x" * n for n in range(4, 60)),
}


@pytest.fixture(scope="module")
def store(open_store):
    opened = open_store()
    memories = [
        Memory(id=new_id(1_777_000_000_000 + n * 1000), created=f"2026-05-{n + 1:02}T00:00:00Z", body=body)
        for n, body in enumerate(BODIES)
    ]
    opened.write(memories)
    return opened


def found(store, query, limit=20, **filters):
    return [BODIES.index(hit.memory.body) for hit in store.search(query, Filters(**filters), limit)]


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("by", ["memory", "passage"])
def test_any_query_has_an_answer_through_the_store(store, name, by):
    first = store.search(ODD[name], Filters(now="2026-11-20T07:00:00Z"), 3, by)
    assert len(first) <= 3
    assert first == store.search(ODD[name], Filters(now="2026-11-20T07:00:00Z"), 3, by)
    for hit in first:
        assert 0 <= hit.relevance <= 1
        assert 0 <= hit.start <= hit.end <= len(hit.memory.body)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("archive + soup", 2), ("^keys of the archive", 2), ("NEAR(keys archive, 3)", 2), ("archive*", 2),
        ("ke\u200bys \ufeffarchive", 2), ("keys\x1b[0m of the archive", 2), ("to be or not to be", 4),
        ("it's", 7), ("body:title", 3), ("认证", 6), ("party🎉", 5), ("keys; archive --", 2),
    ],
)  # fmt: skip
def test_signs_do_not_hide_the_words(store, query, first):
    assert found(store, query)[:1] == [first]


@pytest.mark.parametrize("name", ["empty", "spaces", "punctuation", "single quote", "star", "null", "emoji"])
def test_a_query_without_a_word_finds_nothing(store, name):
    assert found(store, ODD[name]) == []


@settings(max_examples=120)
@given(
    st.one_of(
        st.text(max_size=80),
        st.lists(
            st.sampled_from(
                ['"', "keys", "soup", "*", "NEAR(", ")", "AND", "NOT", "body:", "-", "认证", "'", " "]
            ),
            max_size=12,
        ).map("".join),
        st.binary(max_size=40).map(os.fsdecode),
    ),
    st.sampled_from(["memory", "passage"]),
    st.integers(0, 4),
)
def test_no_text_is_an_error_and_no_answer_differs_the_second_time(store, query, by, limit):
    first = store.search(query, Filters(), limit, by)
    assert len(first) <= limit
    assert first == store.search(query, Filters(), limit, by)


# --- quoted phrases ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('"exact words"', [0]),
        ("“exact words”", [0]),
        ("«exact words»", [0]),
        ('"EXACT word" order', [0]),  # by stems, as everything
        ('where do the "exact words" stand', [0]),
        ('"soup bowl" "the archive"', [2]),
        ('"soup"', [2, 8]),
    ],
)
def test_a_quoted_phrase_is_required(store, query, expected):
    assert sorted(found(store, query)) == expected


@pytest.mark.parametrize("query", ['"words exact" order', '"nothing of this kind" keys', '"" keys'])
def test_a_quoted_phrase_that_nothing_holds_is_a_query_like_any_other(store, query):
    assert found(store, query) == found(store, query.replace('"', ""))


def test_a_lone_quote_mark_quotes_nothing(store):
    assert found(store, '5" disk')[:1] == [7]
    assert 2 in found(store, 'keys 5" soup')
    assert found(store, "'soup bowl' keys") == found(store, "soup bowl keys")


# --- the command ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def machines():
    return []


@pytest.fixture
def machine(machines, tmp_path_factory):
    """One for all, made within a test: its environment is the fenced one of that test."""
    if not machines:
        machines.append(Machine.new(tmp_path_factory.mktemp("machine")).init())
        for body in BODIES[:6]:
            machines[0].write(body)
    return machines[0]


@pytest.mark.parametrize(
    "name",
    ["emoji", "single quote", "double quote", "near", "star", "10,000 characters", "empty", "spaces",
     "stop words", "punctuation", "operators", "column", "controls", "5,000 words", "one long word"],
)  # fmt: skip
def test_the_command_answers_or_says_one_clear_sentence(machine, name):
    said = _said(machine.run("search", "--", ODD[name], code=None))
    assert name not in {"empty", "spaces"} or "Say what to look for" in said


def test_the_command_takes_what_is_no_text(machine):
    _said(machine.run("search", "--", os.fsdecode(b"ke\xffys"), code=None))


def _said(done):
    assert done.code in {0, 2}, done
    said = done.out if done.code == 0 else done.err
    assert said.strip()
    assert max(map(len, said.splitlines())) <= 250
    assert not set(said) & {chr(code) for code in (*range(9), *range(11, 32), 127, 0x9B, 0x202E)}
    return said

"""Any note at all becomes a memory or a reason, and what is known of it is not lost."""

import json
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gitmem.errors import InvalidMemoryError
from gitmem.flows.importers.found import Options
from gitmem.flows.importers.jsonl import read_lines
from gitmem.flows.importers.mark import mark_of, marked, stamp
from gitmem.flows.importers.markdown import read_text
from gitmem.flows.importers.note import Note
from gitmem.memory.document import dump, load
from gitmem.memory.memory import FIELDS

NOW = "2026-11-20T07:00:00Z"
NOTE = Note("note.md", "~/notes/note.md", "note", "p", NOW)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
keys = st.one_of(st.sampled_from(sorted(FIELDS)), st.text(max_size=8))


def read(text, options=None):
    return read_text(text.encode("utf-8", "surrogatepass"), NOTE, options or Options())


@settings(max_examples=300)
@given(st.dictionaries(keys, values, max_size=5), st.text(max_size=100))
def test_any_front_matter_makes_a_memory_or_a_reason(front, body):
    head = "".join(f"{json.dumps(key)}: {json.dumps(value)}\n" for key, value in front.items())
    _is_memory_or_reason(read(f"---\n{head}---\n{body}."))


@settings(max_examples=300)
@given(st.text(st.sampled_from("---\n:[]{}#&*!|>'\"%@` ab1\t\r\u2028"), max_size=60))
@example("---\nwhen: {{date}}\n---\ntext")
@example("---\n\ttab: 1\n---\ntext")
@example("---\na: !!python/object:os.system x\n---\ntext")
def test_any_text_makes_a_memory_or_a_reason(text):
    _is_memory_or_reason(read(text))


@settings(max_examples=300)
@given(st.one_of(st.dictionaries(keys, values, max_size=6), st.dictionaries(st.just("body"), values), values))
def test_any_json_makes_a_memory_or_a_reason(value):
    for found in read_lines([json.dumps(value).encode()], Options(), NOW):
        _is_memory_or_reason(found)


def _is_memory_or_reason(found):
    assert (found.memory is None) == bool(found.reason)
    if found.memory is None:
        return
    assert found.own or (found.memory.trust, found.memory.share, found.memory.rev) == ("import", False, 1)
    try:
        assert load(dump(found.memory)) == found.memory
    except InvalidMemoryError as error:
        assert error.message


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("---\ntags: one\n---\nx", ("one",)),
        ("---\ntags: one, two\n---\nx", ("one", "two")),
        ("---\ntags: '#one #two'\n---\nx", ("one", "two")),
        ("---\ntag: one\nkeywords: [two]\n---\nx", ("one", "two")),
        ("#a/b-c and (#d), #E #e", ("a/b-c", "d", "E")),
        ("`#no` http://x/#no a#no ##no # no #12", ()),
        ("```\n#no\n```\n#yes", ("yes",)),
        ("~~~\n#no", ()),
    ],
)
def test_tags_are_found_where_obsidian_finds_them(text, tags):
    assert read(text).memory.tags == tags


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("---\ntitle: Front\n---\n# Heading", "Front"),
        ("text\n## Heading\n# Later", "Heading"),
        ("text", "note"),
        ("---\nTitle: Upper\n---\nx", "Upper"),
        ("---\ntitle: [a]\n---\nx", "note"),
    ],
)
def test_a_title_comes_from_front_matter_then_heading_then_name(text, title):
    assert read(text).memory.title == title


@pytest.mark.parametrize(
    "line", ["created: 2020-01-02", "date: 2020-01-02 00:00", "Date Created: '2020-01-02'"]
)
def test_created_comes_from_the_front_matter_where_it_has_one(line):
    assert read(f"---\n{line}\n---\nx").memory.created == "2020-01-02T00:00:00Z"
    assert read("x").memory.created == NOW


def test_hostile_notes_cost_no_time():
    start = time.perf_counter()
    for text in (
        "#1" * 400_000,
        "#" + "1" * 900_000,
        "[[a" * 300_000,
        "`" * 900_000,
        "[[" + "a|" * 400_000,
        " #a" * 300_000,
    ):
        read(text)
    assert time.perf_counter() - start < 20


def test_a_rule_at_the_top_is_no_front_matter():
    assert read("---\nonly a line\n---\nmore").memory.body == "---\nonly a line\n---\nmore"


def test_the_mark_knows_a_text_again():
    one = marked(read("---\nrating: 5\n---\ntext").memory)
    assert mark_of(one) == stamp(one)
    assert one.extra.split("\n")[1] == "rating: 5"
    assert marked(one) == one
    assert stamp(read("other").memory) != stamp(one)

"""Merging two edits: symmetric, nothing lost, conflicts kept and said."""

import dataclasses
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmem.memory.document import dump, load
from gitmem.memory.memory import MAX_BYTES, Memory
from gitmem.memory.merge import CLOSE, MIDDLE, OPEN, merge

BASE = Memory(
    id="01KAGFWXW0ABCDEFGHJKMNPQRS", created="2026-11-20T07:00:00Z", body="one\ntwo\nthree", title="T"
)
ONE, TWO = "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"

words = st.sampled_from("abcdefgh")
lines = st.lists(words, max_size=8)
unique = st.lists(words, max_size=8, unique=True)
few = st.sampled_from(["", "x", "y", "z"])
tags = st.lists(words, max_size=3, unique=True).map(tuple)


def edit(body=None, **fields):
    fields = {"updated": ONE, "rev": 2, **fields}
    return dataclasses.replace(BASE, **({"body": body} if body is not None else {}), **fields)


def side(body_lines):
    return st.builds(
        lambda body, **fields: edit("\n".join(body), **fields),
        body_lines,
        title=st.sampled_from(["T", "U", "V"]),
        updated=st.sampled_from(["", ONE, TWO]),
        rev=st.integers(1, 4),
        tags=tags,
        project=few,
        trust=st.sampled_from(["self", "import", "inbox"]),
        importance=st.sampled_from([None, 0.2, 0.9]),
        expires=st.sampled_from(["", ONE, TWO]),
        share=st.booleans(),
        links=tags,
        extra=st.sampled_from(["", "a: 1", "a: 2", "b: 1", "a: 1\nb: 2", "# c\na: 3"]),
    )


@settings(max_examples=400)
@given(st.one_of(st.none(), side(lines)), side(lines), side(lines))
def test_both_devices_get_the_same_bytes(base, ours, theirs):
    here, there = merge(base, ours, theirs), merge(base, theirs, ours)
    assert here == there
    assert load(dump(here.memory)) == here.memory


@settings(max_examples=200)
@given(st.one_of(st.none(), side(lines)), side(lines))
def test_an_unchanged_side_gives_way(base, edited):
    assert merge(base, edited, edited).memory == edited
    if base is not None:
        assert merge(base, base, edited).memory == edited
        assert merge(base, edited, base).memory == edited
        assert not merge(base, base, edited).conflict


@settings(max_examples=600)
@given(unique, unique, unique)
def test_no_line_is_lost_unless_the_other_side_took_it_out(old, one, two):
    base, ours, theirs = (edit("\n".join(body)) for body in (old, one, two))
    ours, theirs = dataclasses.replace(ours, rev=3), dataclasses.replace(theirs, rev=4)
    merged = merge(base, ours, theirs).memory.body.split("\n")
    for mine, other in ((one, two), (two, one)):
        for line in mine:
            assert line in merged or (line in old and line not in other), (line, merged)


@settings(max_examples=300)
@given(lines, lines)
def test_without_a_base_no_line_is_lost(one, two):
    merged = merge(None, edit("\n".join(one), rev=3), edit("\n".join(two), rev=4)).memory.body.split("\n")
    for line in (*one, *two):
        assert merged.count(line) >= max(one.count(line), two.count(line))


@settings(max_examples=300)
@given(lines, lines, lines)
def test_no_line_is_invented(old, one, two):
    merged = merge(edit("\n".join(old)), edit("\n".join(one), rev=3), edit("\n".join(two), rev=4))
    made = {OPEN, MIDDLE, CLOSE} if merged.conflict else set()
    assert set(merged.memory.body.split("\n")) <= {*old, *one, *two, ""} | made


def test_edits_in_different_places_join():
    merged = merge(BASE, edit("ONE\ntwo\nthree"), edit("one\ntwo\nthree\nfour", updated=TWO, rev=5))
    assert merged.memory.body == "ONE\ntwo\nthree\nfour"
    assert (merged.conflict, merged.memory.rev, merged.memory.updated) == (False, 6, TWO)


def test_the_same_edit_on_both_sides_is_no_conflict():
    merged = merge(BASE, edit("one\n2\nthree"), edit("one\n2\nthree", updated=TWO))
    assert merged.memory.body == "one\n2\nthree"
    assert not merged.conflict


def test_a_real_conflict_keeps_both_texts_marked():
    merged = merge(BASE, edit("one\nzwei\nthree"), edit("one\ndeux\nthree", updated=TWO))
    assert merged.conflict
    assert merged.memory.body == f"one\n{OPEN}\nzwei\n{MIDDLE}\ndeux\n{CLOSE}\nthree"


def test_two_new_titles_are_both_kept():
    merged = merge(BASE, edit(title="U"), edit(title="V", updated=TWO))
    assert (merged.memory.title, merged.conflict) == ("U / V", True)


def test_tags_join_and_a_removed_one_stays_removed():
    base = dataclasses.replace(BASE, tags=("a", "b"))
    merged = merge(base, edit(tags=("a", "c")), edit(tags=("a", "b", "d"), updated=TWO)).memory
    assert merged.tags == ("a", "c", "d")


@pytest.mark.parametrize(
    ("field", "old", "one", "two", "kept"),
    [
        ("project", "", "p", "", "p"),
        ("project", "", "p", "q", "q"),
        ("kind", "note", "fact", "note", "fact"),
        ("importance", None, 0.3, 0.8, 0.8),
        ("expires", ONE, TWO, "", ""),
        ("created", ONE, ONE, ONE, ONE),
        ("extra", "a: 1", "a: 1\nb: 2", "a: 3", "a: 3\nb: 2"),
        ("trust", "self", "import", "inbox", "inbox"),
    ],
)
def test_fields_merge_by_themselves(field, old, one, two, kept):
    sides = [{field: value} for value in (old, one, two)]
    base = dataclasses.replace(BASE, **sides[0])
    merged = merge(base, edit(**sides[1]), edit(updated=TWO, **sides[2])).memory
    assert getattr(merged, field) == kept


def test_raised_trust_does_not_speak_for_a_text_it_never_saw():
    base = dataclasses.replace(BASE, trust="inbox")
    raised = edit(trust="self")
    rewritten = edit("evil", trust="inbox", updated=TWO)
    assert merge(base, raised, rewritten).memory.trust == "inbox"
    tagged = edit(trust="inbox", tags=("x",), updated=TWO)
    assert merge(base, raised, tagged).memory.trust == "self"


def test_a_mark_to_share_does_not_publish_a_text_it_never_saw():
    shared = edit(share=True)
    private = edit("one\ntwo\nthree\nsecret", updated=TWO)
    assert merge(BASE, shared, private).memory.share is False
    assert merge(BASE, shared, edit(tags=("x",), updated=TWO)).memory.share is True
    both = merge(
        dataclasses.replace(BASE, share=True),
        edit("1\ntwo\nthree", share=True),
        edit("one\ntwo\n3", share=True, rev=9),
    )
    assert both.memory.share is True and both.memory.body == "1\ntwo\n3"


def test_taking_back_a_mark_to_share_wins():
    base = dataclasses.replace(BASE, share=True)
    assert merge(base, edit(share=False), edit("other", share=True, updated=TWO)).memory.share is False


def test_two_texts_too_long_together_leave_the_later_one():
    long = "x" * (MAX_BYTES * 2 // 3)
    merged = merge(BASE, edit("a" + long), edit("b" + long, updated=TWO))
    assert merged.conflict and merged.memory.body.startswith("b")
    assert len(dump(merged.memory)) <= MAX_BYTES


def test_thousands_of_equal_lines_merge_in_time():
    start = time.perf_counter()
    body = "\n".join(["x"] * 20000)
    merged = merge(
        edit("a\n" + body + "\nz"),
        edit("A\n\n" + body + "\nz\nq", rev=3),
        edit("a\n\n" + body + "\ny", rev=4),
    )
    assert time.perf_counter() - start < 20
    assert {"A", "q", "y"} <= set(merged.memory.body.split("\n"))

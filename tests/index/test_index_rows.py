"""What can be asked of the index without a query: rows, counts, short ids, sources, the same text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitmem.index.filters import Filters
from gitmem.memory.ids import new_id
from gitmem.memory.text import fingerprint


def test_rows_come_newest_first_and_equal_times_by_id(index, make):
    same = [make(f"n{number}", created="2026-05-01T00:00:00Z") for number in range(3)]
    old = make("old", created="2020-01-01T00:00:00Z")
    index.apply("c", [], [*same, old])
    expected = [*sorted((memory.id for memory in same), reverse=True), old.id]
    assert [row.id for row in index.rows(Filters())] == expected
    assert [row.id for row in index.rows(Filters(), 2)] == expected[:2]
    assert index.rows(Filters(), 0) == []


def test_the_same_text_is_found_by_its_fingerprint(index, make):
    first, second = make("same text", created="2026-05-02T00:00:00Z"), make("same text")
    index.apply("c", [], [first, make("other text"), second])
    second_is_older = second.created < first.created
    assert second_is_older
    assert index.by_fingerprint(fingerprint(make("same text"))) == second.id
    assert index.by_fingerprint(fingerprint(make("new text"))) is None


def test_the_same_text_in_a_memory_that_is_superseded_or_expired_does_not_count(index, make):
    old = make("same text")
    new = make("better text", supersedes=(old.id,), expires="2026-07-01T00:00:00Z")
    index.apply("c", [], [old, new])
    assert index.by_fingerprint(fingerprint(old)) is None
    assert index.by_fingerprint(fingerprint(new), "2026-06-01T00:00:00Z") == new.id
    assert index.by_fingerprint(fingerprint(new), "2026-08-01T00:00:00Z") is None


def test_an_edited_memory_is_found_by_its_new_text_only(index, make):
    memory = make("old text", title="t")
    index.apply("c", [], [memory])
    edited = replace(memory, body="new text", rev=2)
    index.apply("d", [], [edited])
    assert index.by_fingerprint(fingerprint(memory)) is None
    assert index.by_fingerprint(fingerprint(edited)) == memory.id
    assert index.count(Filters()) == 1


def test_memories_are_found_by_their_source(index, make):
    a, b = make("a", source="chat/1", project="p"), make("b", source="chat/1", project="p")
    many = [make(f"m{number}", source="big") for number in range(30)]
    index.apply("c", [], [b, a, make("c", source="chat/10"), *many])
    assert index.by_source("chat/1") == sorted([a.id, b.id])
    assert len(index.by_source("big")) == 30
    assert index.by_source("") == []
    assert index.by_source("\udcff") == []


@pytest.mark.parametrize("length", [1, 4, 5, 6, 7, 12, 26])
def test_ids_are_found_by_their_end(index, make, length):
    memories = [make(f"n{number}") for number in range(5)]
    index.apply("c", [], memories)
    wanted = memories[3].id
    assert wanted in index.ending(wanted[-length:])
    assert all(found.endswith(wanted[-length:]) for found in index.ending(wanted[-length:]))


def test_at_most_ten_ids_come_back(index, make):
    tail = "ABCDEF"
    memories = [make(f"n{number}", id=new_id(1_700_000_000_000 + number)[:-6] + tail) for number in range(14)]
    index.apply("c", [], memories)
    assert index.ending(tail) == sorted(memory.id for memory in memories)[:10]
    assert index.ending("") == []
    assert index.ending("%") == []
    assert index.ending("abcdef") == []

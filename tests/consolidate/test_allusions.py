"""A text that says a word of a memory which it does not name as its source: it goes when that one goes."""

from __future__ import annotations

from gitmem.memory.memory import Memory
from gitmem.memory.outcome import outcome
from gitmem.memory.plan import Group, Step, check
from gitmem.memory.sharing import Rules, publishable

NOW = "2026-11-20T07:00:00Z"


def note(number, body, **fields):
    fields = {"created": "2026-11-01T07:00:00Z", "share": True, "project": "shop", **fields}
    return Memory(id=f"01KAF00000000000000000000{number}", body=body, **fields)


NAMED = note(1, "The shop moves to the harbour in May")
OTHER = note(2, "The code word at the back door is quartzlantern")
AWAY = note(3, "Bread is baked at four in the morning")


def made(step, *memories):
    plan = check(Group("shop", "", memories), [step])
    assert plan.refused == ()
    ids = iter(f"01KAF0000000000000000000{n}Z" for n in range(9))
    return outcome([plan], NOW, lambda: next(ids), lambda _: True).made[0].memory


def test_it_is_linked_with_where_the_word_may_come_from_and_its_sources_stay_as_named():
    text = "The shop moves to the harbour in May, and quartzlantern opens it"
    one = made(Step(action="create", sources=(NAMED.id,), body=text), NAMED, OTHER, AWAY)
    assert one.sources == (NAMED.id,)
    assert one.links == (OTHER.id,)


def test_unsharing_that_memory_takes_the_text_out_of_the_digest():
    text = "The shop moves to the harbour in May, and quartzlantern opens it"
    one = made(Step(action="create", sources=(NAMED.id,), body=text), NAMED, OTHER)
    hidden = note(2, OTHER.body, share=False)
    assert publishable([NAMED, OTHER, one], Rules())(one)
    assert not publishable([NAMED, hidden, one], Rules())(one)
    assert not publishable([NAMED, one], Rules())(one)


def test_a_topic_gives_a_word_away_as_well():
    step = Step(action="create", sources=(NAMED.id,), body=NAMED.body, topics=("quartzlantern",))
    assert made(step, NAMED, OTHER).links == (OTHER.id,)


def test_words_of_its_own_sources_link_nothing():
    assert made(Step(action="create", sources=(NAMED.id,), body=NAMED.body), NAMED, OTHER, AWAY).links == ()


def test_links_that_a_person_made_hide_nothing():
    one = note(4, "See the other note", links=(OTHER.id, "a page somewhere"))
    assert publishable([note(2, OTHER.body, share=False), one], Rules())(one)

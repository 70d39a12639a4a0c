"""A memory as a query for others like it."""

from __future__ import annotations

from gitmem.index.filters import Filters
from gitmem.index.like import Own, wording


def test_the_words_that_are_rare_and_not_alone_tell_what_a_memory_is_about(index, make):
    about = make("The heron stands in the reeds, the heron waits; nobody else says zyx")
    others = [make("a heron and reeds"), *(make(f"everyone waits and stands, number {n}") for n in range(9))]
    index.apply("c1", [], [about, *others])
    words = wording(about, index.frequencies).split()
    assert words[:2] == ["heron", "reeds"]
    assert {"waits", "stands"} <= set(words)
    assert {"the", "in", "zyx", "nobody"}.isdisjoint(words)
    best = index.search(" ".join(words), Filters(), 3)
    assert {one.id for one in best[:2]} == {about.id, others[0].id}


def test_a_script_without_spaces_tells_as_well(index, make):
    one, two = make("用认证系统登录"), make("认证失败")
    index.apply("c1", [], [one, two, make("天気がいい")])
    found = index.search(wording(one, index.frequencies), Filters(), 3)
    assert {hit.id for hit in found} == {one.id, two.id}


def test_a_memory_whose_every_word_is_its_own_is_like_nothing(index, make):
    alone = make("quux corge grault", title="garply")
    index.apply("c1", [], [alone, make("something else")])
    assert wording(alone, index.frequencies) == ""


def test_a_long_memory_becomes_a_short_question(index, make):
    memories = [make(" ".join(f"word{n}" for n in range(start, start + 900))) for start in (0, 100)]
    index.apply("c1", [], memories)
    assert 0 < len(wording(memories[0], index.frequencies).split()) <= 24


class Lengths:
    """A model of a kind: a text's vector is its length."""

    name = "lengths"

    def embed(self, texts):
        return [len(text).to_bytes(2, "big") for text in texts]


def test_whatever_is_asked_the_vector_is_the_memory_s_own(make):
    own = Own(Lengths(), make("twelve signs", title="Six s."))
    assert own.name == "lengths"
    assert own.embed(["a", "much longer question"]) == Lengths().embed(["Six s.\ntwelve signs"]) * 2

"""What a digest shows: only what is shared, stands, and was drawn from nothing else; and why not the rest."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmem.memory.digest import DRAWN, EXPIRED, INBOX, REPLACED, TOPICS, select
from gitmem.memory.memory import KINDS, TRUSTS, Memory
from gitmem.memory.sharing import Rules, publishable

NOW = "2026-11-20T07:00:00Z"
NO_RULES = Rules()
PAST, FUTURE = "2026-11-20T06:59:59Z", "2026-11-20T07:00:01Z"


def an_id(number):
    return f"01KAGFWXW0ABCDEFGHJK{number:06d}"


def memory(number, **fields):
    fixed = {"id": an_id(number), "created": "2026-01-01T00:00:00Z", "body": f"word{number}", "share": True}
    return Memory(**{**fixed, **fields})


def shown(memories, rules=NO_RULES):
    return {one.id for one in select(memories, rules, NOW).published}


def held(memories, rules=NO_RULES):
    return {one.memory.id: one.why for one in select(memories, rules, NOW).held}


numbers = st.integers(1, 8)
several = st.lists(numbers, max_size=3).map(lambda found: tuple(map(an_id, dict.fromkeys(found))))
vaults = st.lists(
    st.builds(
        memory,
        numbers,
        share=st.booleans(),
        project=st.sampled_from(["", "shop", "home"]),
        kind=st.sampled_from(KINDS),
        tags=st.sampled_from([(), ("public",), ("digest",), ("x", "public")]),
        trust=st.sampled_from(TRUSTS),
        source=st.sampled_from(["", "consolidation"]),
        expires=st.sampled_from(["", PAST, FUTURE]),
        sources=several,
        supersedes=several,
    ),
    max_size=8,
    unique_by=lambda one: one.id,
)
rule_sets = st.builds(
    Rules,
    st.sampled_from([(), ("shop",)]),
    st.sampled_from([(), ("public",)]),
    st.sampled_from([(), ("decision", "summary")]),
)


def allowed(one, everything, rules, path=()):
    """The rule in its plainest words: shared, in time, accepted, and so is all that it was drawn from."""
    by_rule = one.project in rules.projects or one.kind in rules.kinds or set(one.tags) & set(rules.tags)
    if one.id in path or one.trust == "inbox" or not (one.share or by_rule) or one.expires == PAST:
        return False
    return all(
        source in everything and allowed(everything[source], everything, rules, (*path, one.id))
        for source in one.sources
    )


def replaced(one, memories):
    """Whether another takes its place; of two that replace each other the first one stays."""
    takers = [other for other in memories if other.id != one.id and one.id in other.supersedes]
    return any(other.id not in one.supersedes or other.id < one.id for other in takers)


@settings(max_examples=400)
@given(vaults, rule_sets)
def test_nothing_appears_that_is_not_shared_down_to_its_last_source(memories, rules):
    everything = {one.id: one for one in memories}
    digest = select(memories, rules, NOW)
    for one in digest.published:
        assert allowed(one, everything, rules)
        assert not replaced(one, memories)
    for one in memories:
        if allowed(one, everything, rules):
            told = one.source == "consolidation" and one.kind == "summary" and "digest" in one.tags
            assert replaced(one, memories) or told or one in digest.ranked
    assert sorted(one.id for part in digest.projects for one in part.memories) == sorted(
        one.id for one in digest.ranked
    )


def test_a_memory_drawn_from_an_unshared_one_stays_away_and_says_why():
    memories = [
        memory(1, share=False),
        memory(2, sources=(an_id(1),)),
        memory(3, sources=(an_id(2),)),
        memory(4),
    ]
    assert shown(memories) == {an_id(4)}
    assert held(memories) == {an_id(2): DRAWN, an_id(3): DRAWN}


def test_a_memory_drawn_from_a_forgotten_or_expired_one_stays_away():
    assert shown([memory(2, sources=(an_id(1),))]) == set()
    old = memory(1, expires=PAST)
    assert shown([old, memory(2, sources=(old.id,))]) == set()
    assert held([old]) == {old.id: EXPIRED}


def test_a_circle_of_sources_vouches_for_nobody():
    one, two = memory(1, sources=(an_id(2),)), memory(2, sources=(an_id(1),))
    assert shown([one, two, memory(3, sources=(an_id(3),))]) == set()


def test_a_chain_of_sources_may_be_long():
    chain = [memory(1), *(memory(n, sources=(an_id(n - 1),)) for n in range(2, 5001))]
    may = publishable(chain, Rules())
    assert may(chain[-1])
    assert not publishable([dataclasses.replace(chain[0], share=False), *chain[1:]], Rules())(chain[-1])


def test_what_was_drawn_from_a_memory_before_it_was_edited_stays_away_until_it_is_drawn_anew():
    source = memory(1, updated="2026-01-03T00:00:00Z")
    drawn = memory(2, created="2026-01-02T00:00:00Z", sources=(source.id,))
    further = memory(3, created="2026-01-04T00:00:00Z", sources=(drawn.id,))
    assert shown([source, drawn, further]) == {source.id}
    assert held([source, drawn, further]) == {drawn.id: DRAWN, further.id: DRAWN}
    anew = dataclasses.replace(drawn, updated="2026-01-03T00:00:01Z", rev=2)
    assert shown([source, anew, further]) == {source.id, drawn.id, further.id}


def test_what_came_by_a_link_waits_until_it_is_accepted():
    assert shown([memory(1, trust="inbox", project="shop")], Rules(projects=("shop",))) == set()
    assert held([memory(1, trust="inbox")]) == {an_id(1): INBOX}


def test_a_superseded_memory_is_not_shown_even_when_the_new_one_is_private():
    old, new = memory(1), memory(2, share=False, supersedes=(an_id(1),))
    assert shown([old, new]) == set() and held([old, new]) == {old.id: REPLACED}
    assert shown([old, dataclasses.replace(new, share=True)]) == {new.id}


def test_rules_share_what_fits_them_and_say_which_of_them_did():
    one = memory(1, share=False, project="shop", tags=("a", "b"), kind="decision")
    rules = Rules(("shop",), ("b",), ("decision",))
    assert rules.reasons(one) == ("--project shop", "--tag b", "--kind decision")
    assert shown([one], Rules(tags=("b",))) == {one.id} and shown([one], Rules(("home",))) == set()


def test_the_newest_narrative_is_told_and_none_is_an_entry():
    made = {"source": "consolidation", "kind": "summary", "tags": ("digest",)}
    older = memory(1, created="2026-01-01T00:00:00Z", **made)
    newer = memory(2, created="2026-01-02T00:00:00Z", **made)
    of_shop = memory(3, project="shop", **made)
    by_hand = memory(4, kind="summary", tags=("digest",))
    entry = memory(5, project="shop")
    digest = select([older, newer, of_shop, by_hand, entry], Rules(), NOW)
    assert digest.narrative == newer
    assert [(part.name, part.narrative) for part in digest.projects] == [("shop", of_shop), ("", None)]
    assert set(digest.ranked) == {by_hand, entry}


def test_a_list_of_topics_counts_what_is_not_shared_and_so_stays_away():
    entry = memory(1)
    topics = memory(
        2, source="consolidation", kind="summary", tags=("topics",), sources=(entry.id,), share=False
    )
    assert shown([entry, topics], Rules(kinds=("summary",))) == {entry.id}
    assert held([entry, topics], Rules(kinds=("summary",))) == {topics.id: TOPICS}
    assert shown([dataclasses.replace(topics, source="", sources=())], Rules(kinds=("summary",)))


def test_projects_come_in_the_order_of_their_best_memory_and_show_the_newest_first():
    low = [memory(n, project="low", importance=0.1 * n, created=f"2026-01-0{n}T00:00:00Z") for n in (1, 3, 2)]
    digest = select([*low, memory(4, project="high", importance=1.0)], Rules(), NOW)
    assert [part.name for part in digest.projects] == ["high", "low"]
    assert [one.id for one in digest.projects[1].memories] == [an_id(3), an_id(2), an_id(1)]


@pytest.mark.parametrize(
    "change", [{"body": "other"}, {"title": "other"}, {"tags": ("x",)}, {"project": "p"}, {"share": False}]
)
def test_the_version_changes_with_what_is_shown_and_with_nothing_else(change):
    one, two = memory(1), memory(2)
    before = select([one, two], Rules(), NOW).version
    assert select([two, one], Rules(), FUTURE).version == before
    assert select([one, two, memory(3, share=False)], Rules(), NOW).version == before
    assert select([dataclasses.replace(one, **change), two], Rules(), NOW).version != before

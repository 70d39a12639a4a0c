"""The offline engine on real conversations and on small texts: what it merges, sums up, ends, and leaves."""

import random
import re
import time
from dataclasses import replace

import pytest

from gitmem.flows.consolidate.offline import MOST, SHARE
from gitmem.flows.remember import revise
from gitmem.flows.undo import undo
from gitmem.memory.digest import select
from gitmem.memory.memory import Memory
from gitmem.memory.sharing import Rules


def copies(text, dice):
    """Ways in which the same conversation comes in twice: as it is, or as another program wrote it down."""
    lines = text.split("\n")
    parts = re.split(r"(?<=[.!?]) ", lines[0])
    return [
        text,
        text.replace("\n", "\n\n") + "\n",
        "\n".join(f"- {line}" for line in lines),
        text.replace("**", ""),
        "\n".join([" ".join(dice.sample(parts, len(parts))), *lines[1:]])
        if len(parts) > 1
        else text.upper().lower(),
    ]


def near(text):
    """Conversations that differ in one telling thing."""
    name = re.search(r"\*\*(\w+)\*\*", text)[1]
    return [
        text + f"\n**{name}**: I have 3 cats.",
        text + f"\n**{name}**: It was on 2023-05-17.",
        text + f"\n**{name}**: Zebulon said so.",
        text.replace(" is ", " is not ", 1) if " is " in text else text + f"\n**{name}**: I never went.",
        text + f"\n**{name}**: See /etc/hosts.",
        "\n".join(text.split("\n")[: len(text.split("\n")) // 2]),
    ]


def memories_of(vault, conversations):
    return [
        vault.memory(
            one["body"], title=one["title"], project=one["project"], tags=tuple(one["tags"]), trust="import"
        )
        for one in conversations
    ]


def test_planted_duplicates_among_the_128_are_merged_and_none_of_the_distinct_ones(vault, conversations):
    dice = random.Random(7)
    originals = memories_of(vault, conversations)
    chosen = dice.sample(originals, 20)
    planted, distinct = [], []
    for number, one in enumerate(chosen):
        fields = {"title": one.title, "project": one.project, "tags": one.tags, "trust": "import"}
        planted.append((one, vault.memory(copies(one.body, dice)[number % 5], **fields)))
        distinct.append(vault.memory(near(one.body)[number % 6], **fields))
    vault.store.write([*originals, *(copy for _, copy in planted), *distinct])
    report = vault.run()
    merged = {
        frozenset((made.memory.id, *(old.id for old in made.replaced)))
        for made in report.made
        if made.replaced
    }
    assert merged == {frozenset((one.id, copy.id)) for one, copy in planted}
    assert vault.all().keys() >= {one.id for one in (*originals, *distinct)} | {
        copy.id for _, copy in planted
    }


def test_the_128_are_summed_up_in_a_tenth_twice_is_once_and_undo_gives_the_same_tree(vault, conversations):
    vault.store.write(memories_of(vault, conversations))
    before = vault.tree()
    report = vault.run()
    by_project = {}
    for one in conversations:
        by_project[one["project"]] = by_project.get(one["project"], 0) + len(one["body"])
    summaries = [made.memory for made in report.made if made.memory.kind == "summary"]
    assert {one.project for one in summaries} == set(by_project)
    assert all(len(one.body) <= min(MOST, by_project[one.project] // SHARE) for one in summaries)
    words = {one["body"] for one in conversations}
    for line in summaries[0].body.split("\n"):
        said = re.fullmatch(r"- \d{4}-\d\d-\d\d(?:, \w+)?: (.*) \(\w{6}\)", line)[1]
        assert any(said[1:] in body for body in words), line
    after = vault.tree()
    assert vault.subjects()[0] == f"consolidate {len(report.made) + len(report.written)} memories"
    again = vault.run()
    assert (again.commit, again.looked, vault.tree()) == ("", 0, after)
    undo(vault.store)
    assert vault.tree() == before


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("User prefers dark mode in all editors.", "The user prefers dark mode in editors", True),
        ("Deploy on Fridays", "deploy on fridays!", True),
        (
            "We met Anna to talk about the release plan",
            "We met with Anna to talk about the release plans.",
            True,
        ),
        ("决定使用认证系统", "决定使用认证系统。", True),
        ("决定使用认证系统", "决定不使用认证系统。", False),
        ("Use tabs for indentation", "Use spaces for indentation", False),
        ("We do use Redis for the queue", "We do not use Redis for the queue", False),
        ("It isn't done in the worker", "It is done in the worker", False),
        ("The port of the server is 8080", "The port of the server is 8081", False),
        ("The timeout is 3.5 s", "The timeout is 35 s", False),
        ("The release is on 2026-03-01", "The release is on 2026-04-01", False),
        ("Anna manages Bob", "Bob manages Anna", False),
        ("Pete likes green tea", "Peter likes green tea", False),
        ("I was allergic to nuts", "I am allergic to nuts", False),
        ("I like green tea", "You like green tea", False),
        ("The settings are in /etc/foo.conf", "The settings are in /etc/bar.conf", False),
        ("Call `build()` first", "Call `rebuild()` first", False),
        ("Deploys on Fridays", "Deploys on Fridays are forbidden", False),
    ],
)
def test_what_is_the_same_is_merged_and_what_differs_in_a_telling_word_is_not(vault, one, other, same):
    vault.write(one, other)
    report = vault.run()
    assert [made.step.action for made in report.made] == (["merge"] if same else [])
    assert len(vault.current()) == (1 if same else 2)


def test_the_more_trusted_twin_stays_and_a_less_trusted_one_never_replaces_it(vault):
    typed = vault.write("The user prefers dark mode in editors", trust="self")[0]
    vault.write("User prefers dark mode in all editors.", trust="assistant")
    report = vault.run()
    assert [made.memory.id for made in report.made] == [typed.id]
    assert vault.store.get(typed.id).trust == "self"


def test_private_and_shared_twins_stay_apart_and_so_do_imported_ones_and_projects(vault):
    vault.write("The user prefers dark mode in editors", share=True)
    vault.write("The user prefers dark mode in editors.")
    vault.write("The user prefers dark mode in editors!", trust="import")
    vault.write("The user prefers dark mode in editors", project="other")
    assert vault.run().made == ()


def test_what_waits_in_the_inbox_and_memory_files_are_left_alone(vault, scripted):
    vault.write("The user prefers dark mode", "The user prefers dark mode.", trust="inbox")
    vault.write("The user prefers dark mode", "The user prefers dark mode.", kind="file")
    engine = scripted(lambda group: [])
    assert vault.run(engine).looked == 0
    assert engine.asked == []


def test_a_task_long_past_its_last_day_ends_and_one_that_is_only_late_does_not(vault):
    old, late, open_, _ = vault.write(
        "Renew the passport by 2026-09-01",
        "Send the report by 2026-11-10",
        "Plant a tree",
        "Call the bank by 1 Sep 2026, again by 2027-01-01",
        kind="task",
    )
    report = vault.run()
    assert [(made.step.action, made.memory.id) for made in report.made] == [("expire", old.id)]
    assert old.id not in {one.id for one in vault.current()}
    assert {late.id, open_.id} <= {one.id for one in vault.current()}
    assert vault.run().commit == ""


def test_a_conversation_of_many_notes_gets_a_summary_of_its_own(vault):
    notes = [
        f"We decided to move the {thing} to the new cluster because the old one lost packets every night. "
        f"Anna found that the {thing} needs {count} gigabytes of memory and wrote the plan for it."
        + " The rest of this note is only there to be long enough for a summary to be worth having."
        * 8
        for count, thing in enumerate(("database", "queue", "cache", "gateway"), 2)
    ]
    vault.write(*notes, session="s1", project="shop")
    summary = next(made.memory for made in vault.run().made if "session" in made.memory.tags)
    assert (summary.session, summary.project, summary.kind) == ("s1", "shop", "summary")
    assert len(summary.body) <= sum(map(len, notes)) // 10
    assert summary.supersedes == ()


def test_an_overview_grows_while_it_has_room(vault):
    def note(word):
        return f"Since Monday the {word} is built by the new pipeline, which Anna wrote in two days. " * 1 + (
            f"The {word} was slow before and nobody knew why it took an hour. " * 30
        )

    vault.write(*(note(word) for word in ("parser", "linker")), project="shop")
    first = next(made.memory for made in vault.run().made)
    vault.write(note("loader"), project="shop")
    second = next(made for made in vault.run().made)
    assert second.before == first
    assert set(first.body.split("\n")) < set(second.memory.body.split("\n"))
    assert set(second.memory.sources) > set(first.sources)


def test_an_overview_forgets_what_a_memory_said_before_it_was_edited(vault):
    def note(word):
        return f"Since Monday the {word} is built by the new pipeline, which Anna wrote in two days. " + (
            f"The {word} was slow before and nobody knew why it took an hour. " * 30
        )

    parser, _ = vault.write(note("parser"), note("linker"), project="shop", share=True)
    first = next(made.memory for made in vault.run().made)
    assert "Anna" in first.body and parser.id in first.sources
    for one in vault.all().values():
        if one.source != "consolidation":
            after = replace(one, body=one.body.replace("Anna", "Bertha"))
            revise(vault.store, one, after, "self")
    vault.run()
    shown = select(vault.all().values(), Rules(), vault.store.now()).published
    assert first.id in {one.id for one in shown}
    assert not [one.title for one in shown if "Anna" in one.body]


def test_the_topic_list_names_topics_and_the_memories_that_have_them(vault):
    colours = vault.write(
        *(f"The painting number {n} hangs in the hall, a painting in oil" for n in range(4)), project="p"
    )
    vault.write(*(f"Recipe {n}: the bread rises overnight, bread of rye" for n in range(10, 15)), project="p")
    index = next(one for one in vault.run().written if "topics" in one.tags)
    line = next(line for line in index.body.split("\n") if line.startswith("- painting"))
    assert all(memory.id[-6:] in line for memory in colours)
    assert not index.share
    assert "bread" in index.body


def test_a_memory_written_between_reading_and_writing_is_kept_and_its_merge_waits(vault):
    from gitmem.flows.consolidate.offline import OfflineEngine

    _, other = vault.write("Deploy on Fridays", "deploy on fridays!")

    class Slow(OfflineEngine):
        def plan(self, group):
            plan = super().plan(group)
            vault.store.replace(Memory(id=other.id, created=other.created, body="Deploy on Mondays", rev=2))
            return plan

    report = vault.run(Slow(vault.store.now()))
    assert (report.made, report.dropped) == ((), 1)
    assert {memory.body for memory in vault.current()} == {"Deploy on Fridays", "Deploy on Mondays"}
    assert vault.run().looked == 1


def test_the_same_memories_give_the_same_plan_everywhere(vault, conversations):
    from gitmem.flows.consolidate.gather import Scope, gather
    from gitmem.flows.consolidate.offline import OfflineEngine

    vault.store.write(memories_of(vault, conversations[:60]))
    plans = []
    for _ in range(2):
        found = gather(vault.store, Scope())
        plans.append([OfflineEngine("2026-11-20T00:00:00Z").plan(group) for group in found.groups])
    assert plans[0] == plans[1]


def test_nothing_new_ends_without_opening_anything(vault, monkeypatch):
    vault.write("Deploy on Fridays")
    vault.run()
    monkeypatch.setattr(type(vault.store), "load", lambda *_: pytest.fail("a memory was opened"))
    start = time.perf_counter()
    assert vault.run().commit == ""
    assert time.perf_counter() - start < 5


def test_an_overview_of_trusted_notes_is_not_watered_down_by_less_trusted_ones(vault):
    def note(word):
        said = f"Since Monday the {word} is built by the new pipeline, which Anna wrote in two days. "
        return said + f"The {word} was slow before and nobody knew why it took an hour. " * 30

    vault.write(note("parser"), note("linker"), trust="self")
    first = vault.run().made[0].memory
    vault.write(note("loader"), trust="assistant")
    second = vault.run().made[0]
    assert (first.trust, second.before, second.memory.trust) == ("self", None, "assistant")
    assert vault.store.get(first.id) == first

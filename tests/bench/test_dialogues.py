"""LoCoMo's conversations become memories whose units can be found again in their bodies."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import dialogues

TOY = str(Path(__file__).with_name("toy.json"))


@pytest.mark.parametrize(
    ("evidence", "places"),
    [
        (["D1:3"], {"c/D1:3"}),
        (["D8:6; D9:17"], {"c/D8:6", "c/D9:17"}),
        ("D:11:26", {"c/D11:26"}),
        (["D30:05", "D"], {"c/D30:5"}),
        ([["D1:1", "D1:2"]], {"c/D1:1", "c/D1:2"}),
        ([], set()),
        (None, set()),
    ],
)
def test_evidence_of_any_form_names_turns(evidence: object, places: set[str]) -> None:
    assert dialogues.places_named(evidence, "c") == places


def test_every_unit_lies_where_its_place_says() -> None:
    found = dialogues.load(TOY)
    (first, second) = dialogues.texts(found, "turns")
    assert first.memory.title == "Ada and Ben, conversation 1"
    assert first.memory.created == "2023-05-08T13:56:00Z"
    assert second.memory.created == "2023-09-13T00:09:00Z"
    assert (first.memory.project, first.memory.source) == ("toy", "toy/D1")
    lines = [first.memory.body[start:end] for start, end, _ in first.places]
    assert lines == [
        "**Ada**: Hello Ben! How was your weekend?",
        "**Ben**: I planted tomatoes behind the shed. [photo: a wheelbarrow]",
        "**Ada**: Lovely. I started to learn the cello.",
    ]
    assert "\n".join(lines) == first.memory.body
    assert [key for _, _, key in first.places] == ["toy/D1:1", "toy/D1:2", "toy/D1:3"]


def test_facts_are_the_lines_of_a_list() -> None:
    first = dialogues.texts(dialogues.load(TOY), "notes")[0]
    assert first.memory.body == "- Ada is learning the cello.\n- Ben planted tomatoes behind his shed."
    assert [key for _, _, key in first.places] == ["toy/D1#0", "toy/D1#1"]


def test_ids_are_the_same_in_every_run_and_differ_between_units() -> None:
    found = dialogues.load(TOY)
    ids = [[text.memory.id for text in dialogues.texts(found, unit)] for unit in ("turns", "turns", "notes")]
    assert ids[0] == ids[1]
    assert not set(ids[0]) & set(ids[2])


@pytest.mark.parametrize(
    ("unit", "keys"),
    [
        ("turns", [{"toy/D1:3"}, {"toy/D1:2", "toy/D2:1"}, {"toy/D2:1"}, set(), {"toy/D2:2"}]),
        ("notes", [{"toy/D1#0"}, {"toy/D1#1", "toy/D2#0"}, {"toy/D2#0"}, set(), set()]),
        ("sessions", [{"toy/D1"}, {"toy/D1", "toy/D2"}, {"toy/D2"}, set(), {"toy/D2"}]),
    ],
)
def test_what_answers_a_question(unit: str, keys: list[set[str]]) -> None:
    assert [found for _, found in dialogues.gold(dialogues.load(TOY), unit)] == keys

"""A small file goes all the way: through a sealed vault, the search, the figures and the table."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import dialogues
from bench.reference import Reference
from bench.relevance import compared, nameless

_TOY = str(Path(__file__).with_name("toy.json"))


def _rows(*arguments: str) -> Any:
    call = [sys.executable, "-m", "bench.locomo", _TOY, "--json", *arguments]
    root = Path(__file__).parents[2]
    done = subprocess.run(call, capture_output=True, text=True, check=True, cwd=root)
    return json.loads(done.stdout)


def test_five_questions_are_measured_end_to_end() -> None:
    found = _rows()
    assert found["left_out"] == {"turns": 1, "notes": 2, "sessions": 1}
    rows = {(row["units"], row["scope"], row["category"]): row for row in found["rows"]}
    assert len(rows) == len(found["rows"])
    for units, count in (("turns", 3), ("notes", 3), ("sessions", 3)):
        for scope in ("conversation", "pool"):
            row = rows[units, scope, "1-4"]
            assert row["n"] == count
            assert row["R@10"] == 1
            assert 0 < row["MRR"] <= 1
    assert rows["turns", "pool", "5"]["n"] == 1
    assert ("notes", "pool", "5") not in rows


def test_a_plain_index_ranks_the_same() -> None:
    rows = _rows("--plain")["rows"]
    assert [row["rankings"] for row in rows] == [10] * 4
    assert [row["different"] for row in rows] == [0] * 4


def test_one_kind_of_unit_can_be_measured_alone() -> None:
    rows = _rows("--units", "notes", "--scope", "pool", "--category", "4")["rows"]
    assert {(row["units"], row["scope"], row["category"]) for row in rows} == {
        ("notes", "pool", "1-4"),
        ("notes", "pool", "4"),
    }


def test_the_plain_reference_finds_words_by_their_stem() -> None:
    found = dialogues.load(_TOY)
    assert Reference(found, "turns").search("What was Ben planting?")[0] == "toy/D1:2"
    assert Reference(found, "notes").search("frost")[0] == "toy/D2#0"


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("When did Ada's teacher call Ben?", "When did teacher call ?"),
        ("Is the Adana road near Ben’s house?", "Is the Adana road near house?"),
    ],
)
def test_the_names_of_the_speakers_are_taken_out(question: str, left: str) -> None:
    assert nameless(question, ("Ada", "Ben")) == left


def test_relevance_is_compared_between_the_own_and_the_next_conversation() -> None:
    found = dialogues.load(_TOY) * 2
    perfect = compared(found, [lambda _: 0.9, lambda _: 0.9], 0.9)
    assert (perfect["n"], perfect["pass"], perfect["auc"]) == (6, 0, 0.5)
    assert (perfect["missed"], perfect["false_alarms"]) == (0, 1)

"""The figures of docs/claude.md, counted again: sizes of prompts, the arithmetic of a month, the prices."""

from __future__ import annotations

import json
import re

import messages_server as server
import pytest
from claude_changes import change

from gitmem.claude import prompts
from gitmem.claude.prices import MOST_TOKENS, PRICES, Usage
from gitmem.memory.plan import Group

DAYS, PROJECTS, NEW, KNOWN, CHANGES, THINKING = 30, 5, 10, 16, 3, 2_000
NARRATIVES, NARRATIVE = 6, (20_500, 1_000)


@pytest.fixture
def page(root):
    return (root / "docs" / "claude.md").read_text(encoding="utf-8")


def test_a_month_costs_what_the_manual_says(engine, messages, remembered, page):
    def some(number):
        return tuple(
            remembered("word " * 120, title="A typical title of a memory here", trust="assistant")
            for _ in range(number)
        )

    messages.script({"changes": []})
    engine().plan(Group("project", "", some(NEW), some(KNOWN)))
    (asked,) = messages.asked
    form = json.dumps(asked.body["output_config"]["format"]["schema"])
    request = sum(map(prompts.tokens, (asked.system, form, asked.text)))
    assert request == pytest.approx(9_200, rel=0.03)
    note = prompts.tokens(prompts.note(some(1)[0], 12, new=True))
    assert note == pytest.approx(250, rel=0.03)
    assert request - (NEW + KNOWN) * note == pytest.approx(2_700, rel=0.05)
    made = change(
        "create", (3, 17), kind="decision", title="x" * 48, text="x" * 350, topics=["deploy", "staging"],
        files=["infra/deploy.sh"], reason="Two notes say together what was decided and why.",
    )  # fmt: skip
    answer = THINKING + CHANGES * server.tokens([re.sub("'", '"', str(made))])
    assert answer == pytest.approx(2_700, rel=0.03)
    requests = DAYS * PROJECTS
    month = Usage(requests, fresh=requests * 9_200, out=requests * 2_700)
    assert (month.fresh, month.out) == (1_380_000, 405_000)
    told = Usage(1, fresh=DAYS * NARRATIVES * NARRATIVE[0], out=DAYS * NARRATIVES * NARRATIVE[1])
    haiku = PRICES["claude-haiku-5-5"]
    for amount in (month.dollars(haiku), told.dollars(haiku), (month + told).dollars(haiku)):
        assert f"${amount:.2f}" in page
    assert month.dollars(PRICES["claude-sonnet-5-5"]) == pytest.approx(20 * month.dollars(haiku))


def test_a_narrative_is_no_larger_than_the_manual_says(engine, messages, remembered):
    messages.script({"title": "x", "text": "y"})
    engine().narrate("", [remembered("word " * 120) for _ in range(150)])
    assert server.tokens(messages.asked[0].body) <= NARRATIVE[0] + 200


def test_the_manual_has_the_prices_of_the_program(page):
    rows = re.findall(r"^\| `(claude-[\w-]+)` \| ([\d.]+) / ([\d.]+) \|", page, re.MULTILINE)
    assert {name: (float(into), float(out)) for name, into, out in rows} == PRICES
    assert f"{MOST_TOKENS:,}" in page

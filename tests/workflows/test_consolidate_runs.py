"""The daily run, its steps executed for real: offline and with Claude, and what it sets off."""

from __future__ import annotations

import pytest

MARK = "xylophone"


def consolidate(vault, event="schedule"):
    """The daily run, and the runs that it set off."""
    run, *others = vault.actions.start(event, only="consolidate.yml" if event == "workflow_dispatch" else "")
    return run, others


@pytest.fixture
def twice(vault):
    """A vault in which one thing was said twice in other words."""
    vault.write(
        f"The {MARK} in the harbour office is tuned every spring by Ines Moreau from Lyon", "--project", "p"
    )
    vault.write(
        f"The {MARK} in the harbour office is tuned each spring by Ines Moreau from Lyon", "--project", "p"
    )
    return vault


def test_without_a_key_for_claude_the_offline_engine_works_and_the_run_is_green(twice):
    before = twice.repo.tip()
    run, others = consolidate(twice)
    assert run.result == "success", run.log
    assert twice.repo.tip() != before
    assert "offline" in run.log.lower()
    assert MARK not in run.log
    assert "Moreau" not in run.log
    assert run.summaries == ""
    assert [other.path.rpartition("/")[2] for other in others] == ["publish.yml"]
    assert others[0].result == "success", others[0].log  # the digest is off: nothing to deploy
    twice.sync()
    assert "Moreau" in "".join(twice.machine.bodies().values())
    twice.machine.run("verify")


def test_an_empty_secret_counts_as_none_and_a_second_run_finds_nothing_new(twice):
    twice.repo.secrets["ANTHROPIC_API_KEY"] = ""
    run, _ = consolidate(twice)
    assert run.result == "success", run.log
    assert "offline" in run.log.lower()
    before = twice.repo.tip()
    run, _ = consolidate(twice, "workflow_dispatch")
    assert run.result == "success", run.log
    assert "Nothing was new." in run.log
    assert twice.repo.tip() == before


def test_with_a_key_claude_is_asked_and_neither_key_nor_text_is_in_the_log(twice, messages):
    twice.repo.secrets["ANTHROPIC_API_KEY"] = messages.key
    twice.actions.env["ANTHROPIC_BASE_URL"] = messages.url
    messages.answer = lambda _: {"changes": []}
    run, _ = consolidate(twice)
    assert run.result == "success", run.log
    assert messages.asked
    assert any(MARK in request.text for request in messages.asked)
    assert MARK not in run.log
    assert messages.key not in run.log
    before = len(messages.requests)
    twice.actions.issue("Remember: one", "two")
    twice.actions.drain()
    twice.actions.start("workflow_dispatch", only="publish.yml")
    assert len(messages.requests) == before  # no other job has that key


def test_a_failed_consolidation_is_red_and_publishes_nothing(twice, messages):
    twice.repo.secrets["ANTHROPIC_API_KEY"] = "a-wrong-key"
    twice.actions.env["ANTHROPIC_BASE_URL"] = messages.url
    before = twice.repo.tip()
    run, others = consolidate(twice)
    assert run.result == "failure"
    assert others == []
    assert run.jobs["publish"].result == "skipped"
    assert twice.repo.tip() == before
    assert MARK not in run.log


def test_a_push_of_the_owners_in_between_loses_nothing(twice):
    # The owner writes while the job runs: the job's push is refused at first, and replayed on top.
    other = []
    twice.hub.fault(
        "git-receive-pack", run=lambda: other.append(twice.write("The ferry leaves at nine")), times=1
    )
    run, _ = consolidate(twice)
    assert run.result == "success", run.log
    twice.sync()
    assert other[0] in twice.machine.ids()
    twice.machine.run("verify")

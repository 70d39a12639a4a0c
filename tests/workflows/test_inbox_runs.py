"""From the event of an opened issue to the pushed commit and the closed issue, the steps run for real."""

from __future__ import annotations

from pathlib import Path

import pytest

MARK = "xylophone"  # what no log may ever show
TITLES = [
    f'Remember: {MARK} $(touch "$PWNED") `touch "$PWNED"`',
    f"Remember: {MARK} ${{{{ secrets.GITMEM_JOIN }}}} ${{{{ github.token }}}}",
    f"Remember: ::set-env name=PATH::{MARK}",
    f"Remember: \x1b[31m{MARK}\x1b]0;x\x07",
    f"Remember: {MARK}'; touch \"$PWNED\"; echo '",
    f"Remember: --event {MARK} -- ../../{MARK}",
]
BODY = (
    f'{MARK}"; touch "$PWNED"; echo "$(touch "$PWNED")\n::add-mask::{MARK}\n::set-env name=BASH_ENV::{MARK}\n'
    f"::set-output name=x::{MARK}\n::error file={MARK}::{MARK}\n##[add-path]{MARK}\n##[group]{MARK}\n"
    f'${{{{ toJSON(secrets) }}}}\n`touch "$PWNED"`\n\x1b[2J{MARK}\x00\nGITMEM_JOIN<<EOF\n{MARK}\nEOF\n'
    f"\u202e{MARK}"
)


@pytest.fixture
def trap(vault, tmp_path) -> Path:
    """The file that appears if any text of an issue is ever run."""
    place = tmp_path / "pwned"
    vault.actions.env["PWNED"] = str(place)
    return place


def bodies(vault):
    vault.sync()
    return vault.machine.bodies().values()


def test_hostile_issues_run_no_code_and_leave_no_trace_in_the_log(vault, trap):
    for title in TITLES:
        vault.actions.issue(title, BODY)
    runs = vault.actions.drain()
    assert len(runs) == len(TITLES)
    for run in runs:
        assert run.result == "success", run.log
        assert MARK not in run.log
        assert run.commands == []
        assert run.summaries == ""
        assert run.title == "gitmem inbox"
        assert vault.repo.secrets["GITMEM_JOIN"] not in run.log
    assert not trap.exists()
    assert sum(MARK in body for body in bodies(vault)) == len(TITLES)


def test_an_issue_becomes_a_pushed_memory_and_is_then_scrubbed_closed_and_locked(vault):
    before = vault.repo.tip()
    vault.actions.issue("Remember: the harbour", "It closes at four on Fridays #port")
    (run,) = vault.actions.drain()
    assert run.result == "success", run.log
    assert vault.repo.tip() != before
    issue = vault.repo.issues[1]
    assert (issue.state, issue.locked) == ("closed", True)
    assert "harbour" not in issue.title
    assert "Fridays" not in issue.body
    assert any("at four on Fridays" in body for body in bodies(vault))


def test_what_the_job_may_not_do_it_cannot_do(vault):
    vault.actions.issue("Remember: one", "two")
    vault.actions.drain()
    tokens = [token for token in vault.hub.tokens.values() if token.kind == "actions"]
    assert [token.permissions for token in tokens] == [{"contents": "write", "issues": "write"}]


def test_an_issue_of_a_stranger_starts_nothing(vault):
    vault.hub.user("mallory")
    vault.repo.collaborators.append("mallory")
    vault.actions.issue("Remember: evil", "evil", author="mallory")
    (run,) = vault.actions.drain()
    assert run.result == "skipped"
    assert vault.repo.issues[1].state == "open"


def test_nine_issues_opened_at_once_are_all_taken_in(vault):
    for number in range(9):
        assert len(vault.actions.issue(f"Remember: number {number}", f"It is item {number}")) == 1
    runs = vault.actions.drain()
    assert [run.result for run in runs] == ["success"] * 9
    assert all(issue.state == "closed" for issue in vault.repo.issues.values())
    found = [body for body in bodies(vault) if "It is item" in body]
    assert sorted(found) == sorted(set(found))
    assert len(found) == 9


def test_without_its_secret_the_job_fails_with_one_sentence(vault):
    del vault.repo.secrets["GITMEM_JOIN"]
    vault.actions.issue(f"Remember: {MARK}", MARK)
    (run,) = vault.actions.drain()
    assert run.result == "failure"
    assert "There is no vault on this machine." in run.log
    assert MARK not in run.log

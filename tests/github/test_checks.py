"""`gitmem doctor` on GitHub: each promise broken once, seen, and mended where that is safe."""

from __future__ import annotations

import time

import pytest

from github_server import GitHubServer
from github_state import Run
from machine import Machine

NAME = "ada/memory"
INBOX = ".github/workflows/inbox.yml"
CONSOLIDATE = ".github/workflows/consolidate.yml"


@pytest.fixture
def machine(tmp_path, github: GitHubServer) -> Machine:
    """A vault that was set up on GitHub."""
    machine = github.use(Machine.new(tmp_path / "one"))
    machine.run(
        "init", str(machine.vault), "--github", NAME, "--yes", "--anthropic-key-from", "K", env={"K": "x"}
    )
    return machine


@pytest.fixture
def repo(machine, github):
    return github.repositories[NAME]


def findings(machine, *options, code=None):
    done = machine.run("--json", "doctor", *options, code=code)
    return {one["name"]: one for one in done.json["findings"]}


ABOUT = (
    "GitHub repository",
    "GitHub token",
    "GitHub settings",
    "Actions secrets",
    "collaborators",
    "Actions permissions",
    "workflow state",
    "last run",
    "workflows",
    "branch gitmem-tool",
    "remote",
)


def test_after_init_all_is_well_on_github(machine, repo):
    found = findings(machine)
    assert {name: found[name]["ok"] for name in ABOUT} == dict.fromkeys(ABOUT, True), found
    assert "with one for Claude" in found["Actions secrets"]["detail"]


def test_offline_and_without_github_nothing_is_asked(machine, github, tmp_path):
    before = len(github.requests)
    assert "GitHub repository" not in findings(machine, "--offline")
    assert len(github.requests) == before
    other = Machine.new(tmp_path / "two").init()
    assert not any(name.startswith("GitHub") for name in findings(other, code=0))


def turn_public(repo):
    repo.private = False


def allow_squash(repo):
    repo.settings["allow_squash_merge"] = True


def switch_off_issues(repo):
    repo.settings["has_issues"] = False


def drop_key(repo):
    del repo.secrets["GITMEM_JOIN"]


def let_anything_run(repo):
    repo.actions.update(allowed_actions="all", sha_pinning_required=False)


def let_jobs_write(repo):
    repo.workflow_access["default_workflow_permissions"] = "write"


def fall_asleep(repo):
    repo.states[INBOX] = "disabled_inactivity"


BROKEN = {
    turn_public: ("GitHub repository", "public"),
    allow_squash: ("GitHub settings", "allow_squash_merge is not false"),
    switch_off_issues: ("GitHub settings", "has_issues is not true"),
    drop_key: ("Actions secrets", "GITMEM_JOIN is not set"),
    let_anything_run: ("Actions permissions", "anybody's actions may run"),
    let_jobs_write: ("Actions permissions", "jobs may write by default"),
    fall_asleep: ("workflow state", "inbox.yml: GitHub switched it off"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_broken_is_named_and_mended(machine, repo, broken):
    name, word = BROKEN[broken]
    broken(repo)
    found = findings(machine, code=3)[name]
    assert not found["ok"]
    assert word in found["detail"]
    assert "--fix" in found["mend"]
    assert findings(machine, "--fix")[name]["ok"]
    assert findings(machine)[name]["ok"]


def test_a_workflow_that_a_person_switched_off_stays_off(machine, repo):
    repo.states[CONSOLIDATE] = "disabled_manually"
    found = findings(machine, "--fix", code=3)["workflow state"]
    assert not found["ok"]
    assert "`gh workflow enable consolidate.yml`" in found["mend"]
    assert repo.states == {CONSOLIDATE: "disabled_manually"}


def test_somebody_else_who_may_push_can_read_the_key(machine, repo, github):
    github.user("bob")
    repo.collaborators.append("bob")
    found = findings(machine, code=3)["collaborators"]
    assert "bob" in found["detail"]
    assert "`gitmem rekey`" in found["mend"]
    del repo.secrets["GITMEM_JOIN"]
    assert findings(machine)["collaborators"]["ok"]


@pytest.mark.parametrize(
    ("days", "well", "words"), [(0, True, "today"), (2, True, "2 days ago"), (4, False, "4 days ago")]
)
def test_the_last_run_that_succeeded_is_dated(machine, repo, days, well, words):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * 86_400 - 60))
    repo.runs += [
        Run(1, CONSOLIDATE, "schedule", created_at=stamp),
        Run(2, CONSOLIDATE, "schedule", conclusion="failure"),
        Run(3, INBOX, "issues"),
    ]
    found = findings(machine)["last run"]
    assert (found["ok"], words in found["detail"]) == (well, True), found


def test_runs_that_all_failed_are_named(machine, repo):
    repo.runs.append(Run(1, CONSOLIDATE, "schedule", conclusion="failure"))
    found = findings(machine, code=3)["last run"]
    assert "no consolidation has succeeded" in found["detail"]
    assert f"{NAME}/actions" in found["mend"]


def test_a_schedule_that_never_starts_anything_is_named(machine, repo):
    repo.installed = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 9 * 86_400))
    found = findings(machine, code=3)["last run"]
    assert "has not started any in 9 days" in found["detail"]
    assert "`gh workflow run consolidate.yml`" in found["mend"]


def test_a_workflow_that_the_remote_changed_is_named_by_sync_and_doctor(machine, repo, tmp_path):
    other = tmp_path / "clone"
    git = machine.git
    git("clone", "-q", str(repo.place), str(other))
    vault, machine.vault = machine.vault, other
    (other / CONSOLIDATE).write_text("on: push\n")
    git("commit", "-q", "-a", "-m", "a change")
    git("push", "-q", "origin", "main")
    machine.vault = vault
    said = machine.run("sync").out
    assert "consolidate.yml" in said
    assert "the key is stolen" in said
    assert "`gitmem rekey`" in said
    found = findings(machine, code=3)["workflows"]
    assert "consolidate.yml" in found["detail"]
    assert findings(machine, "--fix")["workflows"]["ok"]
    assert repo.file(CONSOLIDATE) != "on: push\n"


def test_the_installation_by_another_of_ones_devices_raises_no_alarm(github, tmp_path):
    repo = github.repository(NAME)
    one = github.use(Machine.new(tmp_path / "one")).init()
    one.git("remote", "add", "origin", f"{github.url}/{NAME}.git")
    one.run("sync")
    two = github.use(Machine.new(tmp_path / "two")).join(one)
    one.run("init", str(one.vault), "--github", NAME, "--yes")
    assert CONSOLIDATE in repo.workflows()
    said = two.run("sync").out
    assert "another of your devices installed" in said
    assert "stolen" not in said
    assert "no seal speaks" not in said


def test_a_token_that_lacks_a_scope_is_named(machine, github):
    machine.env["GH_TOKEN"] = github.token_of("ada", {"repo"}).text
    found = findings(machine, code=3)
    assert "lacks the scope workflow" in found["GitHub token"]["detail"]
    assert "`gh auth refresh -s workflow`" in found["GitHub token"]["mend"]
    assert found["GitHub repository"]["ok"]


def test_without_a_token_the_rest_is_still_examined(machine, github):
    github.use(machine, "-")
    found = findings(machine, code=3)
    assert "no token" in found["github"]["detail"]
    assert "`gh auth login`" in found["github"]["mend"]
    assert found["history"]["ok"]


def test_what_the_token_may_not_see_hides_nothing_else(machine, repo, github):
    rights = {"contents": "write", "actions": "write", "administration": "write"}
    machine.env["GH_TOKEN"] = github.token_of("ada", set(), kind="fine", permissions=rights).text
    found = findings(machine, code=3)
    assert "secrets=read" in found["GitHub secrets"]["detail"]
    assert found["Actions permissions"]["ok"]


def test_a_repository_that_is_gone_is_named(machine, github):
    del github.repositories[NAME]
    found = findings(machine, code=3)["GitHub repository"]
    assert "gone, or this token may not see it" in found["detail"]


def test_a_record_that_names_another_github_gets_no_token(machine, github, http_remote):
    machine.run("config", "set", "github.url", http_remote.base)
    found = findings(machine, code=3)
    assert "another GitHub" in found["github"]["detail"]


def test_what_cannot_be_mended_keeps_nothing_else_from_being_mended(machine, repo, github):
    repo.settings["allow_squash_merge"] = True
    let_anything_run(repo)
    github.fault("/repos/ada/memory$", "PATCH", status=403, message="No", times=9)
    found = findings(machine, "--fix", code=3)
    assert "forbids" in found["mending GitHub settings"]["detail"]
    assert found["Actions permissions"]["ok"]


def test_the_key_is_put_into_no_repository_that_stays_public(machine, repo, github):
    turn_public(repo)
    drop_key(repo)
    github.fault("/repos/ada/memory$", "PATCH", status=403, message="No", times=9)
    found = findings(machine, "--fix", code=3)
    assert "is not private" in found["mending Actions secrets"]["detail"]
    assert repo.secrets.keys() == {"ANTHROPIC_API_KEY"}

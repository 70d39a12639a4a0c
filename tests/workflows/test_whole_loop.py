"""From `gitmem init --github` to a published page, by commands alone; Actions run what was really pushed."""

from __future__ import annotations

import pytest
from workflow_runner import Host

from machine import Machine

MARK = "xylophone"


@pytest.fixture
def desk(github, tmp_path):
    """A machine on which `gitmem init --github` was run, by an owner whose plan has Pages."""
    github.users["ada"].plan = "pro"
    machine = github.use(Machine.new(tmp_path))
    machine.run("config", "set", "sync.auto", "false")
    machine.run("init", str(machine.vault), "--github", "ada/memory", "--yes")
    return machine


@pytest.fixture
def actions(desk, github, tmp_path):
    """Actions of the repository that it made."""
    return Host(github, github.repositories["ada/memory"], tmp_path / "actions")


def test_init_write_publish_remember_consolidate_and_a_new_key(desk, actions, github):
    repo = actions.repo
    desk.run("write", "-", "--share", stdin=f"The {MARK} is played on Sundays".encode())
    desk.run("sync")
    desk.run("publish", "--to", "pages")
    desk.run("sync")
    path, _ = repo.dispatches[-1]
    assert path == ".github/workflows/publish.yml"
    (run,) = actions.start("workflow_dispatch", only="publish.yml")
    assert run.result == "success", run.log
    url = desk.run("--json", "url").json["url"]
    page = max((name for name in actions.site if url.endswith(f"/{name}")), key=len)
    assert MARK.encode() in actions.site[page]
    assert page.split("/")[0] not in run.log

    actions.issue("Remember: the ferry", "It leaves at nine")
    (run,) = actions.drain()
    assert run.result == "success", run.log
    first, *others = actions.start("schedule")
    assert [one.result for one in (first, *others)] == ["success", "success"], first.log
    desk.run("sync")
    assert any("leaves at nine" in body for body in desk.bodies().values())

    old = repo.secrets["GITMEM_JOIN"]
    desk.run("rekey", "--yes")
    assert repo.secrets["GITMEM_JOIN"] != old
    actions.issue("Remember: the key", "It hangs behind the door")
    (run,) = actions.drain()
    assert run.result == "success", run.log
    repo.secrets["GITMEM_JOIN"] = old
    (run,) = actions.start("workflow_dispatch", only="inbox.yml")
    assert run.result == "failure"
    assert "exit code 12" in run.log
    assert MARK not in run.log
    desk.run("sync")
    assert any("behind the door" in body for body in desk.bodies().values())
    desk.run("verify")

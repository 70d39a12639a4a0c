"""A new key of the vault reaches the jobs on GitHub that had the old one, and no others."""

from __future__ import annotations

import pytest

from gitmem.vault import joincode
from machine import Machine

NAME = "ada/memory"


@pytest.fixture
def machine(tmp_path, github):
    return github.use(Machine.new(tmp_path / "one"))


def init(machine, *options):
    machine.run("init", str(machine.vault), "--github", NAME, "--yes", *options)


def test_a_rekey_gives_jobs_the_new_key_and_its_floor(machine, github):
    init(machine)
    repo = github.repositories[NAME]
    old = joincode.decode(repo.secrets["GITMEM_JOIN"])
    done = machine.run("rekey", "--yes")
    new = joincode.decode(repo.secrets["GITMEM_JOIN"])
    assert "GITMEM_JOIN" in done.out + done.err
    assert new.identity_text != old.identity_text
    assert machine.run("key", "show").out.strip().endswith(new.identity_text)
    assert new.floor == repo.tip()
    assert new.remote == f"{github.url}/{NAME}.git"


def test_where_no_job_had_the_key_none_gets_it(machine, github):
    init(machine, "--no-actions")
    machine.run("rekey", "--yes")
    assert github.repositories[NAME].secrets == {}


def test_github_that_cannot_be_asked_is_said_and_doctor_mends_it(machine, github):
    init(machine)
    repo = github.repositories[NAME]
    before = repo.secrets["GITMEM_JOIN"]
    github.fault("/actions/secrets", status=502, times=99)
    done = machine.run("rekey", "--yes", code=None)
    assert "stop working" in done.out + done.err
    assert repo.secrets["GITMEM_JOIN"] == before
    github.faults.clear()
    init(machine)  # the documented way: run it again
    assert joincode.decode(repo.secrets["GITMEM_JOIN"]).identity_text != joincode.decode(before).identity_text

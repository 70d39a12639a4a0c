"""After a rekey the jobs on GitHub have the new key if they had the old one, and nobody else gets it."""

from __future__ import annotations

import pytest

from github_server import GitHubServer
from gitmem.vault import joincode
from machine import Machine

NAME = "ada/memory"


@pytest.fixture
def machine(tmp_path, github: GitHubServer) -> Machine:
    machine = github.use(Machine.new(tmp_path / "one"))
    machine.vault = machine.home / "memory"
    machine.run("config", "set", "sync.auto", "false")
    return machine


def key(machine: Machine) -> str:
    return machine.run("key", "show").out.strip()


def test_the_secret_is_replaced_in_the_same_command(machine, github):
    machine.run("init", str(machine.vault), "--github", NAME, "--yes")
    repo = github.repositories[NAME]
    before = joincode.decode(repo.secrets["GITMEM_JOIN"])
    assert before.identity_text == key(machine)
    assert NAME in machine.run("rekey", "--dry-run").out
    assert joincode.decode(repo.secrets["GITMEM_JOIN"]) == before
    done = machine.run("rekey", "--yes")
    assert f"The jobs of {NAME} have the new key" in done.out
    after = joincode.decode(repo.secrets["GITMEM_JOIN"])
    assert after.identity_text == key(machine) != before.identity_text
    assert after.floor == repo.tip() == machine.git("rev-parse", "HEAD").strip()
    assert (after.remote, after.branch, after.vault_id) == (before.remote, before.branch, before.vault_id)
    assert key(machine) not in done.out + done.err


def test_a_vault_whose_key_was_never_given_away_keeps_it_at_home(machine, github):
    machine.run("init", str(machine.vault), "--github", NAME, "--yes", "--no-actions")
    done = machine.run("rekey", "--yes")
    assert github.repositories[NAME].secrets == {}
    assert "jobs" not in done.out


def test_a_failure_is_said_in_one_sentence_with_the_way_to_mend_it(machine, github):
    machine.run("init", str(machine.vault), "--github", NAME, "--yes")
    repo = github.repositories[NAME]
    old = joincode.decode(repo.secrets["GITMEM_JOIN"])
    github.fault(r"/actions/secrets/GITMEM_JOIN", "PUT", status=403, message="Resource not accessible")
    done = machine.run("rekey", "--yes")
    assert f"Jobs of {NAME} with the old key stop working" in done.out
    assert joincode.decode(repo.secrets["GITMEM_JOIN"]) == old
    assert machine.run("--json", "verify").json["verdicts"].keys() == {"sealed"}
    machine.run("init", str(machine.vault), "--github", NAME, "--yes")  # the way that was named
    assert joincode.decode(repo.secrets["GITMEM_JOIN"]).identity_text == key(machine)


def test_without_a_token_the_rekey_is_done_and_the_rest_is_said(machine, github):
    machine.run("init", str(machine.vault), "--github", NAME, "--yes")
    repo = github.repositories[NAME]
    machine.git("remote", "set-url", "origin", str(repo.place))
    env = {
        "GH_TOKEN": None,
        "GITHUB_TOKEN": None,
        "GH_ENTERPRISE_TOKEN": None,
        "GITHUB_ENTERPRISE_TOKEN": None,
    }
    done = machine.run("rekey", "--yes", env=env)
    assert "stop working: There is no token for GitHub here." in done.out
    assert machine.run("key", "fingerprint").out.strip()


_RECORD = """
import sys
from gitmem import app
from gitmem.flows import records
store = app.open_store(sys.argv[1])
records.keep(store, "github", {**records.read(store, "github"), "repository": sys.argv[2]}, "set up")
"""


def test_a_record_that_names_another_repository_gets_no_key_sent_there(machine, github):
    machine.run("init", str(machine.vault), "--github", NAME, "--yes")
    other = github.repository("ada/shared")  # one that a thief of the old key may write to, too
    other.secrets["GITMEM_JOIN"] = "old"
    machine.python(_RECORD, str(machine.vault), "ada/shared")  # by the old key, before it was replaced
    done = machine.run("rekey", "--yes")
    assert "is not at ada/shared" in done.out + done.err
    machine.run("doctor", "--fix", code=None)
    assert other.secrets == {"GITMEM_JOIN": "old"}
    del other.secrets["GITMEM_JOIN"]
    machine.run("doctor", "--fix", code=None)
    assert other.secrets == {}

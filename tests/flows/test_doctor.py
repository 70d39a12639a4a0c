"""Doctor sees each broken promise, says how to mend it, and mends what is safe."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time

import pytest


@pytest.fixture
def vault(run_gitmem, tmp_path):
    assert run_gitmem(["init", "vault", "--yes"]).code == 0
    assert run_gitmem(["write", "one"]).code == 0
    return tmp_path / "vault"


@pytest.fixture
def doctor(run_gitmem):
    def examine(*options, env=None):
        done = run_gitmem(["doctor", "--json", *options], env=env)
        report = json.loads(done.out)
        assert done.code == (0 if report["well"] else 3)
        return {found["name"]: found for found in report["findings"] if not found["ok"]}

    return examine


def git(vault, *words):
    return subprocess.run(["git", "-C", vault, *words], check=True, capture_output=True, text=True).stdout


def test_a_fresh_vault_is_well(vault, doctor, run_gitmem):
    assert doctor() == {}
    assert run_gitmem(["doctor"]).out.endswith("All is well.\n")


def test_lost_git_settings_are_named_and_set_again(vault, doctor):
    git(vault, "config", "--unset", "diff.gitmem.textconv")
    git(vault, "config", "pull.rebase", "true")
    broken = doctor()
    assert set(broken) == {"git setup", "plain history"}
    assert "diff.gitmem.textconv" in broken["git setup"]["detail"]
    assert "pull.rebase" in broken["git setup"]["detail"]
    assert doctor("--fix") == {}
    assert git(vault, "config", "pull.rebase") == "false\n"


def test_lost_attributes_are_committed_again_beside_the_users_own(vault, doctor):
    (vault / ".gitattributes").write_text("*.png binary")
    git(vault, "-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qam", "mine")
    assert set(doctor()) == {"attributes"}
    assert doctor("--fix") == {}
    lines = git(vault, "show", "HEAD:.gitattributes").splitlines()
    assert lines[0] == "*.png binary"
    assert any(line.startswith("memories/**") for line in lines)
    assert git(vault, "status", "--short") == ""


def test_a_vault_that_went_away_is_forgotten(vault, doctor, run_gitmem, tmp_path):
    assert run_gitmem(["init", "other", "--yes"]).code == 0
    shutil.rmtree(tmp_path / "other")
    assert set(doctor("--vault", vault)) == {"known vaults"}
    assert doctor("--vault", vault, "--fix") == {}
    assert run_gitmem(["list"]).code == 0  # one vault is known again, so none needs to be named


def test_a_stale_lock_is_removed_and_a_fresh_one_left(vault, doctor):
    lock = vault / ".git" / "index.lock"
    lock.touch()
    assert doctor() == {}
    old = time.time() - 3600
    os.utime(lock, (old, old))
    assert set(doctor()) == {"locks"}
    assert lock.exists()
    assert doctor("--fix") == {}
    assert not lock.exists()


def test_readable_files_in_memories_are_pointed_out(vault, doctor):
    (vault / "memories" / "todo.md").write_text("plain")
    assert "memories/todo.md" in doctor()["files in memories/"]["detail"]
    (vault / "memories" / "todo.md").unlink()
    assert doctor() == {}


def test_a_missing_key_hides_no_other_finding(vault, doctor, home):
    for path in (home / ".config" / "gitmem" / "keys").iterdir():
        path.unlink()
    git(vault, "config", "--unset", "merge.gitmem.driver")
    broken = doctor()
    assert {"key", "history", "git setup"} <= set(broken)
    assert "gitmem key restore" in broken["key"]["mend"]


def test_a_forged_commit_is_a_finding_not_a_failure(vault, doctor):
    path = next((vault / "memories").rglob("*.age"))
    path.write_bytes(path.read_bytes()[::-1])
    git(vault, "-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qam", "forged")
    broken = doctor()
    assert "history" in broken
    assert "gitmem trust" in broken["history"]["mend"]


def test_a_broken_index_is_no_problem_at_all(vault, doctor, run_gitmem):
    index = vault / ".git" / "gitmem" / "index.db"
    index.write_bytes(b"not a database" * 100)
    assert "one" in run_gitmem(["search", "one"]).out
    assert doctor() == {}


def test_a_remote_that_went_away_is_named_unless_offline(vault, doctor, run_gitmem, bare):
    git(vault, "remote", "add", "origin", str(bare))
    assert set(doctor()) == {"last sync"}
    assert run_gitmem(["sync"]).code == 0
    assert doctor() == {}
    shutil.rmtree(bare)
    assert "does not answer" in doctor()["remote"]["detail"]
    assert doctor("--offline") == {}


def test_no_vault_is_an_error_and_not_a_diagnosis(run_gitmem):
    assert run_gitmem(["doctor"]).code == 10


def test_status_counts_what_is_not_pushed_and_what_is_not_sealed(vault, run_gitmem, bare):
    def status():
        return json.loads(run_gitmem(["status", "--json"]).out)

    run_gitmem(["config", "set", "sync.auto", "no"])
    git(vault, "remote", "add", "origin", str(bare))
    assert (status()["last_sync"], status()["ahead"]) == ("", 0)
    assert run_gitmem(["sync"]).code == 0
    run_gitmem(["write", "two"])
    (vault / "README.md").write_text("mine")
    git(vault, "add", "README.md")
    git(vault, "-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qm", "my own")
    now = status()
    assert (now["ahead"], now["behind"], now["unsealed"], now["memories"]) == (2, 0, 1, 2)
    assert "1 plain commit" in run_gitmem(["status"]).out
    run_gitmem(["write", "three"])
    assert status()["unsealed"] == 0

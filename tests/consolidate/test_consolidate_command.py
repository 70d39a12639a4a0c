"""`gitmem consolidate` and `gitmem review` as commands: what they print, and what they must not."""

import json
import subprocess

import pytest

from gitmem.errors import ModelError

MARK = "Quokkamarker"
NOTES = (f"{MARK} prefers dark mode in all editors.", f"The {MARK} prefers dark mode in editors")


@pytest.fixture
def gitmem(run_gitmem, tmp_path, bare):
    """The command in a vault with two twins, and a remote."""

    def run(*args, code=0, **options):
        done = run_gitmem(["--vault", tmp_path / "v", *args], **options)
        assert done.code == code, done.err
        return done

    assert run_gitmem(["init", tmp_path / "v", "--remote", bare]).code == 0
    for note in NOTES:
        run("write", "-", stdin=note, env={"GITMEM_SYNC_AUTO": "false"})
    return run


def test_a_dry_run_shows_what_stays_what_goes_and_why_and_writes_nothing(gitmem):
    before = gitmem("log", "--json").out
    done = gitmem("consolidate", "--engine", "offline", "--dry-run")
    lines = done.out.splitlines()
    assert lines[0].startswith("merge     ")
    assert any(line.strip().startswith("replaces ") for line in lines)
    assert any("because both say the same" in line for line in lines)
    assert lines[-1] == "Nothing was written."
    assert all(len(line) <= 80 for line in lines)
    assert gitmem("log", "--json").out == before


def test_it_merges_says_how_to_take_it_back_and_has_nothing_to_do_the_second_time(gitmem):
    assert "gitmem undo" in gitmem("consolidate").out
    assert len(json.loads(gitmem("list", "--json").out)["memories"]) == 1
    assert gitmem("consolidate").out == "Nothing was new.\n"
    gitmem("undo")
    assert len(json.loads(gitmem("list", "--json").out)["memories"]) == 2


def test_json_has_the_steps_with_their_memories(gitmem):
    report = json.loads(gitmem("consolidate", "--engine", "offline", "--json").out)
    assert (report["engine"], report["looked"], len(report["made"])) == ("offline", 2, 1)
    assert report["made"][0]["step"]["action"] == "merge"
    assert MARK in report["made"][0]["memory"]["body"]


@pytest.mark.parametrize("arguments", [(), ("--dry-run",), ("--json",), ("--mode", "propose")])
def test_in_actions_nothing_but_counts_is_printed(gitmem, arguments):
    done = gitmem("consolidate", "--engine", "offline", *arguments, env={"GITHUB_ACTIONS": "true"})
    said = done.out + done.err
    ids = [one["short_id"] for one in json.loads(gitmem("list", "--all", "--json").out)["memories"]]
    assert MARK not in said
    assert "dark mode" not in said
    assert not any(memory_id in said for memory_id in ids)
    assert "2" in said


def test_in_actions_the_commit_is_on_the_remote_when_the_command_ends(gitmem, bare):
    gitmem("consolidate", "--engine", "offline", env={"GITHUB_ACTIONS": "true"})
    out = subprocess.run(
        ["git", "-C", bare, "log", "-1", "--format=%s", "main"], capture_output=True, text=True
    )
    assert out.stdout == "consolidate 1 memory\n"


def test_a_proposal_is_shown_decrypted_and_accepted(gitmem):
    assert "gitmem review" in gitmem("consolidate", "--engine", "offline", "--mode", "propose").out
    assert len(json.loads(gitmem("list", "--json").out)["memories"]) == 2
    assert "supersedes" in gitmem("review").out
    assert MARK in gitmem("review").out
    assert MARK not in gitmem("review", env={"GITHUB_ACTIONS": "true"}).out
    assert "gitmem review" in gitmem("consolidate", "--engine", "offline", "--mode", "propose").out
    assert gitmem("review", "--accept").out.startswith("Accepted: 1 memory.")
    assert len(json.loads(gitmem("list", "--json").out)["memories"]) == 1
    assert "No proposal is waiting" in gitmem("review", code=14).err


def test_a_rejected_proposal_does_not_come_back(gitmem):
    gitmem("consolidate", "--engine", "offline", "--mode", "propose")
    assert gitmem("review", "--reject").out.startswith("Rejected: 1 memory.")
    assert gitmem("consolidate", "--engine", "offline", "--mode", "propose").out == "Nothing was new.\n"
    assert len(json.loads(gitmem("list", "--json").out)["memories"]) == 2


def test_without_a_key_claude_is_not_asked_for_and_asking_for_it_says_what_to_do(gitmem):
    done = gitmem("consolidate", "--engine", "claude", code=ModelError.exit_code)
    assert "offline" in done.err
    assert json.loads(gitmem("consolidate", "--json").out)["engine"] == "offline"

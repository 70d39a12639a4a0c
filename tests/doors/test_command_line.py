"""The command as a process: what it costs to start, how it fails, what it leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from gitmem.doors.cli.main import COMMANDS, SECTIONS

HEAVY = {
    "cryptography",
    "sqlcipher3",
    "yaml",
    "anthropic",
    "github",
    "jinja2",
    "subprocess",
    "tempfile",
    "pathlib",
    "logging",
}
MARK = "xyzzy-plover-4462"


def imported(arguments, cwd):
    """The modules that one command imports."""
    script = "import sys; from gitmem.doors.cli.main import run; run(sys.argv[1:]); "
    script += "print(*sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.fixture
def vault(run_gitmem, tmp_path):
    assert run_gitmem(["init", "vault", "--yes"]).code == 0
    return tmp_path / "vault"


def test_help_imports_nothing_but_click_and_the_table(tmp_path):
    modules = imported(["--help"], tmp_path)
    ours = {name for name in modules if name.startswith("gitmem.") and "." in name[7:]}
    assert ours == {"gitmem.doors.cli", "gitmem.doors.cli.main", "gitmem.doors.cli.verb"}
    assert modules & (HEAVY | {"json", "hashlib"}) == set()


@pytest.mark.parametrize("arguments", [["write", "hello"], ["read"], ["search", "hello"], ["list"]])
def test_the_commands_of_every_day_import_nothing_slow(vault, tmp_path, arguments):
    modules = imported(arguments, tmp_path)
    assert "gitmem.store" in modules
    slow = HEAVY - {"cryptography", "sqlcipher3"}
    # OpenSSL a second time, a dataclass of twenty fields, the names of weekdays: 1 to 4 ms each.
    assert modules & (slow | {"calendar", "dataclasses", "hashlib", "hmac", "locale"}) == set()


def test_every_section_of_the_help_has_commands_and_every_command_a_section(run_gitmem):
    said = run_gitmem(["--help"]).out
    assert [line for line in said.splitlines() if len(line) > 80] == []
    for section in SECTIONS:
        assert f"\n{section}:\n" in said
    for name, entry in COMMANDS.items():
        assert entry.section in SECTIONS
        assert f"  {name} " in said


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_command(run_gitmem, shell):
    done = run_gitmem(["completion", shell])
    assert done.code == 0
    assert "_GITMEM_COMPLETE" in done.out


def complete(run_gitmem, line):
    words = line.split(" ")
    env = {"_GITMEM_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    return [found.partition(",")[2] for found in run_gitmem([], env=env).out.splitlines()]


def test_commands_options_and_short_ids_complete(vault, run_gitmem):
    short = run_gitmem(["write", "complete me"]).out.split()[1]
    assert complete(run_gitmem, "gitmem se") == ["search"]
    assert "--title" in complete(run_gitmem, "gitmem write --t")
    assert complete(run_gitmem, f"gitmem read {short[:3].lower()}") == [short]


def test_options_shared_by_all_stand_before_or_after_the_command(vault, run_gitmem, tmp_path):
    os.makedirs(tmp_path / "away")
    for line in (["--vault", vault, "--json", "list"], ["list", "--vault", vault, "--json"]):
        done = run_gitmem(line, cwd=tmp_path / "away")
        assert json.loads(done.out) == {"memories": [], "total": 0}


def test_a_bug_is_one_sentence_and_a_report_without_any_text(vault, run_gitmem, home):
    run_gitmem(["write", MARK])
    index = vault / ".git" / "gitmem" / "index.db"
    for path in index.parent.glob("index.db*"):
        path.unlink()
    index.mkdir()  # something that no code expects
    (index / "x").touch()
    code = (
        "import sys; from gitmem.doors.cli import main; "
        f"main.run = lambda a: (_ for _ in ()).throw(ValueError('{MARK}')); "
        "sys.argv = ['gitmem', 'list']; import gitmem.__main__ as m; m.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 70
    assert done.stderr.count("\n") == 2
    assert MARK not in done.stderr + done.stdout
    (report,) = (home / ".local" / "state" / "gitmem" / "reports").iterdir()
    assert "ValueError" in report.read_text()
    assert MARK not in report.read_text()


def test_an_interrupt_ends_with_130(vault, tmp_path):
    program = subprocess.Popen(
        [sys.executable, "-m", "gitmem", "write", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    program.stdin.write(b"half a thought")
    program.stdin.flush()
    import time

    time.sleep(0.7)
    program.send_signal(2)
    assert program.wait(10) == 130
    assert b"Traceback" not in program.stderr.read()


def test_under_claude_code_a_memory_is_the_assistants_and_names_its_session(vault, run_gitmem):
    env = {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "abc-123"}
    written = json.loads(run_gitmem(["write", "by claude", "--json"], env=env).out)["memory"]
    assert (written["trust"], written["session"]) == ("assistant", "abc-123")
    typed = json.loads(run_gitmem(["write", "by me", "--json"]).out)["memory"]
    assert (typed["trust"], typed.get("session")) == ("self", None)


def test_an_edit_by_claude_lowers_the_trust_and_mine_does_not_raise_it(vault, run_gitmem):
    short = run_gitmem(["write", "by me"]).out.split()[1]
    run_gitmem(["edit", short, "--tag", "x"], env={"CLAUDECODE": "1"})
    assert "trust assistant" in run_gitmem(["read", short]).out
    run_gitmem(["edit", short, "--tag", "y"])
    assert "trust assistant" in run_gitmem(["read", short]).out


def test_a_title_nobody_chose_follows_its_text(vault, run_gitmem):
    short = run_gitmem(["write", "old text"]).out.split()[1]
    assert run_gitmem(["edit", short, "--body", "-"], stdin="new text").out.endswith("new text\n")
    run_gitmem(["edit", short, "--title", "Mine"])
    assert run_gitmem(["edit", short, "--body", "newest"]).out.endswith("Mine\n")


def test_a_write_with_a_remote_is_pushed_behind_the_back(vault, run_gitmem, bare):
    import time

    subprocess.run(["git", "-C", vault, "remote", "add", "origin", bare], check=True)
    run_gitmem(["write", "pushed later"])
    end = time.monotonic() + 20
    heads = b""
    while not heads and time.monotonic() < end:
        time.sleep(0.1)
        heads = subprocess.run(["git", "-C", bare, "branch", "--list", "main"], capture_output=True).stdout
    assert b"main" in heads


def test_many_writes_leave_one_push_running_and_nothing_behind(vault, run_gitmem, bare):
    import time

    subprocess.run(["git", "-C", vault, "remote", "add", "origin", bare], check=True)
    for number in range(6):
        assert run_gitmem(["write", f"number {number}"]).code == 0
    tip = subprocess.run(["git", "-C", vault, "rev-parse", "main"], capture_output=True, text=True).stdout
    end, there = time.monotonic() + 30, ""
    while there != tip and time.monotonic() < end:
        time.sleep(0.1)
        there = subprocess.run(
            ["git", "-C", bare, "rev-parse", "main"], capture_output=True, text=True
        ).stdout
    assert there == tip


def test_the_working_folder_cannot_make_the_push_run_its_own_code(vault, run_gitmem, bare, tmp_path):
    import time

    subprocess.run(["git", "-C", vault, "remote", "add", "origin", bare], check=True)
    trap = tmp_path / "trap"
    (trap / "gitmem").mkdir(parents=True)
    for name in ("gitmem/__init__.py", "gitmem/__main__.py", "json.py"):
        (trap / name).write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\n")
    script = "import sys; from gitmem.doors.cli.main import run; sys.exit(run(['write', 'x']))"
    subprocess.run([sys.executable, "-P", "-c", script], cwd=trap, check=True, stdin=subprocess.DEVNULL)
    time.sleep(1.5)
    assert not (tmp_path / "sprung").exists()


def test_commands_that_start_at_once_in_a_fresh_container_share_one_clone(vault, run_gitmem, bare, tmp_path):
    subprocess.run(["git", "-C", vault, "remote", "add", "origin", bare], check=True)
    run_gitmem(["write", "shared"])
    assert run_gitmem(["sync"]).code == 0
    code = run_gitmem(["invite"]).out.strip()
    fresh = tmp_path / "container"
    folders = {f"XDG_{name}_HOME": str(fresh / name) for name in ("CONFIG", "DATA", "STATE")}
    env = {**os.environ, **folders, "HOME": str(fresh), "GITMEM_JOIN": code}
    listing = [sys.executable, "-m", "gitmem", "list"]
    programs = [
        subprocess.Popen(listing, env=env, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    answers = [(program.communicate(timeout=60)[0], program.returncode) for program in programs]
    assert all(b"shared" in said and code == 0 for said, code in answers)
    assert len(list((fresh / "DATA" / "gitmem" / "vaults").iterdir())) == 1
    assert not (fresh / "CONFIG").exists()

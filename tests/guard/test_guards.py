"""The fence of the test run itself: it must be there, or the other tests prove less than they say."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import gitmem
import guards
import parts


def test_no_test_can_connect_to_the_outside():
    with socket.socket() as client, pytest.raises(guards.OutsideError):
        client.connect(("192.0.2.1", 80))
    with pytest.raises(guards.OutsideError):
        socket.getaddrinfo("example.com", 80)


def test_the_loopback_stays_open():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()[:2]) as client,
    ):
        assert client.getpeername() == server.getsockname()


@pytest.mark.parametrize(
    "name", [".gitconfig", ".ssh/config", ".config/gitmem/config.toml", ".claude/settings.json"]
)
def test_no_test_can_open_what_is_in_the_real_home(name):
    with pytest.raises(guards.OutsideError):
        Path(guards._REAL_HOME, name).read_bytes()


def test_home_and_temporary_files_belong_to_the_test(home):
    assert Path.home() == home
    assert Path(tempfile.mkdtemp()).is_relative_to(home)
    assert list(home.glob(".config")) == []


def test_variables_that_steer_git_gitmem_or_claude_are_gone():
    real = {
        "GIT_DIR": "/x",
        "GITMEM_KEY": "k",
        "ANTHROPIC_API_KEY": "a",
        "CLAUDECODE": "1",
        "EDITOR": "vi",
        "KEEP": "1",
    }
    clean = dict(guards.clean_environment(real, "/home-of-the-test"))
    assert not {"GIT_DIR", "GITMEM_KEY", "ANTHROPIC_API_KEY", "CLAUDECODE", "EDITOR"} & set(clean)
    assert clean["KEEP"] == "1"
    assert not {name for name in os.environ if name.startswith(("GITMEM_", "ANTHROPIC_", "CLAUDE"))}


def test_children_see_the_same_home_and_no_user_configuration(home):
    seen = subprocess.check_output(["git", "config", "--list", "--show-origin"], text=True, cwd=home)
    assert seen == ""
    child = "import os, gitmem; print(os.path.expanduser('~')); print(gitmem.__version__)"
    out = subprocess.check_output([sys.executable, "-c", child], text=True, cwd=home).split()
    assert out[0] == str(home)


def test_the_command_runs_as_a_process_of_its_own(run_gitmem, home):
    done = run_gitmem(["--version"])
    assert (done.code, done.err) == (0, "")
    assert gitmem.__version__ in done.out
    assert run_gitmem(["no-such-command"], stdin="text", env={"HOME": None}, cwd=home).code == 2


def test_the_clock_moves_only_when_told(clock):
    assert clock.now() == "2026-11-20T07:00:00Z"
    assert clock.advance(60) == "2026-11-20T07:01:00Z"
    assert clock.new_id()[:6] == clock.new_id()[:6]
    assert clock.new_id() != clock.new_id()


def test_a_missing_part_skips_at_home_and_fails_in_ci(monkeypatch):
    monkeypatch.setattr(parts, "IN_CI", False)
    with pytest.raises(pytest.skip.Exception, match="needs chromium: not found"):
        parts.missing("chromium", "not found")
    monkeypatch.setattr(parts, "IN_CI", True)
    with pytest.raises(pytest.fail.Exception):
        parts.missing("chromium", "not found")
    monkeypatch.setattr(parts, "WITHOUT", frozenset({"chromium"}))
    with pytest.raises(pytest.skip.Exception):
        parts.missing("chromium", "not found")

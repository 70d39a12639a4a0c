"""Nothing of a memory or a key leaves the sealed files: not to git, the disk, a log, or a command line."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from machine import Machine

MARKS = (b"xylotitle", b"xylotag", b"xyloproject", b"xylobody", b"xyloedit", b"xyloside", b"xyloother")
WRAPPER = """#!/bin/sh
{{ printf 'argv'; for one; do printf ' %s' "$one"; done; printf '\\n'; env; }} >> {log}
exec {git} "$@"
"""
# What a terminal would obey: a colour, a window title, a C1 sequence, a bell, a reversed text, a hidden one.
NASTY = "a\x1b[31mred\x1b]0;title\x07 \x9b2J bell\x07 \u202ereversed\u202c \u2066x\u2069 \x08\x7f\r end"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")


@pytest.fixture
def watched(another: Callable[[], Machine], bare: Path, tmp_path: Path) -> Iterator[tuple[Machine, Path]]:
    """A machine whose every git writes down its arguments and environment, with a folder as its remote."""
    machine, folder, log = another(), tmp_path / "bin", tmp_path / "git-log"
    folder.mkdir()
    (folder / "git").write_text(WRAPPER.format(log=log, git=shutil.which("git")))
    (folder / "git").chmod(0o755)
    machine.env["PATH"] = f"{folder}:{machine.env['PATH']}"
    machine.init("--remote", str(bare))
    yield machine, log


def _secrets(machine: Machine, age_program: str) -> set[bytes]:
    """Every run of twelve characters of the key and of its recipient."""
    from gitmem.vault.keys import Identity

    text = next((machine.home / ".config" / "gitmem" / "keys").iterdir()).read_text()
    identity = Identity.parse(text)
    public = subprocess.run(
        [f"{age_program}-keygen", "-y"], input=identity.text.encode(), capture_output=True
    ).stdout.strip()
    assert public.startswith(b"age1")
    found = {identity.raw, identity.raw.hex().encode()}
    for whole in (identity.text.encode(), public.strip()):
        body = whole.removeprefix(b"AGE-SECRET-KEY-1").removeprefix(b"age1")
        found |= {body[at : at + 12] for at in range(len(body) - 11)}
        found |= {body[at : at + 12].lower() for at in range(len(body) - 11)}
    return found


def _assert_silent(content: bytes, what: object, marks: tuple[bytes, ...], secrets: set[bytes]) -> None:
    for mark in marks:
        assert mark not in content.lower(), f"{mark!r} in {what}"
    for secret in secrets:
        assert secret not in content, f"a part of the key in {what}"


def _assert_disk_silent(machine: Machine, secrets: set[bytes]) -> None:
    keys = machine.home / ".config" / "gitmem" / "keys"
    for place in (machine.home, machine.vault):
        for folder, _, names in os.walk(place):
            for name in names:
                path = Path(folder, name)
                if path.parent != keys:
                    _assert_silent(path.read_bytes(), path, MARKS, secrets)
                    _assert_silent(str(path).encode(), path, MARKS, secrets)
    objects = machine.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    raw = subprocess.run(
        ["git", "-C", machine.vault, "cat-file", "--batch"],
        input="\n".join(objects).encode(),
        env=machine.env,
        capture_output=True,
    )
    _assert_silent(raw.stdout, "an object", MARKS, secrets)
    assert len(objects) > 20


def test_nothing_of_a_memory_or_a_key_is_found_anywhere(
    watched: tuple[Machine, Path], another: Callable[[], Machine], tmp_path: Path, bare: Path, age_program
) -> None:
    machine, log = watched
    errors = b""

    def run(*args: str, code: int | None = 0, stdin: bytes = b"", **env: str) -> str:
        nonlocal errors
        done = machine.run(*args, code=code, stdin=stdin, env=env)
        errors += done.err.encode()
        return done.out

    text = b"xylobody is what it says, with a word or two more"
    run("write", "-", "--title", "xylotitle", "--tag", "xylotag", "--project", "xyloproject", stdin=text)
    memory = machine.ids()[0]
    run("edit", memory, "--body", "-", stdin=b"xyloedit instead of xylobody")
    for word in ("xyloedit", "xylotag"):
        assert memory[-6:] in run("search", word)
    run("sync")
    run("list")
    run("log")
    run("diff", "HEAD~1", "HEAD")
    run("export", "-")
    other = another().join(machine)
    other.write("xyloother from the other side")
    other.run("edit", memory, "--body", "xyloside instead of xylobody")
    other.run("sync")
    run("edit", memory, "--body", "-", stdin=b"xyloedit twice instead of xylobody")
    run("sync")  # both changed the same line: a conflict, marked
    assert "xyloside" in run("read", memory)
    run("edit", memory, "--body", "-", stdin=b"\xff not utf-8 xylobody", code=16)
    run("write", "-", stdin=b"xylobody" * 200_000, code=16)
    run("edit", memory, GITMEM_DEBUG="1", EDITOR="false", code=None)
    run("import", str(tmp_path / "xyloproject"), code=14)
    for number in range(6):
        child = machine.spawn("write", "-", stdin=subprocess.PIPE)
        assert child.stdin is not None
        child.stdin.write(b"xylobody killed %d" % number)
        child.stdin.close()
        child.stdin = None
        time.sleep(0.08 + 0.01 * number)
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
    for path in (machine.git_dir / "gitmem").glob("index.db*"):
        path.write_bytes(b"damaged")
    run("search", "xyloedit")
    run("doctor", code=None)
    run("verify")
    machine.run("sync")
    secrets = _secrets(machine, age_program)
    _assert_disk_silent(machine, secrets)
    _assert_disk_silent(other, secrets)
    _assert_silent(errors, "error output", tuple(mark for mark in MARKS if mark != b"xyloproject"), secrets)
    _assert_silent(log.read_bytes(), "arguments or environment of git", MARKS, secrets)
    assert log.read_bytes().count(b"argv ") > 50
    for path in bare.rglob("*"):
        if path.is_file():
            _assert_silent(path.read_bytes(), path, MARKS, secrets)


def test_keys_codes_and_tokens_in_the_environment_stay_out_of_every_git(
    watched: tuple[Machine, Path], another: Callable[[], Machine]
) -> None:
    machine, log = watched
    machine.run("sync")
    key = next((machine.home / ".config" / "gitmem" / "keys").iterdir()).read_text().split()[-1]
    code = machine.run("invite").out.split()[-1]
    guest = another()
    guest.env["PATH"] = machine.env["PATH"]
    log.write_bytes(b"")
    secret = {
        "GITMEM_KEY": key, "ANTHROPIC_API_KEY": "sk-ant-0123456789", "OPENAI_API_KEY": "sk-0123456789",
        "ANTHROPIC_AUTH_TOKEN": "token-of-a-model", "GITMEM_TOKEN": "token-of-a-vault",
    }  # fmt: skip
    machine.run("write", "with everything in the environment", env=secret)
    machine.run("sync", env=secret)
    guest_env = {"GITMEM_JOIN": code}
    guest.vault = Path("")
    for args in (["write", "from a bare container"], ["search", "container"], ["sync"]):
        done = subprocess.run(
            [os.sys.executable, "-P", "-m", "gitmem", *args], env={**guest.env, **guest_env}, cwd=guest.home,
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    _idle(machine)
    said = log.read_text()
    assert said.count("argv ") > 10
    for name, value in {**secret, **guest_env}.items():
        assert value not in said, name
        assert f"{name}=" not in said


def test_an_access_token_is_in_no_argument_no_file_of_the_vault_and_no_message(
    another: Callable[[], Machine], http_remote_with_token, tmp_path: Path
) -> None:
    remote = http_remote_with_token
    machine, log, folder = another(), tmp_path / "git-log", tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text(WRAPPER.format(log=log, git=shutil.which("git")))
    (folder / "git").chmod(0o755)
    url = remote.create()
    machine.init()
    machine.git("remote", "add", "origin", remote.with_token(url))
    machine.run("sync")
    machine.git("remote", "set-url", "origin", url)
    code = machine.run("invite", "--with-token", stdin=remote.token.encode()).out.split()[-1]
    guest = another()
    guest.env["PATH"] = f"{folder}:{guest.env['PATH']}"
    done = guest.run("join", str(guest.vault), stdin=code.encode())
    assert remote.token not in done.out + done.err
    guest.write("through the token")
    guest.run("sync")
    argv = [line for line in log.read_text().splitlines() if line.startswith("argv ")]
    assert len(argv) > 5
    assert remote.token not in log.read_text()
    for path in guest.vault.rglob("*"):
        if path.is_file():
            assert remote.token.encode() not in path.read_bytes(), path


def test_decrypted_text_cannot_command_the_terminal(machine: Machine, tmp_path: Path) -> None:
    body = f"{NASTY}\nsecond line {NASTY}"
    marks = ("--title", NASTY, "--tag", NASTY, "--tag", "plain", "--project", NASTY)
    machine.run("write", "-", *marks, stdin=body.encode())
    memory = machine.ids()[0]
    machine.run("edit", memory, "--tag", NASTY, "--body", f"{body}\nthird {NASTY}")
    (tmp_path / "no\x1b[31mte.md").write_text(f"---\ntitle: 'x'\nbad: [\n---\n{NASTY}\n")
    page = str(tmp_path / "page")
    for command in (
        ("list",), ("search", "reversed"), ("search", NASTY), ("read", memory), ("read",), ("log",),
        ("log", memory), ("diff", "HEAD~1", "HEAD"), ("status",), ("verify", "--all"), ("read", NASTY),
        ("log", NASTY), ("undo", NASTY), ("write", "-", "--kind", NASTY), ("import", str(tmp_path)),
        ("import", NASTY), ("list", "--since", NASTY), ("config", "get", NASTY), ("--vault", NASTY, "list"),
        (NASTY,), ("list", "--project", NASTY), ("trust", NASTY), ("diff", NASTY, "HEAD"), ("digest", page),
        ("doctor",), ("forget", memory, "--yes"), ("undo",), ("edit", memory, "--title", f"other {NASTY}"),
    ):  # fmt: skip
        done = machine.run(*command, code=None, stdin=b"text" if "write" in command else b"")
        assert done.code != 70, (command, done.err)
        for text in (done.out, done.err):
            assert not RAW.search(text), (command, text)
    for args in (["log", "-p"], ["show", "HEAD"], ["log", "-p", "--word-diff"]):
        assert not RAW.search(machine.git("--no-pager", *args, "--textconv")), args
    assert not RAW.search((tmp_path / "page" / "digest.txt").read_text())


def _idle(machine: Machine) -> None:
    deadline = time.monotonic() + 20
    while subprocess.run(["pgrep", "-f", f"{machine.vault} sync --background"], capture_output=True).stdout:
        assert time.monotonic() < deadline
        time.sleep(0.1)

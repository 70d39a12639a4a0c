"""What goes wrong around gitmem: one or two clear sentences, the right exit code, and nothing lost."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitmem.vault.keys import Identity
from machine import Done, Machine

LARGE = b"a line of text\n" * 150_000  # 2 MiB


def _clear(done: Done, code: int, *words: str) -> None:
    """The command failed as it should: at most two sentences after the program's name, and no bug."""
    assert done.code == code, done
    lines = [line for line in done.err.splitlines() if line]
    assert 1 <= len(lines) <= 3, done.err
    assert lines[-2 if len(lines) > 1 else 0].startswith("gitmem: "), done.err
    assert len(re.findall(r"[.!?](\s|$)", done.err)) <= 4, done.err
    assert done.out == ""
    for word in words:
        assert word in done.err, done.err
    for never in ("Traceback", "bug in gitmem", "Errno", "AGE-SECRET"):
        assert never not in done.err


@pytest.fixture
def kept(machine: Machine) -> Iterator[Machine]:
    """A vault with two memories, which are all there at the end, whatever happened in between."""
    machine.write("the first thing, about apples")
    machine.write("the second thing, about pears")
    yield machine
    assert {"the first thing, about apples", "the second thing, about pears"} <= set(
        machine.bodies().values()
    )
    machine.assert_sound("apples", "thing")


def test_a_wrong_key(kept: Machine) -> None:
    another = Identity.generate().text
    for command in (("write", "x"), ("list",), ("search", "apples"), ("sync",)):
        _clear(kept.run(*command, code=None, env={"GITMEM_KEY": another}), 12)


def test_a_key_that_is_none(kept: Machine) -> None:
    _clear(kept.run("list", code=None, env={"GITMEM_KEY": "AGE-SECRET-KEY-1NONSENSE"}), 9)


def test_no_key(kept: Machine) -> None:
    keys = kept.home / ".config" / "gitmem" / "keys"
    keys.rename(keys.with_name("away"))
    for command in (("write", "x"), ("read", "ABCDEF"), ("search", "apples")):
        _clear(kept.run(*command, code=None), 9, "key restore")
    keys.with_name("away").rename(keys)


def test_no_vault(another: Callable[[], Machine], tmp_path: Path) -> None:
    machine = another()
    for command in (("write", "x"), ("list",), ("sync",)):
        _clear(machine.run(*command, code=None), 10)
    (tmp_path / "empty").mkdir()
    machine.vault = tmp_path / "empty"
    _clear(machine.run("list", code=None), 10)
    subprocess.run(["git", "init", "-q", machine.vault], check=True)
    _clear(machine.run("list", code=None), 10)


def test_a_locked_passphrase_without_a_terminal(kept: Machine) -> None:
    kept.run("key", "passphrase", stdin=b"correct horse battery\ncorrect horse battery\n")
    keys = kept.home / ".config" / "gitmem" / "keys"
    keys.rename(keys.with_name("away"))
    for command in (("write", "x"), ("search", "apples")):
        _clear(kept.run(*command, code=None), 11, "GITMEM_KEY")
    keys.with_name("away").rename(keys)


def test_a_corrupt_memory(machine: Machine) -> None:
    good, bad = machine.write("good apples"), machine.write("bad apples")
    blob = machine.git("rev-parse", f"HEAD:{_path(machine, bad)}").strip()
    loose = machine.git_dir / "objects" / blob[:2] / blob[2:]
    loose.chmod(0o644)
    whole = loose.read_bytes()
    for content in (whole[:60], b"", b"noise" * 20, whole[:-9] + bytes(9)):
        loose.write_bytes(content)
        _forget_index(machine)
        _clear(machine.run("read", bad, code=None), 13, "damaged")
        assert [hit["id"] for hit in machine.run("--json", "search", "apples").json["hits"]] == [good]
    assert "good apples" in machine.run("read", good).out
    machine.write("another")
    machine.run("list")


@pytest.mark.parametrize("damage", ["zeros", "noise", "cut", "empty", "another vault's", "folder", "log"])
def test_a_damaged_index_is_made_anew_in_silence(
    kept: Machine, another: Callable[[], Machine], damage: str
) -> None:
    kept.run("list")
    folder = kept.git_dir / "gitmem"
    index = folder / "index.db"
    size = max(index.stat().st_size, 20_000)
    if damage != "log":
        for name in ("index.db-wal", "index.db-shm"):
            (folder / name).unlink(missing_ok=True)
    if damage == "another vault's":
        other = another().init()
        other.write("of another vault")
        for path in (other.git_dir / "gitmem").glob("index.db*"):
            shutil.copy(path, folder)
    elif damage == "folder":
        index.unlink()
        index.mkdir()
    elif damage == "log":
        (folder / "index.db-wal").write_bytes(os.urandom(50_000))
    else:
        content = {
            "zeros": bytes(size),
            "noise": os.urandom(size),
            "empty": b"",
            "cut": index.read_bytes()[:700],
        }
        index.write_bytes(content[damage])
    done = kept.run("--json", "search", "apples")
    assert len(done.json["hits"]) == 1
    assert done.err == ""
    kept.write("after it")
    assert len(kept.ids()) == 3
    if damage == "folder":
        index.rmdir() if index.is_dir() else None


def test_a_damaged_state_file(kept: Machine) -> None:
    state = kept.git_dir / "gitmem" / "state.json"
    for content in (b"", b"{", b"[]", b'{"vault": 3}', os.urandom(100), b"null"):
        state.write_bytes(content)
        assert kept.run("search", "apples").out
        state.write_bytes(content)
        kept.write(f"written {content[:3]!r}")
    state.unlink()
    kept.write("and without one")


def test_a_damaged_journal(kept: Machine) -> None:
    for content in (
        b"",
        b"{",
        b"[]",
        b'{"began": "x"}',
        b'{"began": 1, "step": {"a": 1}, "locks": 2}',
        b"null",
    ):
        (kept.git_dir / "gitmem" / "step.json").write_bytes(content)
        assert kept.run("search", "apples").out
        (kept.git_dir / "gitmem" / "step.json").write_bytes(content)
        kept.write(f"after the journal {content!r}")


def test_a_damaged_git_index_stops_no_write_and_is_told(machine: Machine) -> None:
    machine.write("before")
    index = machine.git_dir / "index"
    saved = index.read_bytes()
    index.write_bytes(os.urandom(300))
    _clear(machine.run("write", "meanwhile", code=None), 1, "git")
    index.write_bytes(saved)
    machine.write("after")
    machine.assert_sound("after")


@pytest.mark.parametrize("name", ["refs/heads/main.lock", "HEAD.lock"])
def test_a_lock_that_another_git_left_is_named_soon_and_kept(kept: Machine, name: str) -> None:
    (kept.git_dir / name).touch()
    start = time.monotonic()
    _clear(kept.run("write", "not now", code=None), 11, "doctor --fix")
    assert time.monotonic() - start < 15
    assert (kept.git_dir / name).exists()
    assert kept.git("status", "--porcelain") == ""
    assert kept.run("search", "apples").out
    (kept.git_dir / name).unlink()
    kept.write("now")


def test_text_that_is_not_utf8(kept: Machine) -> None:
    _clear(kept.run("write", "-", stdin=b"caf\xe9 au lait", code=None), 16, "UTF-8")


def test_text_of_two_mebibytes(kept: Machine, tmp_path: Path) -> None:
    _clear(kept.run("write", "-", stdin=LARGE, code=None), 16, "1 MiB")
    (tmp_path / "large.md").write_bytes(LARGE)
    _clear(kept.run("write", "--file", str(tmp_path / "large.md"), code=None), 16, "1 MiB")
    _clear(kept.run("edit", kept.ids()[0], "--body", "-", stdin=LARGE, code=None), 16, "1 MiB")


def test_an_unknown_and_an_ambiguous_id(kept: Machine) -> None:
    _clear(kept.run("read", "ABCDEF", code=None), 14, "ABCDEF")
    _clear(kept.run("read", "\x1b[31mX", code=None), 14)
    ids = [one[-4:] for one in kept.ids()]
    number = 0
    while len(set(ids)) == len(ids):
        number += 1
        kept.python(_MANY, str(kept.vault), str(number))
        ids = [one[-4:] for one in kept.ids()]
    twice = next(one for one in ids if ids.count(one) > 1)
    _clear(kept.run("read", twice, code=None), 15, twice)


_MANY = """
import sys
from gitmem import app
from gitmem.memory.memory import Memory
store = app.open_store(sys.argv[1])
store.write([Memory(id=store.new_id(), created=store.now(), body=f"{sys.argv[2]} {n}") for n in range(2000)])
store.close()
"""


def test_no_network(kept: Machine) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept.git("remote", "add", "origin", f"http://127.0.0.1:{port}/vault.git")
    _clear(kept.run("sync", code=None), 18, "gitmem sync")
    kept.write("written without a network")
    assert kept.run("status").out
    kept.git("remote", "set-url", "origin", "http://nowhere.invalid/vault.git")
    _clear(kept.run("sync", code=None), 18)
    _idle(kept)


def test_a_remote_that_vanished(another: Callable[[], Machine], bare: Path) -> None:
    machine = another().init("--remote", str(bare))
    machine.run("sync")
    bare.rename(bare.with_name("elsewhere"))
    _clear(machine.run("sync", code=None), 18, "gitmem sync")
    machine.write("written while it is away")
    _idle(machine)
    bare.with_name("elsewhere").rename(bare)
    machine.run("sync")
    machine.assert_sound("away")
    tip = subprocess.run(["git", "-C", bare, "rev-parse", "main"], capture_output=True, text=True).stdout
    assert tip == machine.git("rev-parse", "main")


def test_git_is_missing(kept: Machine, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    env = {"PATH": str(tmp_path / "bin")}
    for command in (("write", "x"), ("verify",), ("log",)):
        _clear(kept.run(*command, code=None, env=env), 10, "git")
    assert "apples" in kept.run("search", "apples", env=env).out
    assert "apples" in kept.run("read", kept.ids()[1], env=env).out  # what needs no git works


def test_a_detached_head_and_a_vault_that_moved(kept: Machine, tmp_path: Path) -> None:
    kept.git("checkout", "-q", "--detach")
    kept.write("written on the branch although it is not checked out")
    assert kept.git("status", "--porcelain") == ""
    kept.git("checkout", "-q", "main")
    assert kept.git("status", "--porcelain") == ""
    old, kept.vault = kept.vault, tmp_path / "moved"
    old.rename(kept.vault)
    kept.write("written in the new place")
    nothing = Machine(kept.home, old, kept.env)
    _clear(nothing.run("list", code=None), 10, "--vault")


def test_a_reader_that_has_enough(kept: Machine) -> None:
    for number in range(3):
        kept.write(f"number {number} " + "long " * 3000)
    for command in (["list"], ["read", *kept.ids()], ["export", "-"], ["log"], ["--json", "list"]):
        child = kept.spawn(*command)
        assert child.stdout is not None
        child.stdout.read(1)
        child.stdout.close()
        assert child.stderr is not None
        assert child.stderr.read() == b""
        assert child.wait(30) in (0, -signal.SIGPIPE, 141)


def test_an_interrupt(kept: Machine, tmp_path: Path) -> None:
    child = kept.spawn("write", "-", stdin=subprocess.PIPE)
    time.sleep(0.6)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert b"Traceback" not in err
    assert out == b""
    for turn in range(12):
        child = kept.spawn("write", f"interrupted {turn}")
        while child.poll() is None and not (kept.git_dir / "gitmem" / "step.json").exists():
            time.sleep(0.0005)
        time.sleep(turn * 0.0005)
        os.killpg(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=30)
        assert b"Traceback" not in err, err
        assert child.returncode in (0, 130, -signal.SIGINT), (child.returncode, err)
        kept.write(f"after {turn}")
        assert kept.git("status", "--porcelain") == ""


def test_closed_standard_streams(kept: Machine) -> None:
    argv = [sys.executable, "-P", "-m", "gitmem", "--vault", str(kept.vault)]
    for closing in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        for command in ("list", "write 'closed streams' --again", "read", "search apples"):
            line = " ".join([*argv, command, closing])
            done = subprocess.run(
                ["sh", "-c", line], env=kept.env, cwd=kept.home, capture_output=True, timeout=60
            )
            assert b"Traceback" not in done.stderr, (line, done.stderr)
            assert done.returncode in (0, 1), (line, done)
    _clear(Done(*_sh(kept, " ".join([*argv, "write", "<&-"]))), 16)


def _sh(machine: Machine, line: str) -> tuple[int, str, str]:
    done = subprocess.run(
        ["sh", "-c", line], env=machine.env, cwd=machine.home, capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


def test_output_to_a_full_disk(kept: Machine) -> None:
    with open("/dev/full", "wb") as full:
        for command in (["list"], ["export", "-"], ["read"]):
            done = kept.run(*command, code=None, stdout=full)
            assert done.code not in (0, 70), done
            assert "bug" not in done.err


# Disks.


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Mounts a small disk of its own at a folder; skips where that is not allowed."""
    done: list[str] = []

    def at(folder: Path, options: str) -> None:
        result = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True)
        if result.returncode:
            pytest.skip("may not mount a small disk here")
        done.append(str(folder))

    yield at
    for folder in reversed(done):
        subprocess.run(["umount", "-l", folder], check=False)


def test_a_full_disk(another: Callable[[], Machine], mount: Callable[..., None]) -> None:
    machine = another()
    machine.vault.mkdir()
    mount(machine.vault, "size=3m")
    machine.init()
    said = {machine.write("written while there is room")}
    filler = machine.vault / ".git" / "filler"
    free = os.statvfs(machine.vault).f_bavail * 4096
    for room in (0, 4096, 8192, 12288, 16384, 24576, 32768, 49152):
        filler.write_bytes(bytes(free - room - _used(machine, free)))
        done = machine.run("--json", "write", "-", stdin=f"{room} bytes are left".encode(), code=None)
        if done.code == 0:
            said.add(done.json["memory"]["id"])
        else:
            _clear_json(done, 1)
        assert "while there is room" in machine.run("list").out
        assert machine.run("search", "room").out
        filler.unlink()
        said.add(machine.write(f"after {room}"))
        assert said <= set(machine.ids())
        assert machine.git("status", "--porcelain") == ""
    machine.assert_sound("room", "after")


def _used(machine: Machine, free: int) -> int:
    return max(0, free - os.statvfs(machine.vault).f_bavail * 4096)


def _clear_json(done: Done, code: int) -> None:
    error = done.json["error"]
    assert error["exit_code"] == done.code == code, done
    assert "room" in error["hint"] or "space" in error["message"], error


def test_a_read_only_vault(another: Callable[[], Machine], mount: Callable[..., None]) -> None:
    machine = another()
    machine.vault.mkdir()
    mount(machine.vault, "size=20m")
    machine.init()
    first = machine.write("readable apples")
    machine.run("list")
    subprocess.run(["mount", "-o", "remount,ro", machine.vault], check=True)
    for _ in range(2):
        assert "apples" in machine.run("read", first).out
        assert "apples" in machine.run("search", "apples").out
        assert "apples" in machine.run("list").out
        machine.run("verify")
        _clear(machine.run("write", "not possible", code=None), 1, "permissions")
        _clear(machine.run("forget", first, "--yes", code=None), 1)
    subprocess.run(["mount", "-o", "remount,rw", machine.vault], check=True)
    machine.write("possible again")
    machine.assert_sound("apples")


def _path(machine: Machine, memory_id: str) -> str:
    names = machine.git("ls-tree", "-r", "--name-only", "HEAD", "memories").splitlines()
    return next(name for name in names if memory_id in name)


def _forget_index(machine: Machine) -> None:
    for path in (machine.git_dir / "gitmem").glob("index.db*"):
        path.unlink()
    (machine.git_dir / "gitmem" / "seen").unlink(missing_ok=True)


def _idle(machine: Machine) -> None:
    """Wait until no detached sync holds the vault any more."""
    machine.python(_IDLE, str(machine.vault))


_IDLE = """
import sys
from gitmem import app, config
store = app.open_store(sys.argv[1])
with config.hold(f"next-push-{store.vault.id}"), config.hold(f"push-{store.vault.id}"): pass
"""

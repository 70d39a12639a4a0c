"""A rekey and a purge that are killed with all that they started: the vault opens, the next run ends it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import git
from test_purge import blobs, holds_nothing
from test_rekey import keys

from gitmem.memory.ids import path_of
from machine import Machine

Another = Callable[[], Machine]
TURNS = 4
# Runs a command in a process that dies, as by a kill, when it is about to call one function.
_DIES = """
import importlib, os, sys
place, name = sys.argv[1].rsplit(".", 1)
place, _, kind = place.partition(":")
owner = importlib.import_module(place)
owner = getattr(owner, kind) if kind else owner
setattr(owner, name, lambda *_, **__: os._exit(9))
from gitmem.doors.cli import main
sys.exit(main.run(sys.argv[2:]))
"""


def strike(machine: Machine, chance: random.Random, length: float, *args: str) -> int:
    """Start a command and kill its whole process group at some moment; its exit code."""
    child = machine.spawn(*args)
    time.sleep(chance.uniform(0.1, 1.05) * length)
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.communicate(timeout=30)
    return int(child.returncode)


def timed(act: Callable[[], object]) -> float:
    start = time.monotonic()
    act()
    return time.monotonic() - start


def opens(machine: Machine, bodies: dict[str, str]) -> None:
    """The very next command reads everything, without being told which key to take."""
    assert machine.bodies() == bodies
    assert not machine.locks()


@pytest.fixture
def machine(another: Another, bare: Path) -> Machine:
    """A vault with a few memories, pushed."""
    machine = another().init("--remote", str(bare))
    machine.run("config", "set", "sync.auto", "false")
    for number in range(6):
        machine.write(f"memory number {number}")
    machine.run("sync")
    return machine


def test_a_killed_rekey_loses_no_key_and_the_next_one_ends_it(
    machine: Machine, another: Another, capsys: pytest.CaptureFixture[str]
) -> None:
    other = another().join(machine)
    other.run("config", "set", "sync.auto", "false")
    chance, seen = random.Random(7), Counter()
    length = timed(lambda: machine.run("rekey", "--yes"))
    bodies = machine.bodies()
    for turn in range(TURNS):
        before, remote = keys(machine)[""], machine.git("ls-remote", "origin", "refs/heads/main").split()[0]
        seen["finished" if strike(machine, chance, length, "rekey", "--yes") == 0 else "killed"] += 1
        pushed = machine.git("ls-remote", "origin", "refs/heads/main").split()[0] != remote
        moved = machine.git("rev-parse", "HEAD").strip() != remote
        taken = keys(machine)[""] != before
        seen[f"pushed {pushed}, moved {moved}, key file {taken}"] += 1
        assert before in keys(machine).values()
        opens(machine, bodies)
        new = machine.write(f"written after kill {turn}")
        bodies[new] = f"written after kill {turn}"
        machine.run("rekey", "--yes") if turn % 2 else machine.run("sync")
        opens(machine, bodies)
        assert machine.git("ls-remote", "origin", "refs/heads/main").split()[0] == (
            machine.git("rev-parse", "HEAD").strip()
        )
    code = machine.run("invite").out.split()[-1].encode()
    other.run("join", stdin=code)
    opens(other, bodies)
    machine.assert_sound("memory")
    rows = machine.run("--json", "verify").json["verdicts"]
    assert set(rows) == {"sealed"}  # every key that ever sealed is still here
    with capsys.disabled():
        print(f"\n  rekey: {dict(seen)}")
    assert seen["killed"]


@pytest.mark.parametrize("who", ["the purging device", "one that follows"])
def test_a_killed_purge_or_following_sync_is_ended_by_the_next_one(
    machine: Machine, another: Another, bare: Path, capsys: pytest.CaptureFixture[str], who: str
) -> None:
    other = another().join(machine)
    other.run("config", "set", "sync.auto", "false")
    victim = machine if who == "the purging device" else other
    chance, seen = random.Random(11), Counter()
    bodies, purged = machine.bodies(), {}
    memory = machine.write("to measure with")
    length = timed(lambda: machine.run("forget", memory, "--purge", "--yes"))
    if victim is other:
        length = timed(lambda: other.run("sync"))
    other.run("sync")
    for turn in range(TURNS):
        memory = machine.write(f"the secret of turn {turn}")
        machine.run("edit", memory, "--body", f"the other secret of turn {turn}")
        machine.run("sync")
        other.run("sync")
        files = blobs(machine.vault, memory)
        purged |= files
        if victim is other:
            mine = other.write(f"not pushed in turn {turn}")
            bodies[mine] = f"not pushed in turn {turn}"
            machine.run("forget", memory, "--purge", "--yes")
            ended = strike(other, chance, length, "sync")
        else:
            ended = strike(machine, chance, length, "forget", memory, "--purge", "--yes")
        seen["finished" if ended == 0 else "killed"] += 1
        left = json.loads((victim.git_dir / "gitmem" / "state.json").read_text())["purged"]
        held = victim.bodies()
        seen[f"clean-up due {bool(left)}, memory there {memory in held}"] += 1
        assert {one: body for one, body in held.items() if one != memory} == bodies
        if victim is machine and path_of(memory) in machine.git("log", "--format=", "--name-only", "HEAD"):
            machine.run("forget", memory, "--purge", "--yes")
        else:
            victim.run("sync")
        opens(victim, bodies)
        holds_nothing(victim.vault, files)
    machine.run("sync")
    other.run("sync")
    for place in (machine, other):
        opens(place, bodies)
        place.assert_sound("memory")
    with capsys.disabled():
        print(f"\n  purge, {who}: {dict(seen)}")
    assert seen["killed"]
    for place in (machine.vault, other.vault):
        holds_nothing(place, purged)


def dies(machine: Machine, moment: str, *args: str) -> None:
    """A command that is cut off just before it calls the function ``moment`` (module:class.function)."""
    argv = [sys.executable, "-P", "-c", _DIES, moment, "--vault", str(machine.vault), *args]
    done = subprocess.run(argv, env=machine.env, cwd=machine.home, capture_output=True, text=True, timeout=60)
    assert done.returncode == 9, (moment, done.stdout, done.stderr)


@pytest.mark.parametrize("remote", ["with a remote", "alone"])
@pytest.mark.parametrize(
    "moment",
    [
        "gitmem.flows.rekey._anchor",
        "gitmem.flows.rekey.adopt",
        "gitmem.repo.repo:Repo._move_ref",
        "gitmem.branch:Branch.note",
        "gitmem.flows.keyring.take_over",
        "gitmem.flows.keyring.drop_other",
    ],
)
def test_a_rekey_that_is_cut_off_before_this_call_leaves_a_vault_that_opens(
    another: Another, bare: Path, moment: str, remote: str
) -> None:
    machine = another().init(*(["--remote", str(bare)] if remote == "with a remote" else []))
    machine.run("config", "set", "sync.auto", "false")
    kept = machine.write("stays")
    if remote == "with a remote":
        machine.run("sync")
    before = keys(machine)[""]
    dies(machine, moment, "rekey", "--yes")
    assert before in keys(machine).values()
    opens(machine, {kept: "stays"})
    new = machine.write("written after it")
    bodies = {kept: "stays", new: "written after it"}
    opens(machine, bodies)
    if remote == "with a remote":
        machine.run("sync")
        assert git(bare, "rev-parse", "main") == machine.git("rev-parse", "HEAD").strip()
        guest = another().join(machine)
        assert guest.bodies() == bodies
    machine.run("rekey", "--yes")
    opens(machine, bodies)
    assert keys(machine)[""] != before
    machine.assert_sound("stays")
    assert set(machine.run("--json", "verify").json["verdicts"]) == {"sealed"}


@pytest.mark.parametrize("remote", ["with a remote", "alone"])
@pytest.mark.parametrize(
    "moment",
    [
        "gitmem.repo.packfile:Pack.store",
        "gitmem.repo.repo:Repo._move_ref",
        "gitmem.branch:Branch.note",
        "gitmem.repo.pruning.holders",
        "gitmem.repo.pruning._empty_logs",
    ],
)
def test_a_purge_that_is_cut_off_before_this_call_is_ended_by_the_next_command(
    another: Another, bare: Path, moment: str, remote: str
) -> None:
    machine = another().init(*(["--remote", str(bare)] if remote == "with a remote" else []))
    machine.run("config", "set", "sync.auto", "false")
    kept, secret = machine.write("stays"), machine.write("the secret")
    if remote == "with a remote":
        machine.run("sync")
    files = blobs(machine.vault, secret)
    dies(machine, moment, "forget", secret, "--purge", "--yes")
    assert machine.bodies()[kept] == "stays"
    again = machine.run("forget", secret, "--purge", "--yes", code=None)
    assert again.code in (0, 14), again  # done, or there is no such memory any more
    opens(machine, {kept: "stays"})
    holds_nothing(machine.vault, files)
    if remote == "with a remote":
        holds_nothing(bare, files)
    machine.write("and on")
    machine.assert_sound("stays")

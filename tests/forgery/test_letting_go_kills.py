"""A rekey and a purge that are killed with all that they started: the vault opens, the next run ends it."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from test_purge import blobs, holds_nothing
from test_rekey import keys

from gitmem.memory.ids import path_of
from machine import Machine

Another = Callable[[], Machine]
TURNS = 6


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
    assert seen["killed"] >= TURNS // 2


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
    assert seen["killed"] >= TURNS // 2
    for place in (machine.vault, other.vault):
        holds_nothing(place, purged)

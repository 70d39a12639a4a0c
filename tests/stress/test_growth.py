"""What a write costs on the disk, and packing beside writers and readers."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from machine import Machine, every

WRITES = 300  # six loose objects each
MOST_LOOSE = 900
LIMIT = 10_000  # bytes per write, everything counted: objects, index, checkout, search index
_FILL = """
import sys, time
from gitmem import app
from gitmem.memory import ids
from gitmem.memory.memory import Memory
store, number, months = app.open_store(sys.argv[1]), int(sys.argv[2]), 60
words = [f"w{n:x}{(n * 2654435761) % 2**32:x}" for n in range(5000)]
now = int(time.time())
def memory(at, turn):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    body = " ".join(words[(turn * 7919 + k * k) % 5000] for k in range(60))
    return Memory(id=ids.new_id(at * 1000), created=stamp, body=body)
if number > 1000:
    start = now - months * 30 * 86400
    store.write([memory(start + n * months * 30 * 86400 // number, n) for n in range(number)], "import")
    store.index
else:
    for turn in range(number):
        store.write([memory(now, 100_000 + turn)])
        app.push_later(store)
        if turn % 10 == 0:
            time.sleep(0.05)
    store.index
store.close()
"""


def test_a_write_costs_less_than_ten_kilobytes_in_a_vault_of_ten_thousand(machine: Machine) -> None:
    machine.python(_FILL, str(machine.vault), "10000")
    machine.python(_PACK, str(machine.vault))
    before = _disk(machine.vault)
    machine.python(_FILL, str(machine.vault), str(WRITES))
    _settle(machine)
    waiting = int(machine.git("count-objects").split()[0])
    assert waiting < MOST_LOOSE  # they went into packs by themselves; what waits for the next turn is bounded
    machine.python(_PACK, str(machine.vault))
    grown = (_disk(machine.vault) - before) / WRITES
    assert grown < LIMIT, f"{grown:.0f} bytes per write"
    assert len(list((machine.git_dir / "objects" / "pack").glob("*.pack"))) < 12
    assert machine.run("--json", "list").json["total"] == 10_000 + WRITES
    machine.git("fsck", "--full", "--no-dangling", "--no-progress")
    assert machine.git("status", "--porcelain") == ""


def test_packing_beside_writers_and_readers_takes_nothing_away(machine: Machine) -> None:
    writers = [machine.writer(f"writer{number}", 40) for number in range(3)]
    packed = 0
    while any(child.poll() is None for child in writers):
        machine.git("repack", "-d", "-l", "-q", "--geometric=2", code=None)
        packed += 1
        machine.run("list")
        machine.run("search", "number")
    assert [(one.code, one.err) for one in every(writers)] == [(0, "")] * 3
    assert packed > 2
    assert len(machine.ids()) == 120
    machine.assert_sound("writer1", "number 7")


def test_packing_that_is_killed_loses_nothing(machine: Machine) -> None:
    machine.python(_FILL, str(machine.vault), "90")
    _settle(machine)
    for turn in range(10):
        for number in range(5):
            machine.write(f"text {turn} {number}")
        argv = ["git", "-C", machine.vault, "repack", "-d", "-l", "-q", "--geometric=2"]
        child = subprocess.Popen(argv, env=machine.env, start_new_session=True, stderr=subprocess.DEVNULL)
        time.sleep(0.003 * turn)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        assert machine.run("read", machine.write(f"after {turn}")).out
    _settle(machine)
    assert len(machine.ids()) == 150
    machine.assert_sound("text", "after")


def _disk(folder: Path) -> int:
    done = subprocess.run(["du", "-s", "-B1", folder], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0])


def _settle(machine: Machine) -> None:
    """Wait for the detached packing."""
    machine.python(_WAIT, str(machine.vault))


_PACK = """
import sys
from gitmem import app
from gitmem.repo import packing
repo = app.open_store(sys.argv[1]).repo
packing.pack(repo.git, repo.common_dir)
"""
_WAIT = """
import sys, time
from gitmem import app, config
store = app.open_store(sys.argv[1])
time.sleep(0.5)
with config.hold(f"tend-{store.vault.id}"): pass
"""

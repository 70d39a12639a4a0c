"""Writers, imports and syncs that are killed with everything they started: nothing that was said is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from git_server import HttpRemote
from machine import Machine

PATIENCE = 3.0  # seconds that the command after a kill may take (more than twenty times its usual)


class Killer:
    """Kills commands of one machine and keeps account of where they were hit."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.traces: Counter[str] = Counter()
        self.slowest = 0.0
        self.random = random.Random(str(machine.vault))

    def strike(self, child: subprocess.Popen, note: str, longest: float) -> str:
        """Kill the process group at a random moment, every other time only once ``note`` lies there.

        Returns what the command said until then.
        """
        aimed = self.random.random() < 0.7
        place = str(self.machine.git_dir / "gitmem" / note)
        if aimed:
            while child.poll() is None and not os.path.exists(place):
                time.sleep(0.0002)
        inside = 0.006 if note == "step.json" else longest / 4
        time.sleep(self.random.uniform(0, inside if aimed else longest))
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            self.traces["too late"] += 1
        out, _ = child.communicate(timeout=30)
        self._look(child.returncode)
        return out.decode()

    def _look(self, code: int) -> None:
        self.traces["killed" if code else "finished"] += 1
        for name in ("step.json", "sync.json"):
            self.traces[name] += (self.machine.git_dir / "gitmem" / name).exists()
        for lock in self.machine.locks():
            self.traces[lock] += 1

    def next(self, command: Callable[[], object]) -> None:
        """The command after the kill: it works, at once, and leaves nothing of the dead one."""
        start = time.monotonic()
        command()
        self.slowest = max(self.slowest, time.monotonic() - start)
        assert not self.machine.locks()
        assert not list((self.machine.git_dir / "gitmem").glob("s*.json.*"))
        assert not (self.machine.git_dir / "gitmem" / "step.json").exists()

    def report(self) -> str:
        """Where the kills hit, and how long the command after one took at most."""
        hits = ", ".join(f"{name}: {number}" for name, number in sorted(self.traces.items()))
        return f"{hits}; slowest next command {self.slowest:.2f} s"


def _vault(kind: str, another: Callable[[], Machine], remote: Path) -> Machine:
    if kind == "bare":
        return another().init("--bare")
    if kind == "work tree":
        return another().init()
    first = another().init("--remote", str(remote))
    first.run("sync")
    machine = another().join(first, "--sparse")
    machine.run("config", "set", "sync.auto", "false")
    return machine


@pytest.mark.parametrize("kind", ["work tree", "bare", "sparse"])
def test_a_killed_write_loses_nothing(kind: str, another: Callable[[], Machine], bare: Path, capsys) -> None:
    machine = _vault(kind, another, bare)
    said = {machine.write(f"before {number}") for number in range(3)}
    killer = Killer(machine)
    length = _length(machine, lambda: machine.write(f"timed {time.time()}"))
    for turn in range(25):
        out = killer.strike(machine.spawn("write", f"killed {turn}"), "step.json", length)
        if out.startswith("wrote"):
            said.add(out.split()[1])
        killer.next(lambda turn=turn: said.add(machine.write(f"after {turn}")))
    _tell(capsys, f"write, {kind}", killer)
    held = {*machine.ids(), *(one[-6:] for one in machine.ids())}
    assert said <= held
    assert killer.traces["step.json"] >= 5
    machine.assert_sound("killed", "after 7")


@pytest.mark.parametrize("kind", ["work tree", "bare"])
def test_a_killed_import_loses_nothing(
    kind: str, another: Callable[[], Machine], bare: Path, tmp_path: Path, capsys
) -> None:
    machine = _vault(kind, another, bare)
    killer = Killer(machine)
    folder = tmp_path / "notes"
    folder.mkdir()
    length = 0.0
    for turn in range(26):
        for number in range(15):
            (folder / f"{turn} {number}.md").write_text(f"# Note {turn} {number}\n\nimported text {turn}\n")
        if turn == 0:
            length = _length(machine, lambda: machine.run("import", str(folder)))
            continue
        killer.strike(machine.spawn("import", str(folder)), "step.json", length)
        killer.next(lambda: machine.run("import", str(folder)))
        assert machine.run("--json", "list").json["total"] == (turn + 1) * 15
    _tell(capsys, f"import, {kind}", killer)
    assert killer.traces["step.json"] >= 5
    machine.assert_sound("imported", "12")


@pytest.mark.parametrize("way", ["folder", "http"])
def test_a_killed_sync_loses_nothing(
    way: str, another: Callable[[], Machine], bare: Path, http_remote: HttpRemote, capsys
) -> None:
    remote = str(bare) if way == "folder" else http_remote.create()
    machine = another().init("--remote", remote)
    machine.run("config", "set", "sync.auto", "false")
    machine.run("sync")
    other = another().join(machine)
    other.run("config", "set", "sync.auto", "false")
    killer, said = Killer(machine), set()
    length = _length(machine, lambda: machine.run("sync"))
    for turn in range(38):
        said.add(machine.write(f"mine {turn}"))
        if turn % 3 == 0:
            said.add(other.write(f"theirs {turn}"))
            other.run("sync")
        killer.strike(machine.spawn("sync"), "sync.json", 1.5 * length)
        killer.next(lambda: machine.run("sync"))
        assert not (machine.git_dir / "gitmem" / "sync.json").exists()
    other.run("sync")
    _tell(capsys, f"sync, {way}", killer)
    assert said == set(machine.ids()) == set(other.ids())
    assert killer.traces["sync.json"] >= 5
    machine.assert_sound("mine", "theirs 9")
    other.assert_sound("mine")


def test_the_lock_of_a_killed_git_is_told_from_a_living_one(machine: Machine) -> None:
    # A user's `git commit` waits in the editor and holds index.lock: no gitmem may take it away.
    lock = machine.git_dir / "index.lock"
    lock.touch()
    machine.write("written although git's index is busy")
    machine.write("and once more")
    assert machine.run("list").out.count("\n") == 2
    assert lock.exists()
    lock.unlink()
    machine.write("the next one")
    machine.assert_sound("busy")


def _length(machine: Machine, command: Callable[[], object]) -> float:
    start = time.monotonic()
    command()
    return time.monotonic() - start


def _tell(capsys: pytest.CaptureFixture[str], what: str, killer: Killer) -> None:
    with capsys.disabled():
        print(f"\n  {what}: {killer.report()}")
    assert killer.slowest < PATIENCE

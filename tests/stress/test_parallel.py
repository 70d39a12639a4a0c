"""Many writers and many devices at once: everything arrives, in one line of commits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from git_server import HttpRemote
from machine import Machine, every
from ssh_server import SshRemote


def test_eight_processes_write_forty_memories_each_and_none_is_refused(machine: Machine) -> None:
    done = every([machine.writer(f"writer{number}", 40) for number in range(8)])
    assert [(one.code, one.err) for one in done] == [(0, "")] * 8
    written = [line.split()[1] for one in done for line in one.out.splitlines()]
    assert len(written) == len(set(written)) == 320
    assert sorted(machine.ids()) == sorted(written)
    assert len(set(machine.bodies().values())) == 320
    machine.assert_sound("writer3", "says number 7", "number", "nothing of the kind")
    assert machine.git("rev-list", "--count", "HEAD").strip() == "321"


@pytest.mark.parametrize("kind", ["work tree", "bare"])
def test_the_real_command_may_run_eight_times_at_once(tmp_path: Path, kind: str) -> None:
    machine = Machine.new(tmp_path).init(*(["--bare"] if kind == "bare" else []))
    written = []
    for turn in range(4):
        children = [machine.spawn("--json", "write", f"text {turn} {number}") for number in range(8)]
        written += [Machine.id_in(child) for child in children]
    assert sorted(machine.ids()) == sorted(set(written))
    assert len(set(written)) == 32
    machine.assert_sound("text")


def test_readers_are_never_refused_while_writers_write(machine: Machine) -> None:
    machine.write("the first anchor")
    writers = [machine.writer(f"writer{number}", 20) for number in range(3)]
    while any(child.poll() is None for child in writers):
        assert machine.run("search", "anchor").out
        assert machine.run("list").out
        assert machine.run("read", machine.ids()[-1]).out
    assert [one.code for one in every(writers)] == [0, 0, 0]
    machine.assert_sound("anchor", "writer1")


def test_six_devices_over_smart_http_hold_the_same_sixty_memories(
    another: Callable[[], Machine], http_remote: HttpRemote
) -> None:
    devices = _devices(another, http_remote.create(), 6)
    _write_and_sync_together(devices, 10)
    _assert_the_same(devices, 60)


def test_devices_over_ssh_hold_the_same(another: Callable[[], Machine], ssh_remote: SshRemote) -> None:
    devices = _devices(another, ssh_remote.create(), 3)
    _write_and_sync_together(devices, 3)
    _assert_the_same(devices, 9)


def test_devices_over_a_folder_hold_the_same(another: Callable[[], Machine], bare: Path) -> None:
    devices = _devices(another, str(bare), 4)
    _write_and_sync_together(devices, 5)
    _assert_the_same(devices, 20)


def test_every_write_is_pushed_behind_the_back_of_its_writer(
    another: Callable[[], Machine], bare: Path
) -> None:
    one, two = _devices(another, str(bare), 2, auto=True)
    for number in range(10):
        one.write(f"one {number}")
        two.write(f"two {number}")
    for device in (one, two):
        device.run("sync")
    one.run("sync")
    _assert_the_same([one, two], 20)


def _devices(
    another: Callable[[], Machine], remote: str, number: int, *, auto: bool = False
) -> list[Machine]:
    first = another().init("--remote", remote)
    first.run("sync")
    devices = [first, *(another().join(first) for _ in range(number - 1))]
    for device in devices:
        device.run("config", "set", "sync.auto", str(auto).lower())
    return devices


def _write_and_sync_together(devices: list[Machine], number: int) -> None:
    def work(device: Machine, name: str) -> None:
        try:
            for turn in range(number):
                device.write(f"{name} writes {turn}")
                device.run("sync")
        except BaseException as error:  # noqa: BLE001  (shown by the main thread)
            failures.append(error)

    failures: list[BaseException] = []
    threads = [
        threading.Thread(target=work, args=(device, f"device {place}"))
        for place, device in enumerate(devices)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    for device in devices:
        device.run("sync")


def _assert_the_same(devices: list[Machine], number: int) -> None:
    tips = {device.git("rev-parse", "HEAD") for device in devices}
    assert len(tips) == 1
    for device in devices:
        assert len(set(device.bodies().values())) == number
        device.assert_sound("device", "writes")
        assert device.run("--json", "status").json["unsealed"] == 0

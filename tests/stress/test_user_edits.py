"""The person's own edits in the vault's work tree, staged or not, and their own git beside ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from machine import Machine

EDITOR = '#!/bin/sh\nsleep 5\necho a message > "$1"\n'


def _edits(machine: Machine) -> Callable[[], None]:
    """Make edits of every sort in the work tree; the result asserts that all of them are still there."""
    own = machine.vault
    (own / "staged.txt").write_text("one\n")
    (own / "both.txt").write_text("one\n")
    (own / "left.txt").write_text("one\n")
    (own / "gone.txt").write_text("one\n")
    (own / "run.sh").write_text("#!/bin/sh\n")
    (own / "run.sh").chmod(0o755)
    machine.git("add", "-A")
    machine.git("commit", "-q", "-m", "files of mine")
    (own / "staged.txt").write_text("two\n")
    (own / "both.txt").write_text("two\n")
    machine.git("add", "staged.txt", "both.txt")
    (own / "both.txt").write_text("three\n")
    (own / "left.txt").write_text("two\n")
    machine.git("rm", "-q", "--cached", "gone.txt")
    (own / "new, staged.txt").write_text("new\n")
    machine.git("add", "new, staged.txt")
    (own / "new.txt").write_text("new\n")
    (own / "deep").mkdir()
    (own / "deep" / "new.txt").write_text("new\n")

    def look() -> tuple[str, str, dict[str, bytes]]:
        files = [path for path in own.rglob("*.*") if path.is_file() and ".git" not in path.parts]
        mine = {
            str(path.relative_to(own)): path.read_bytes() for path in files if "memories" not in path.parts
        }
        status = machine.git("status", "--porcelain", "-uall", "--", ".", ":!memories")
        return status, machine.git("diff", "--cached", "--", ".", ":!memories"), mine

    before = look()
    assert len(before[0].splitlines()) == 8

    def assert_there() -> None:
        assert look() == before

    return assert_there


def test_edits_of_the_person_survive_every_command(machine: Machine, tmp_path: Path) -> None:
    first = machine.write("the first")
    assert_there = _edits(machine)
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "a.md").write_text("# A note\n\nimported\n")
    second = machine.write("the second")
    for command in (
        ("edit", first, "--tag", "edited"), ("import", str(notes)), ("forget", second, "--yes"), ("undo",),
        ("read", first), ("search", "first"), ("list",), ("log",), ("diff", "HEAD~2", "HEAD"), ("status",),
        ("verify",), ("export", str(tmp_path / "plain")), ("digest", str(tmp_path / "page")),
        ("doctor", "--fix"), ("trust", "HEAD"), ("key", "where"),
    ):  # fmt: skip
        machine.run(*command, code=None)
        assert_there()
    memories = machine.git("status", "--porcelain", "--", "memories")
    assert memories == ""
    assert machine.git("fsck", "--strict", "--no-dangling", "--no-progress") == ""
    machine.git("commit", "-q", "-a", "-m", "all of mine")
    assert sorted(machine.bodies().values()) == ["# A note\n\nimported", "the first", "the second"]
    machine.git("add", "-A")
    machine.git("commit", "-q", "-m", "the rest")
    machine.run("verify")
    assert len(machine.ids()) == 3


def test_edits_survive_a_sync_that_brings_memories_and_other_files(
    another: Callable[[], Machine], bare: Path
) -> None:
    one = another().init("--remote", str(bare))
    one.run("sync")
    two = another().join(one)
    assert_there = _edits(two)
    for turn in range(2):
        one.write(f"a memory of the other device {turn}")
        (one.vault / "theirs.txt").write_text(f"theirs {turn}\n")
        (one.vault / "theirs.sh").write_text(f"#!/bin/sh\necho {turn}\n")
        (one.vault / "theirs.sh").chmod(0o755)
        one.git("add", "theirs.txt", "theirs.sh")
        one.git("commit", "-q", "-m", "other files")
        one.run("sync")
        two.write(f"a memory here {turn}")
        two.run("sync")
        for name in ("theirs.txt", "theirs.sh"):
            assert (two.vault / name).read_bytes() == (one.vault / name).read_bytes()
            (two.vault / name).unlink()  # seen; the look at the person's own files must not count them
            two.git("update-index", "--assume-unchanged", name)
        assert_there()
        two.git("update-index", "--no-assume-unchanged", "theirs.txt", "theirs.sh")
        two.git("checkout", "--", "theirs.txt", "theirs.sh")
        assert os.access(two.vault / "theirs.sh", os.X_OK)
        one.run("sync")
    assert len(two.bodies()) == 4


def test_an_edit_in_the_way_of_an_incoming_file_stops_the_sync_and_loses_nothing(
    another: Callable[[], Machine], bare: Path
) -> None:
    one = another().init("--remote", str(bare))
    (one.vault / "shared.txt").write_text("one\n")
    one.git("add", "shared.txt")
    one.git("commit", "-q", "-m", "a file")
    one.run("sync")
    two = another().join(one)
    (two.vault / "shared.txt").write_text("mine\n")
    (one.vault / "shared.txt").write_text("theirs\n")
    one.git("commit", "-q", "-a", "-m", "changed")
    one.write("from one")
    one.run("sync")
    two.write("from two")
    said = two.run("sync", code=17)
    assert "uncommitted" in said.err
    assert (two.vault / "shared.txt").read_text() == "mine\n"
    assert two.git("status", "--porcelain") == " M shared.txt\n"
    two.write("still works")
    two.git("checkout", "--", "shared.txt")
    two.run("sync")
    assert (two.vault / "shared.txt").read_text() == "theirs\n"
    assert sorted(two.bodies().values()) == ["from one", "from two", "still works"]
    assert two.git("status", "--porcelain") == ""


def test_a_memory_file_that_was_changed_by_hand_is_left_alone(machine: Machine) -> None:
    kept, other = machine.write("kept"), machine.write("other")
    path = next(machine.vault.rglob(f"{kept}*"))
    path.write_bytes(b"scribbled over")
    machine.run("edit", kept, "--body", "a new text")
    machine.write("one more")
    machine.run("forget", other, "--yes")
    assert path.read_bytes() == b"scribbled over"
    assert "a new text" in machine.run("read", kept).out
    machine.git("checkout", "--", "memories")
    assert machine.git("status", "--porcelain") == ""
    machine.assert_sound("text")


@pytest.mark.parametrize("how", ["commit -q -a -m mine", "add -A", "stash -q", "checkout -q -b side"])
def test_plain_git_after_our_writes_loses_nothing(machine: Machine, how: str) -> None:
    (machine.vault / "mine.txt").write_text("one\n")
    machine.git("add", "mine.txt")
    for number in range(5):
        machine.write(f"text {number}")
    machine.run("forget", machine.ids()[0], "--yes")
    machine.git(*how.split())
    machine.git("commit", "-q", "--allow-empty", "-m", "mine")
    assert len(machine.git("ls-tree", "-r", "--name-only", "HEAD", "memories").splitlines()) == 4
    if "side" in how:
        machine.write("written while another branch is checked out")
        assert machine.git("status", "--porcelain") == ""
        machine.git("checkout", "-q", "main")
        machine.git("merge", "-q", "--ff", "-m", "merged", "side")
    machine.run("verify")
    assert len(machine.ids()) == (5 if "side" in how else 4)
    machine.git("status")


def test_a_commit_that_waits_in_an_editor_keeps_no_write_waiting_for_long(
    machine: Machine, tmp_path: Path
) -> None:
    editor = tmp_path / "editor"
    editor.write_text(EDITOR)
    editor.chmod(0o755)
    (machine.vault / "mine.txt").write_text("one\n")
    machine.git("add", "mine.txt")
    machine.git("commit", "-q", "-m", "first")
    (machine.vault / "mine.txt").write_text("two\n")
    env = {**machine.env, "GIT_EDITOR": str(editor)}
    mine = subprocess.Popen(
        ["git", "-C", machine.vault, "commit", "-q", "-a"], env=env, stderr=subprocess.PIPE
    )
    while not (machine.git_dir / "index.lock").exists():
        time.sleep(0.01)
    start = time.monotonic()
    for number in range(3):
        machine.write(f"text {number}")
    assert time.monotonic() - start < 10
    mine.communicate(timeout=30)  # git refuses it, for the branch has moved on; its message is kept
    assert (machine.vault / "mine.txt").read_text() == "two\n"
    _until(lambda: not (machine.git_dir / "gitmem" / "step.json").exists())  # somebody waits for git's index
    assert machine.git("status", "--porcelain", "--", "memories") == ""
    machine.git("commit", "-q", "-a", "-m", "mine")
    assert len(machine.ids()) == 3
    machine.run("verify")


def test_the_index_is_in_place_and_locked_when_the_branch_moves(machine: Machine, tmp_path: Path) -> None:
    """In the other order a commit that reads the new branch and the old index drops the memory again."""
    seen, real = tmp_path / "seen", shutil.which("git")
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(
        f"""#!/bin/sh
case " $* " in *" update-ref "*)
    "{real}" -C "{machine.vault}" ls-files memories > "{seen}"
    test -e "{machine.vault}/.git/index.lock" && echo locked >> "{seen}";;
esac
exec "{real}" "$@"
"""
    )
    wrapper.chmod(0o755)
    path = f"{wrapper.parent}{os.pathsep}{machine.env.get('PATH', os.environ['PATH'])}"
    memory = machine.write("the one that moves", env={"PATH": path})
    *files, lock = seen.read_text().split()
    assert lock == "locked"
    assert any(memory in name for name in files)
    assert not (machine.vault / ".git" / "index.lock").exists()


def test_our_writes_and_the_persons_commits_may_alternate_as_fast_as_they_can(machine: Machine) -> None:
    """Git reads its index a moment before it locks it.

    A commit that is kept waiting just there writes the index as it was, and the next one drops a memory: then
    our write is refused, and `--restore` brings all back.
    """
    stop, made = threading.Event(), []

    def commit() -> None:
        while not stop.is_set():
            (machine.vault / "mine.txt").write_text(f"{len(made)}\n")
            machine.git("add", "mine.txt", code=None)
            before = machine.git("rev-parse", "HEAD")
            machine.git("commit", "-q", "-m", "mine", code=None)
            made.append(before)

    person = threading.Thread(target=commit)
    person.start()
    done = machine.writer("beside", 40)
    out, err = done.communicate(timeout=100)
    stop.set()
    person.join()
    kept = len(out.splitlines())
    if done.returncode:
        assert "RefusedError" in err
        machine.run("sync", "--restore")
    else:
        assert (kept, err) == (40, "")
    machine.write("the last one")
    assert len(made) > 5
    assert len(set(machine.ids())) == kept + 1
    machine.git("add", "-A")
    machine.git("commit", "-q", "--allow-empty", "-m", "end")
    machine.run("verify")
    assert len(machine.git("ls-tree", "-r", "--name-only", "HEAD", "memories").splitlines()) == kept + 1


def _until(holds: Callable[[], bool], patience: float = 10.0) -> None:
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)

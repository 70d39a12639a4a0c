"""Commit objects as bytes, the lock of the writers, and the file that remembers what was accepted."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.errors import LockedError, TamperedError
from gitmem.repo import commits
from gitmem.repo.lock import Lock
from gitmem.repo.repo import Draft, Repo
from gitmem.repo.state import State, StateFile

TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
WHO = "gitmem <gitmem@localhost> 1795158000 +0000"


def repository(tmp_path: Path) -> Repo:
    subprocess.run(["git", "init", "-q", tmp_path / "r"], check=True)
    return Repo.open(str(tmp_path / "r"))


@pytest.mark.parametrize("parents", [0, 1, 2])
@pytest.mark.parametrize("trailers", [(), ("Gitmem-Was: " + "1" * 40, "Gitmem-Anchor: purge")])
def test_a_commit_has_the_bytes_of_the_specification(parents: int, trailers: tuple[str, ...]) -> None:
    oids = [str(number) * 40 for number in range(1, parents + 1)]
    body = commits.body(TREE, oids, WHO, WHO, "write 1 memory", trailers)
    lines = [f"tree {TREE}", *(f"parent {oid}" for oid in oids), f"author {WHO}", f"committer {WHO}"]
    lines += ["", "write 1 memory", "", *trailers]
    assert body == ("\n".join(lines) + "\n").encode()
    raw = body + b"Gitmem-Seal: v1:" + b"0" * 64 + b"\n"
    assert commits.header(raw) == commits.Header(TREE, tuple(oids))
    assert commits.author_line(raw) == WHO
    assert commits.commit_time(raw) == 1_795_158_000
    assert commits.subject(raw) == "write 1 memory"


def test_git_reads_the_commit_as_it_was_meant(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    repo.objects.write("tree", b"")
    oid = repo.objects.write("commit", commits.body(TREE, (), WHO, WHO, "init", ("Gitmem-Anchor: init",)))
    repo.objects.flush()
    assert repo.git.run("show", "-s", "--format=%T|%P|%an|%ae|%ct|%s", oid).decode().strip() == (
        f"{TREE}||gitmem|gitmem@localhost|1795158000|init"
    )
    repo.git.run("fsck", "--strict")
    assert not repo.objects.read(oid).count(b"encoding")


def test_what_stands_in_a_signature_or_message_is_no_parent() -> None:
    raw = f"tree {TREE}\nparent {'1' * 40}\nauthor {WHO}\ngpgsig x\n parent 2\nparent 3\n\nparent 4\n"
    assert commits.header(raw.encode()).parents == ("1" * 40,)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_commit_or_refused(raw: bytes) -> None:
    try:
        commits.header(raw)
    except TamperedError:
        pass
    else:
        assert raw.startswith(b"tree ")
    assert commits.commit_time(raw) >= 0
    assert isinstance(commits.subject(raw), str)


def test_nothing_but_an_age_file_is_committed_as_a_memory(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    plain = repo.objects.write("blob", b"plaintext")
    sealed = repo.objects.write("blob", b"age-encryption.org/v1\n...")
    path = "memories/2026/11/x.md.age"
    with pytest.raises(TamperedError):
        repo.write(Draft((), "", {path: (b"100644", plain)}, "write"), 1, lambda body: body)
    assert repo.write(Draft((), "", {path: (b"100644", sealed)}, "write"), 1, lambda body: body)


def test_a_branch_is_found_loose_packed_and_by_its_full_name_only(tmp_path: Path) -> None:
    repo = repository(tmp_path)
    repo.objects.write("tree", b"")
    oids = [repo.objects.write("commit", commits.body(TREE, (), WHO, WHO, name)) for name in "abc"]
    repo.objects.flush()
    assert repo.tip("refs/heads/main") == ""
    repo.git.run("update-ref", "refs/tags/main", oids[1])
    assert repo.tip("refs/heads/main") == ""
    repo.git.run("update-ref", "refs/heads/main", oids[0])
    assert repo.tip("refs/heads/main") == oids[0]
    repo.git.run("pack-refs", "--all")
    assert repo.tip("refs/heads/main") == oids[0]
    repo.git.run("update-ref", "refs/heads/main", oids[2])
    assert repo.tip("refs/heads/main") == oids[2]


# --- the lock ---------------------------------------------------------------------------------------------


def test_the_lock_keeps_another_holder_out_and_may_be_entered_again(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    with Lock(path) as lock:
        with lock:
            assert lock.held
        assert lock.held
        assert not Lock(path).attempt()
        with pytest.raises(LockedError), Lock(path, patience=0.05):
            pass
    assert not lock.held
    assert Lock(path).attempt()


def test_a_waiting_writer_gets_the_lock_when_it_is_free(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    first = Lock(path)
    first.__enter__()
    threading.Timer(0.2, first.__exit__).start()
    with Lock(path, patience=10) as lock:
        assert lock.held


def test_a_dead_holder_holds_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    code = f"from gitmem.repo.lock import Lock\nimport os\nLock({path!r}).__enter__()\nos._exit(9)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 9
    assert Lock(path).attempt()


# --- the state file ---------------------------------------------------------------------------------------


def test_the_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = StateFile(str(tmp_path), str(tmp_path / "machine"))
    assert file.read() == State()
    state = file.write(State(), vault="1" * 32, local="2" * 40, remote="3" * 40, fingerprint="4" * 16)
    assert StateFile(str(tmp_path), "").read() == state
    assert (state.local, state.remote, state.branch) == ("2" * 40, "3" * 40, "refs/heads/main")
    assert (tmp_path / "state.json").stat().st_mode & 0o077 == 0


def test_the_accepted_remote_tip_outlives_the_clone(tmp_path: Path) -> None:
    machine = str(tmp_path / "machine")
    (tmp_path / "clone").mkdir()
    StateFile(str(tmp_path / "clone"), machine).write(State(), vault="1" * 32, remote="3" * 40)
    (tmp_path / "new").mkdir()
    again = StateFile(str(tmp_path / "new"), machine)
    assert again.read() == State()
    assert again.remembered("1" * 32) == "3" * 40
    assert again.remembered("2" * 32) == ""


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"{}", b'"x"', b"\xff", b'{"vault": ""}', b"7"]
)
def test_a_damaged_state_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.json").write_bytes(content)
    assert StateFile(str(tmp_path), "").read() == State()

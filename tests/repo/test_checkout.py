"""Git's index and the checked-out files keep in step, and nothing of the user's own work is touched."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from one_vault import Vault

from gitmem.flows import undo
from gitmem.memory.ids import path_of
from gitmem.memory.memory import Memory
from gitmem.repo.repo import Draft


def status(vault: Vault) -> str:
    return vault.git("status", "--porcelain", "--untracked-files=all")


def user_at_work(vault: Vault) -> str:
    """Staged, staged and edited again, edited, deleted, untracked: what `git status` then says."""
    for name in ("staged", "both", "edited", "deleted"):
        (vault.path / name).write_text("1\n")
    vault.git("add", "-A")
    vault.git("commit", "-q", "-m", "the user's files")
    for name in ("staged", "both", "edited"):
        (vault.path / name).write_text("2\n")
    vault.git("add", "staged", "both")
    (vault.path / "both").write_text("3\n")
    (vault.path / "deleted").unlink()
    (vault.path / "untracked").write_text("1\n")
    return status(vault)


def _write(vault: Vault, other: Vault) -> None:
    vault.write("new")


def _edit(vault: Vault, other: Vault) -> None:
    with vault.store() as store:
        memory = next(iter(store.memories()))
    vault.edit(memory.id, "edited")


def _forget(vault: Vault, other: Vault) -> None:
    with vault.store() as store:
        memory = next(iter(store.memories()))
    vault.forget(memory.id)


def _many(vault: Vault, other: Vault) -> None:
    vault.write(*(f"number {number}" for number in range(30)))


def _undo(vault: Vault, other: Vault) -> None:
    vault.write("new")
    with vault.store() as store:
        undo.undo(store)


def _pull(vault: Vault, other: Vault) -> None:
    other.write("from the other device")
    other.sync()
    vault.sync()


def _replay(vault: Vault, other: Vault) -> None:
    vault.write("here")
    _pull(vault, other)


VERBS: dict[str, Callable[[Vault, Vault], None]] = {
    "write": _write,
    "write many": _many,
    "edit": _edit,
    "forget": _forget,
    "undo": _undo,
    "sync": _pull,
    "replay": _replay,
}


@pytest.mark.parametrize("verb", VERBS)
def test_the_users_edits_survive(vault: Vault, tmp_path: Path, verb: str) -> None:
    other = vault.join(tmp_path / "other")
    before = user_at_work(vault)
    assert len(before.splitlines()) == 5
    VERBS[verb](vault, other)
    assert status(vault) == before
    assert [(vault.path / name).read_text() for name in ("staged", "both", "edited")] == ["2\n", "3\n", "2\n"]
    assert vault.git("show", ":both") == "2"


@pytest.mark.parametrize("verb", VERBS)
def test_a_plain_commit_after_our_work_loses_nothing(vault: Vault, tmp_path: Path, verb: str) -> None:
    other = vault.join(tmp_path / "other")
    VERBS[verb](vault, other)
    texts = vault.texts()
    (vault.path / "mine").write_text("1\n")
    vault.git("add", "mine")
    vault.git("commit", "-q", "-m", "mine")
    assert vault.texts() == texts
    (vault.path / "mine").write_text("2\n")
    vault.git("commit", "-q", "-a", "-m", "mine again")
    assert vault.texts() == texts
    assert status(vault) == ""
    vault.sync()
    other.git("update-index", "-q", "--refresh")
    other.sync()
    assert other.texts() == texts


def test_a_sync_follows_memories_and_other_files_without_a_git_status_before_it(
    vault: Vault, tmp_path: Path
) -> None:
    """Entries that we put into the index ourselves have no file times; nobody has run `git status` since."""
    other = vault.join(tmp_path / "other")
    (new,) = vault.write("new")
    vault.sync()
    other.sync()
    other.edit(new, "edited on the other device")
    (other.path / "notes.txt").write_text("plain\n")
    other.git("add", "notes.txt")
    other.git("commit", "-q", "-m", "plain")
    other.sync()
    vault.sync()
    assert (vault.path / "notes.txt").read_text() == "plain\n"


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("own", [True, False])
def test_a_crash_around_the_step_is_mended_by_the_next_command(vault: Vault, moved: bool, own: bool) -> None:
    """Killed after index and files moved, before or after the branch did."""
    pid = os.fork()
    if pid == 0:
        with vault.store() as store:
            genuine = store.repo._move_ref

            def killed(*args: str) -> None:
                if moved:
                    genuine(*args)
                os._exit(9)

            store.repo._move_ref = killed
            with store.repo.lock:
                tip = store.tip()
                memory = Memory(id=vault.new_id(), body="new", created="2026-11-20T07:00:00Z")
                changes = {path_of(memory.id): (b"100644", store.put(memory))}
                if not own:
                    changes["tool"] = (b"100755", store.repo.objects.write("blob", b"#!/bin/sh\n"))
                oid = store.trunk.seal(Draft((tip,), store.repo.tree(tip), changes, "write 1 memory"))
                store.trunk.advance(tip, oid)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    vault.clock += 600
    vault.write("after the crash")
    assert status(vault) == ""
    assert vault.texts() == sorted(["one", "two", "after the crash", *(["new"] if moved else [])])
    vault.git("commit", "-q", "--allow-empty", "-m", "a plain commit")
    assert len(vault.texts()) == 3 + moved
    if not own:
        assert os.path.exists(vault.path / "tool") == moved
        assert not moved or os.access(vault.path / "tool", os.X_OK)


def test_another_branch_that_is_checked_out_is_left_alone(vault: Vault) -> None:
    vault.git("checkout", "-q", "-b", "other")
    before = (vault.git("rev-parse", "HEAD"), vault.git("ls-files", "-s"))
    vault.write("new")
    assert (vault.git("rev-parse", "HEAD"), vault.git("ls-files", "-s")) == before
    assert status(vault) == ""
    vault.git("checkout", "-q", "main")
    assert status(vault) == ""
    assert len(vault.texts()) == 3


def test_a_detached_head_is_left_alone(vault: Vault) -> None:
    vault.git("checkout", "-q", "--detach")
    before = vault.git("rev-parse", "HEAD")
    vault.write("new")
    assert vault.git("rev-parse", "HEAD") == before
    assert status(vault) == ""


def test_the_work_tree_that_has_the_branch_follows_wherever_it_is(vault: Vault, tmp_path: Path) -> None:
    place = tmp_path / "linked"
    vault.git("checkout", "-q", "-b", "other")
    vault.git("worktree", "add", "-q", str(place), "main")
    (new,) = vault.write("new")
    linked = Vault(place, vault.state, vault.remote, vault.identity, vault.vault_id, vault.clock + 900)
    assert (place / path_of(new)).exists()
    assert status(vault) == status(linked) == ""
    linked.write("from the linked one")
    assert len(vault.texts()) == 4
    assert status(vault) == status(linked) == ""


def test_a_sparse_checkout_stays_sparse(vault: Vault, tmp_path: Path) -> None:
    sparse = vault.join(tmp_path / "sparse", sparse=True)
    (new,) = sparse.write("new")
    sparse.edit(new, "edited")
    assert not (sparse.path / "memories").exists()
    assert status(sparse) == ""
    vault.write("by the other")
    vault.sync()
    sparse.sync()
    assert not (sparse.path / "memories").exists()
    assert status(sparse) == ""
    (sparse.path / "mine").write_text("1\n")
    sparse.git("add", "--sparse", "mine")
    sparse.git("commit", "-q", "-m", "mine")
    assert len(sparse.texts()) == 4


def test_a_bare_vault_needs_no_files(vault: Vault, tmp_path: Path) -> None:
    place = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", vault.remote, place], check=True)
    bare = Vault(
        place, tmp_path / "bare-state", vault.remote, vault.identity, vault.vault_id, vault.clock + 900
    )
    bare.write("new")
    bare.sync()
    vault.sync()
    assert vault.texts() == bare.texts() == ["new", "one", "two"]


def test_a_file_that_the_user_put_in_the_way_stays(vault: Vault, tmp_path: Path) -> None:
    other = vault.join(tmp_path / "other")
    (new,) = other.write("new")
    other.sync()
    mine = vault.path / path_of(new)
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_text("something of mine")
    vault.sync()
    assert mine.read_text() == "something of mine"
    assert vault.texts() == ["new", "one", "two"]


def test_a_busy_index_delays_nothing_but_the_checkout(vault: Vault) -> None:
    lock = vault.path / ".git" / "index.lock"
    lock.touch()
    os.utime(lock, (1, 1))  # `git commit` waits in an editor since long ago
    vault.write("new")
    assert vault.texts() == ["new", "one", "two"]
    assert lock.exists()
    lock.unlink()
    vault.write("newer")
    assert status(vault) == ""


def test_an_untracked_file_in_the_way_of_other_files_stops_the_sync_whole(
    vault: Vault, tmp_path: Path
) -> None:
    from gitmem.errors import ConflictError

    other = vault.join(tmp_path / "other")
    (other.path / "notes.txt").write_text("theirs\n")
    other.git("add", "-A")
    other.git("commit", "-q", "-m", "plain")
    other.sync()
    (vault.path / "notes.txt").write_text("mine\n")
    before = (vault.git("rev-parse", "HEAD"), vault.git("ls-files", "-s"))
    with pytest.raises(ConflictError):
        vault.sync()
    assert (vault.git("rev-parse", "HEAD"), vault.git("ls-files", "-s")) == before
    assert (vault.path / "notes.txt").read_text() == "mine\n"
    (vault.path / "notes.txt").unlink()
    vault.sync()
    assert (vault.path / "notes.txt").read_text() == "theirs\n"

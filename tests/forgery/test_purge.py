"""A purged memory is nowhere any more, every device follows, and nothing else of the history is lost."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import MAIN, Device, World, accepted, everything, git, not_joined, refused

from git_server import HttpRemote
from gitmem.errors import ConflictError, NotFoundError, RemoteError, TamperedError
from gitmem.flows import history, purge, sync, verify
from gitmem.memory.ids import path_of
from gitmem.memory.memory import Memory
from gitmem.repo import commits
from machine import Machine


def blobs(place: Path, memory_id: str) -> dict[str, bytes]:
    """Every version of a memory's file that any ref or reflog of a repository leads to: id → content."""
    out = git(place, "rev-list", "--all", "--reflog", "--objects", "--", path_of(memory_id))
    found = [line.split()[0] for line in out.splitlines() if line.endswith(path_of(memory_id))]
    return {oid: content(place, oid) for oid in found}


def content(place: Path, oid: str) -> bytes:
    return subprocess.run(
        ["git", "-C", str(place), "cat-file", "blob", oid], capture_output=True, check=True
    ).stdout


def holds_nothing(place: Path, purged: dict[str, bytes]) -> None:
    """Neither a file of the purged memory nor a tree that names one is in the repository."""
    assert purged
    objects = everything(place)
    assert len(objects) > 1000
    for oid, sealed in purged.items():
        assert oid.encode() not in objects, place
        assert bytes.fromhex(oid) not in objects, place
        assert sealed not in objects, place
        assert sealed[-60:] not in objects, place
    git(place, "fsck", "--full", "--strict", "--no-dangling")


def seals(device: Device) -> dict[str, list[str]]:
    """Every commit as the audit sees it: verdict → ids."""
    with device.store() as store:
        found: dict[str, list[str]] = {}
        for commit in verify.audit(store):
            found.setdefault(commit.verdict, []).append(commit.id)
        return found


@pytest.mark.parametrize("name", ["one", "two", "three"])
def test_no_object_of_any_repository_holds_a_purged_memory(world: World, name: str) -> None:
    purged = blobs(world.a.path, world.names[name])
    left = {**world.a.texts()}
    left.pop(world.names[name], None)
    world.b.git("repack", "-a", "-d", "-q")
    world.b.git("config", "gc.reflogExpire", "never")
    world.b.git("config", "gc.reflogExpireUnreachable", "never")
    world.b.git("reset", "-q", "--hard", "HEAD")  # ORIG_HEAD
    done = world.a.purge(world.names[name])
    assert done.holders == done.remote_holders == ()
    assert done.remote_cleaned
    holds_nothing(world.a.path, purged)
    holds_nothing(world.remote, purged)
    world.b.sync()
    holds_nothing(world.b.path, purged)
    accepted(world, left)
    assert seals(world.a) == {"sealed": world.a.git("rev-list", MAIN).split()}


def test_every_commit_is_rewritten_one_for_one_with_its_author_its_dates_and_its_message(
    world: World,
) -> None:
    world.b.git("config", "user.name", "Ada Lovelace")
    world.b.git("config", "user.email", "ada@example.org")
    (world.b.path / "notes.txt").write_text("my own file\n")
    world.b.git("add", "notes.txt")
    world.b.git("commit", "-q", "--date=2025-01-02T03:04:05+01:00", "-m", "My own notes\n\nwith a body")
    world.b.write("more")
    world.b.sync()
    world.a.sync()
    before = world.a.git("rev-list", "--topo-order", MAIN).split()
    shown = "--format=%an %ae %ad %cn %ce %cd %s"
    kept = {oid: world.a.git("show", "-s", shown, oid) for oid in before}
    trees = {oid: world.a.git("ls-tree", "-r", oid).splitlines() for oid in before}
    done = world.a.purge(world.one)
    after = world.a.git("rev-list", "--topo-order", MAIN).split()
    assert len(after) == len(before) + 1
    assert done.rewritten == len(before) - 1  # all but the init
    assert world.a.git("show", "-s", "--format=%s", after[0]) == "purge 1 memory"
    for old, new in zip(before, after[1:], strict=True):
        assert world.a.git("show", "-s", shown, new) == kept[old]
        assert world.a.git("ls-tree", "-r", new).splitlines() == [
            line for line in trees[old] if not line.endswith(path_of(world.one))
        ]
    plain = next(new for old, new in zip(before, after[1:], strict=True) if "My own notes" in kept[old])
    assert "with a body" in world.a.git("show", "-s", "--format=%B", plain)
    accepted(world, world.a.texts())


def test_late_and_busy_devices_follow_and_their_unpushed_work_comes_along(world: World) -> None:
    late = world.device("late")
    state = late.state_file.read_text().replace(world.mark("forgot"), world.mark("wrote"))
    late.git("reset", "-q", "--hard", world.mark("wrote"))
    late.state_file.write_text(state)
    (new,) = world.b.write("not pushed")
    world.b.edit(world.two, "an edit of what is purged")
    world.b.edit(world.one, "one, edited once more")
    world.b.forget(new)
    (kept,) = world.b.write("not pushed either")
    purged = blobs(world.b.path, world.two)
    assert len(purged) == 2
    world.a.purge(world.two)
    left = {world.one: "one, edited once more", kept: "not pushed either"}
    report = world.b.sync()
    assert report.holders == ()
    holds_nothing(world.b.path, purged)
    late.sync()
    holds_nothing(late.path, purged)
    world.a.sync()
    accepted(world, left, world.a, world.b, late)


def test_a_join_code_from_before_a_purge_still_leads_to_the_vault(world: World) -> None:
    world.a.purge(world.two)
    for number, floor in enumerate(("forgot", "edited", "wrote", "init")):
        device = world.device(f"joined-{number}", world.mark(floor))
        assert device.texts() == {world.one: "one, edited"}


def test_purged_twice_the_oldest_device_still_follows(world: World) -> None:
    world.a.purge(world.two)
    world.a.purge(world.three)
    world.b.sync()
    accepted(world, {world.one: "one, edited"})
    device = world.device("joined", world.mark("edited"))
    assert device.texts() == {world.one: "one, edited"}


def test_a_forgotten_memory_is_found_by_its_short_id_and_an_unknown_one_is_not(world: World) -> None:
    done = world.a.purge(world.three[-6:].lower())
    assert done.ids == (world.three,)
    tip = world.a.tip()
    for text in (world.three, world.three[-6:], "ZZZZZZ", "no id at all", ""):
        with pytest.raises(NotFoundError):
            world.a.purge(text)
    assert world.a.tip() == tip


def test_merges_keep_both_parents_and_the_purged_line_cannot_be_merged_in_again(world: World) -> None:
    tip = world.look()
    world.git("checkout", "-q", "-B", "side", tip)
    ids = [world.a._new_id(), world.b._new_id()]
    side = world.sealed(tip, {path_of(ids[0]): world.leaked("on the side", ids[0])})
    main = world.sealed(tip, {path_of(ids[1]): world.leaked("on the main line", ids[1])})
    world.git("checkout", "-q", "-B", "work", main)
    world.git("merge", "-q", "--no-edit", side)
    merge = world.push(world.git("rev-parse", "HEAD"))
    world.a.sync()
    done = world.a.purge(world.three)
    assert len(world.a.git("rev-list", "--merges", MAIN).split()) == 1
    assert world.a.git("rev-list", "--count", f"{MAIN}^@") == str(done.rewritten + 2)
    assert seals(world.a).keys() == {"sealed"}
    world.b.sync()
    new = world.look()
    world.git("checkout", "-q", "-B", "again", new)
    world.git("merge", "-q", "--no-edit", "-s", "ours", merge)
    refused(world.b, world.push(world.git("rev-parse", "HEAD")))


def test_a_merge_of_the_users_own_is_followed(world: World) -> None:
    world.a.git("checkout", "-q", "-b", "own")
    (world.a.path / "notes.txt").write_text("on a branch\n")
    world.a.git("add", "notes.txt")
    world.a.git("commit", "-q", "-m", "notes")
    world.a.git("checkout", "-q", "main")
    world.a.write("meanwhile")
    world.a.git("merge", "-q", "--no-edit", "own")
    world.a.sync()
    done = world.a.purge(world.two)
    assert done.holders == ("refs/heads/own",)  # the user's branch still has the old line
    assert len(world.a.git("rev-list", "--merges", MAIN).split()) == 1
    accepted(world, world.a.texts())
    world.a.git("branch", "-q", "-D", "own")
    assert world.a.sync().holders == ()


def test_a_strangers_message_makes_no_anchor_of_a_plain_commit_once_it_is_sealed(world: World) -> None:
    tip = world.look()
    ours = f"Gitmem-Was: {tip}\nGitmem-Anchor: trust\n"
    message = f"hello\n\n{ours}Gitmem-Seal: v1:{'0' * 64}\n{ours}"
    odd = world.commit(world.tree(tip, {"n.txt": world.blob(b"x")}), tip, message=message)
    world.push(odd)
    world.a.sync()
    world.a.purge(world.two)
    with world.a.store() as store:
        (copy,) = [one for one in store.trunk.history.line(store.tip()) if one.seal and odd in one.seal.was]
    assert copy.seal is not None
    assert copy.seal.anchor == ""
    assert copy.seal.was == (odd,)
    assert copy.raw.count(b"Gitmem-") == 2
    assert commits.subject(copy.raw) == "hello"
    accepted(world, {world.one: "one, edited"})


def test_a_purge_never_seals_what_no_key_holder_made(world: World) -> None:
    """A forged commit under a restore stays refused as a tip of its own: no `read --at` shows it."""
    forged = world.change(world.look(), {path_of(world.two): world.leaked("forged", world.two)})
    world.push(forged)
    world.a.restore()
    with world.a.store() as store, pytest.raises(TamperedError):
        store.resolve_commit(forged)
    world.a.purge(world.three)
    line = world.a.git("rev-list", "--topo-order", MAIN).split()
    (copy,) = [oid for oid in line if world.a.git("show", "-s", "--format=%s", oid) == "a commit"]
    with world.a.store() as store, pytest.raises(TamperedError, match=copy):
        store.resolve_commit(copy)
    assert seals(world.a)["vouched"] == [copy]
    accepted(world, {world.one: "one, edited", world.two: "two"})


def test_the_old_line_is_a_rewind_and_sealed_anew_it_is_none_the_less(world: World) -> None:
    old = world.look()
    world.a.purge(world.two)
    world.b.sync()
    world.push(old, force=True)
    refused(world.b, old)
    purged = blobs(world.attacker, world.two)
    world.b.restore()  # without force: the old line is below it now, and its memory stays away
    accepted(world, {world.one: "one, edited"})
    world.b.purge(world.two)
    accepted(world, {world.one: "one, edited"})
    for place in (world.a.path, world.b.path, world.remote):
        holds_nothing(place, purged)


def test_a_copy_of_the_sealed_file_at_another_path_goes_too(world: World) -> None:
    sealed = content(world.a.path, world.a.git("rev-parse", f"{MAIN}:{path_of(world.two)}"))
    (world.a.path / "backup").mkdir()
    (world.a.path / "backup" / "copy.age").write_bytes(sealed)
    (world.a.path / "backup" / "other.txt").write_text("stays\n")
    world.a.git("add", "backup")
    world.a.git("commit", "-q", "-m", "backup")
    world.a.sync()
    purged = blobs(world.a.path, world.two)
    world.a.purge(world.two)
    holds_nothing(world.a.path, purged)
    holds_nothing(world.remote, purged)
    assert world.a.git("ls-tree", "-r", "--name-only", f"{MAIN}~1", "backup") == "backup/other.txt"
    accepted(world, {world.one: "one, edited"})


def test_what_still_keeps_it_is_named_and_the_stash_is_left_alone(world: World) -> None:
    (world.a.path / "mine.txt").write_text("1\n")
    world.a.git("add", "mine.txt")
    world.a.git("stash", "-q")
    world.a.git("tag", "v1")
    world.a.git("tag", "-a", "v2", "-m", "annotated")
    world.a.git("update-ref", f"refs/gitmem/kept/{world.a.tip()}", world.a.tip())
    git(world.remote, "update-ref", "refs/heads/proposal", world.a.tip())
    purged = blobs(world.a.path, world.two)
    done = world.a.purge(world.two)
    assert set(done.holders) == {"refs/stash", "refs/tags/v1", "refs/tags/v2"}
    assert done.remote_holders == ("refs/heads/proposal",)
    assert world.a.git("for-each-ref", "refs/gitmem") == ""
    assert world.a.git("stash", "list").count("stash@") == 1
    world.a.git("stash", "drop", "-q")
    world.a.git("tag", "-d", "v1", "v2")
    world.a.git("gc", "-q", "--prune=now")
    holds_nothing(world.a.path, purged)


def test_a_detached_work_tree_that_stands_on_the_old_line_is_named(world: World, tmp_path: Path) -> None:
    world.a.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"), world.mark("edited"))
    assert world.a.purge(world.two).holders == (str(tmp_path / "linked"),)
    accepted(world, {world.one: "one, edited"})


def test_two_devices_that_purge_at_once_both_get_their_way(world: World) -> None:
    with world.b.store() as store:
        attempts = []

        def race(word: str) -> None:
            if word == "replacing the remote's history" and not attempts:
                attempts.append(word)
                world.a.purge(world.three)

        purge.purge(store, [world.two], race)
    assert attempts
    accepted(world, {world.one: "one, edited"})
    for name in ("two", "three"):
        assert path_of(world.names[name]) not in world.a.git("log", "--format=", "--name-only", MAIN)


def test_a_write_while_the_history_is_rewritten_is_not_lost(world: World) -> None:
    written = []

    def meanwhile(word: str) -> None:
        if word == "replacing the remote's history" and not written:
            written.extend(world.a.write("meanwhile"))

    with world.a.store() as store:
        purge.purge(store, [world.two], meanwhile)
    assert written
    accepted(world, {world.one: "one, edited", written[0]: "meanwhile"})


def test_a_remote_that_takes_no_forced_push_changes_nothing(world: World) -> None:
    git(world.remote, "config", "receive.denyNonFastForwards", "true")
    before = world.a.snapshot()
    with pytest.raises(RemoteError, match="refuses to replace commits"):
        world.a.purge(world.two)
    assert world.a.tip() == before.tip
    assert world.remote_tip() == before.remote
    accepted(world, {world.one: "one, edited", world.two: "two"})


def test_unpushed_merges_on_a_purged_line_stop_with_a_way_out(world: World) -> None:
    world.b.git("checkout", "-q", "-b", "own")
    (world.b.path / "notes.txt").write_text("on a branch\n")
    world.b.git("add", "notes.txt")
    world.b.git("commit", "-q", "-m", "notes")
    world.b.git("checkout", "-q", "main")
    world.b.write("meanwhile")
    world.b.git("merge", "-q", "--no-edit", "own")
    world.a.purge(world.two)
    tip = world.b.tip()
    with pytest.raises(ConflictError, match="gitmem export DIR"):
        world.b.sync()
    assert world.b.tip() == tip


def test_memories_drawn_from_a_purged_one_are_found_also_through_others(world: World) -> None:
    with world.a.store() as store:
        ids = [world.a._new_id() for _ in range(4)]
        first = Memory(id=ids[0], body="a summary", created=store.now(), sources=(world.two,))
        second = Memory(id=ids[1], body="of summaries", created=store.now(), sources=(ids[0], world.one))
        third = Memory(id=ids[2], body="replaced", created=store.now(), supersedes=(world.two,))
        other = Memory(id=ids[3], body="unrelated", created=store.now(), sources=(world.one,))
        store.write([first, second, third, other])
        assert [one.id for one in purge.drawn_from(store, [world.two])] == ids[:3]
        assert purge.drawn_from(store, [ids[3]]) == []


def test_what_differed_before_and_after_is_still_shown(world: World) -> None:
    world.a.purge(world.two)
    with world.a.store() as store:
        found = history.log(store, world.one)
        assert [commit.subject for commit in found] == ["edit 1 memory", "write 2 memories"]
        (change,) = [
            one for one in history.difference(store, found[1].id, found[0].id) if one.id == world.one
        ]
        assert (change.before.body, change.after.body) == ("one", "one, edited")
        assert store.get(world.one, at=store.resolve_commit(found[1].id)).body == "one"


# --- the real command: without a remote, bare, sparse, over http --------------------------------------------


@pytest.mark.parametrize("kind", ["work tree", "bare"])
def test_a_vault_without_a_remote_is_purged_too(another: Callable[[], Machine], kind: str) -> None:
    machine = another().init(*(["--bare"] if kind == "bare" else []))
    purged, kept = machine.write("the xylosecret"), machine.write("stays")
    machine.run("edit", purged, "--body", "the xylosecret again")
    assert purged in machine.run("--json", "search", "xylosecret").out
    files = blobs(machine.git_dir, purged)
    said = machine.run("forget", purged[-6:], "--purge", "--yes").out
    assert said.startswith("1 memory is erased from the history; 3 commits rewritten.")
    holds_nothing(machine.git_dir, files)
    assert machine.run("--json", "search", "xylosecret").json["hits"] == []
    assert machine.ids() == [kept]
    machine.run("write", "and on")
    machine.assert_sound("stays")


def test_a_purge_over_http_and_in_a_sparse_clone(
    another: Callable[[], Machine], http_remote: HttpRemote
) -> None:
    first = another().init("--remote", http_remote.create())
    first.run("config", "set", "sync.auto", "false")
    purged, kept = first.write("the secret"), first.write("stays")
    first.run("sync")
    sparse = another().join(first, "--sparse")
    sparse.run("config", "set", "sync.auto", "false")
    mine = sparse.write("written in the sparse one, not pushed")
    files = blobs(first.vault, purged)
    done = first.run("forget", purged, "--purge", "--yes")
    assert "The remote may keep the old objects" in done.out  # it is no folder that gitmem could clean
    holds_nothing(first.vault, files)
    place = http_remote.folder / "vault.git"
    git(place, "reflog", "expire", "--expire=now", "--all")
    git(place, "gc", "-q", "--prune=now")
    holds_nothing(place, files)
    assert "1 pushed" in sparse.run("sync").out
    holds_nothing(sparse.vault, files)
    first.run("sync")
    assert set(first.ids()) == set(sparse.ids()) == {kept, mine}
    first.assert_sound("stays")
    sparse.assert_sound("stays")


def test_a_purge_asks_where_it_can_and_refuses_where_it_cannot(another: Callable[[], Machine]) -> None:
    machine = another().init()
    memory = machine.write("stays")
    done = machine.run("forget", memory, "--purge", code=2)
    assert "--yes" in done.err
    assert machine.ids() == [memory]


def test_nothing_on_a_device_follows_a_purge_that_was_not_verified(world: World) -> None:
    """A line that only looks purged is a rewind, and cleans nothing up."""
    tip = world.look()
    forged = world.commit(
        world.tree(tip, {path_of(world.two): None}),
        message=f"purge 1 memory\n\nGitmem-Was: {tip}\nGitmem-Anchor: purge\n",
    )
    files = blobs(world.b.path, world.two)
    refused(world.b, world.push(forged, force=True))
    assert content(world.b.path, next(iter(files))) == next(iter(files.values()))
    not_joined(world, "floored", world.mark("forgot"), forged)
    with world.b.store() as store:
        assert store.trunk.state.purged == ""
        with pytest.raises(TamperedError):
            sync.sync(store)
    assert os.path.exists(world.b.state_file)

"""What lies around a vault: shallow clones, state files, strange refs, hostile folders and environments."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from harness import MAIN, NOW, Device, World, accepted, fails, git, not_joined, refused

from gitmem.errors import ConflictError, GitmemError, RemoteError, RewoundError, TamperedError
from gitmem.flows import sync
from gitmem.memory.ids import path_of
from gitmem.memory.memory import Memory
from gitmem.repo.repo import Repo


def known(world: World) -> dict[str, str]:
    return {world.one: "one, edited", world.two: "two"}


def forged(world: World) -> str:
    return world.push(world.change(world.look(), {path_of(world.two): None}))


# --- shallow clones ---------------------------------------------------------------------------------------


def test_a_sealed_tip_is_enough_for_a_clone_of_depth_one(world: World) -> None:
    shallow = world.cloned("shallow", 1)
    assert shallow.texts() == known(world)
    assert shallow.git("rev-parse", "--is-shallow-repository") == "true"
    shallow.write("and work goes on")
    shallow.sync()
    world.a.sync()
    assert len(world.a.texts()) == 3


def test_a_plain_tip_over_a_sealed_one_is_enough_at_depth_two(world: World) -> None:
    world.push(world.plain(world.look()))
    shallow = world.cloned("shallow", 2)
    assert shallow.texts() == known(world)
    assert shallow.git("rev-parse", "--is-shallow-repository") == "true"


def test_a_plain_tip_at_depth_one_is_judged_after_fetching_more(world: World) -> None:
    world.push(world.plain(world.look()))
    assert world.cloned("shallow", 1).texts() == known(world)


def test_a_merge_in_a_shallow_clone_is_judged_with_the_whole_history(world: World) -> None:
    tip = world.look()
    world.git("checkout", "-q", "-B", "main", world.plain(tip))
    world.git("merge", "-q", "--no-ff", "--no-edit", world.plain(tip, "b.txt"))
    world.push(world.git("rev-parse", "HEAD"))
    shallow = world.cloned("shallow", 1)
    assert shallow.texts() == known(world)


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("plain", [0, 1])
def test_a_forged_tip_of_a_shallow_clone_is_refused(world: World, depth: int, plain: int) -> None:
    bad = tip = world.change(world.look(), {path_of(world.two): None})
    for _ in range(plain):
        tip = world.plain(tip)
    world.push(tip)
    shallow = world.cloned("shallow", depth)
    with pytest.raises(TamperedError, match=bad) as caught:
        shallow.texts()
    assert caught.value.exit_code == 13


def test_an_unsealed_tip_at_a_shallow_boundary_is_refused_though_its_parent_is_present(world: World) -> None:
    bad = forged(world)
    world.b.git("fetch", "-q", "--depth=1", "origin", "main")
    assert world.b.git("cat-file", "-t", world.mark("forgot")) == "commit"
    refused(world.b, bad)


def test_a_shallow_forged_clone_offline_is_refused_too(world: World) -> None:
    forged(world)
    shallow = world.cloned("shallow", 1)
    shutil.move(world.remote, world.place / "away.git")
    with pytest.raises(TamperedError) as caught:
        shallow.texts()
    assert caught.value.exit_code == 13


# --- the state file ---------------------------------------------------------------------------------------


def test_without_a_state_file_the_machine_still_remembers_the_remote(world: World) -> None:
    world.look()
    world.push(world.mark("third"), force=True)
    world.b.state_file.unlink()
    refused(world.b, "", RewoundError)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"vault": 1}',
        b"\xff\xfe",
        b'{"vault": ""}',
    ],
)
def test_a_damaged_state_file_means_a_first_clone_and_is_mended(world: World, content: bytes) -> None:
    world.b.state_file.write_bytes(content)
    assert world.b.texts() == known(world)
    assert json.loads(world.b.state_file.read_text())["local"] == world.mark("forgot")
    bad = forged(world)
    world.b.state_file.write_bytes(content)
    with pytest.raises(TamperedError, match=bad):
        world.b.sync()
    assert world.b.tip() == world.mark("forgot")


def test_a_missing_state_file_does_not_let_a_forged_local_tip_pass(world: World) -> None:
    bad = forged(world)
    world.b.git("pull", "-q")
    world.b.state_file.unlink()
    with pytest.raises(TamperedError, match=bad):
        world.b.texts()


def test_an_older_state_file_is_caught_up(world: World) -> None:
    text = world.b.state_file.read_text().replace(world.mark("forgot"), world.mark("wrote"))
    world.b.state_file.write_text(text)
    accepted(world, known(world))
    state = json.loads(world.b.state_file.read_text())
    assert state["local"] == state["remote"] == world.mark("forgot")


def test_a_state_file_of_another_vault_lets_nothing_pass(world: World) -> None:
    state = json.loads(world.b.state_file.read_text())
    world.b.state_file.write_text(
        json.dumps({**state, "vault": "1" * 32, "local": "2" * 40, "remote": "2" * 40})
    )
    before = world.b.tip()
    with pytest.raises(GitmemError):
        world.b.sync()
    assert world.b.tip() == before == world.remote_tip()


def test_a_state_that_names_an_unknown_commit_is_a_rewind(world: World) -> None:
    state = json.loads(world.b.state_file.read_text())
    world.b.state_file.write_text(json.dumps({**state, "local": "2" * 40}))
    with pytest.raises(RewoundError):
        world.b.texts()


def test_what_another_process_noted_is_not_taken_back(world: World) -> None:
    with world.b.store() as old:
        old.tip()
        (new,) = world.a.write("by a")
        world.a.sync()
        world.b.sync()
        newest = world.remote_tip()
        world.push(world.plain(world.look(), "x.txt"))
        with world.b.store() as other, other.repo.lock:
            other.trunk.note(remote=newest)
        old.trunk.state = old.trunk.state._replace(remote=world.mark("wrote"))
        old.write([Memory(id=world.b._new_id(), body="by a long-lived process", created=NOW)])
    assert json.loads(world.b.state_file.read_text())["remote"] == newest
    assert new in world.b.texts()


# --- refs, grafts, objects --------------------------------------------------------------------------------


def test_replace_refs_change_nothing(world: World) -> None:
    bad = forged(world)
    genuine = world.sealed(world.mark("forgot"), {path_of(world.two): None})
    world.git("push", "-q", "origin", f"{genuine}:refs/heads/x", f"{genuine}:refs/replace/{bad}")
    world.b.git("fetch", "-q", "origin", "+refs/replace/*:refs/replace/*")
    refused(world.b, bad)


def test_a_replaced_blob_is_not_read(world: World) -> None:
    evil = world.b.git("hash-object", "-w", "--stdin", data=world.vault.seal(b"x"))
    blob = world.b.git("rev-parse", f"HEAD:{path_of(world.two)}")
    world.b.git("replace", blob, evil)
    assert world.b.texts() == known(world)


def test_a_graft_hides_nothing(world: World) -> None:
    """The parents that git shows must be the ones that the commit names."""
    bad = world.change(world.look(), {path_of(world.two): None})
    tip = world.push(world.plain(bad))
    world.b.git("fetch", "-q")
    info = world.b.path / ".git" / "info"
    (info / "grafts").write_text(f"{tip} {world.mark('forgot')}\n")
    refused(world.b, tip)


def test_a_tag_named_like_the_branch_is_not_the_branch(world: World) -> None:
    bad = world.change(world.look(), {path_of(world.two): None})
    world.git("push", "-q", "origin", f"{bad}:refs/tags/main", f"{bad}:refs/tags/origin/main")
    world.b.git("fetch", "-q", "--tags")
    (new,) = world.b.write("new")
    accepted(world, {**known(world), new: "new"}, world.b, world.a)


def test_a_tag_named_like_the_whole_ref_blocks_the_push_and_changes_nothing(world: World) -> None:
    """Git itself finds that name ambiguous: a nuisance that somebody must delete, not a forgery."""
    bad = world.change(world.look(), {path_of(world.two): None})
    world.git("push", "-q", "origin", f"{bad}:refs/tags/refs/heads/main")
    (new,) = world.b.write("new")
    with pytest.raises(RemoteError):
        world.b.sync()
    assert world.remote_tip() == world.mark("forgot")
    world.git("push", "-q", "origin", ":refs/tags/refs/heads/main")
    accepted(world, {**known(world), new: "new"}, world.b, world.a)


def test_sync_fetches_no_tags(world: World) -> None:
    tip = world.push(world.plain(world.look()))
    world.git("push", "-q", "origin", f"{tip}:refs/tags/evil")
    world.b.sync()
    assert world.b.git("tag") == ""


def test_a_remote_whose_branch_is_a_tag_object_is_refused(world: World) -> None:
    """Only the server itself can do this; git would peel it."""
    tip = world.look()
    world.git("tag", "-a", "-m", "x", "annotated", world.plain(tip))
    world.git("push", "-q", "origin", "annotated")
    tag = world.git("rev-parse", "refs/tags/annotated")
    packed = world.remote / "packed-refs"
    packed.unlink(missing_ok=True)
    (world.remote / MAIN).write_text(f"{tag}\n")
    refused(world.b, tag)


def test_a_mirror_clone_brings_in_no_state(world: World) -> None:
    """The attacker's refs/gitmem/* say that the forged tip was accepted."""
    bad = forged(world)
    for ref in ("refs/gitmem/state", "refs/gitmem/local", f"refs/gitmem/kept/{bad}"):
        world.git("push", "-q", "origin", f"{bad}:{ref}")
    mirror = Device(world, world.place / "mirror.git", world.place / "state-mirror")
    git(world.place, "clone", "-q", "--mirror", str(world.remote), str(mirror.path))
    with pytest.raises(TamperedError, match=bad):
        mirror.texts()


def test_a_fetch_moves_no_local_branch_in_a_mirror_clone(world: World) -> None:
    mirror = Device(world, world.place / "mirror.git", world.place / "state-mirror")
    git(world.place, "clone", "-q", "--mirror", str(world.remote), str(mirror.path))
    assert mirror.texts() == known(world)
    bad = forged(world)
    refused(mirror, bad)


def test_a_bare_clone_refuses_and_follows_like_any_other(world: World) -> None:
    bare = Device(world, world.place / "bare.git", world.place / "state-bare")
    git(world.place, "clone", "-q", "--bare", str(world.remote), str(bare.path))
    (new,) = bare.write("from a bare repository")
    bare.sync()
    accepted(world, {**known(world), new: "from a bare repository"})
    refused(bare, forged(world))


def test_a_linked_work_tree_shares_what_was_accepted(world: World) -> None:
    place = world.place / "linked"
    world.b.git("worktree", "add", "-q", "-b", "other", str(place))
    linked = Device(world, place, world.b.state_dir, world.b.clock + 5000)
    (new,) = linked.write("from a linked work tree")
    assert world.b.texts() == {**known(world), new: "from a linked work tree"}
    assert world.b.git("status", "--porcelain") == linked.git("status", "--porcelain") == ""
    linked.sync()
    assert world.remote_tip() == world.b.tip()


def test_another_checked_out_branch_is_never_read_as_the_vault(world: World) -> None:
    world.b.git("checkout", "-q", "-b", "other")
    world.b.git("rm", "-q", path_of(world.two))
    world.b.git("commit", "-q", "-m", "not the vault")
    assert world.b.texts() == known(world)
    (new,) = world.b.write("to the vault")
    assert world.b.git("rev-parse", "HEAD") != world.b.tip()
    assert world.b.git("status", "--porcelain") == ""
    world.b.sync()
    assert world.b.texts() == {**known(world), new: "to the vault"}


# --- folders, configuration, environment ------------------------------------------------------------------


def test_stray_files_are_never_committed(world: World) -> None:
    """Neither from the index nor from the work tree, whatever path a write takes."""
    evil = world.b.path / "memories" / "2026" / "11" / "stray.md.age"
    evil.write_text("plaintext")
    (world.b.path / "memories" / "2026" / "11" / f"{world.two}.md.age").write_text("edited by hand")
    (world.b.path / "staged.txt").write_text("staged")
    world.b.git("add", "-A")
    (world.b.path / "untracked.txt").write_text("untracked")
    world.a.edit(world.one, "one, by a")
    world.a.sync()
    (new,) = world.b.write("unpushed")
    world.b.forget(new)
    (new,) = world.b.write("unpushed again")
    world.b.sync()
    names = world.b.git("ls-tree", "-r", "--name-only", MAIN)
    assert "stray" not in names
    assert ".txt" not in names
    assert world.b.texts() == {world.one: "one, by a", world.two: "two", new: "unpushed again"}
    assert evil.read_text() == "plaintext"
    assert world.b.git("diff", "--cached", "--name-only").split() == [
        f"memories/2026/11/{world.two}.md.age", "memories/2026/11/stray.md.age", "staged.txt"
    ]  # fmt: skip


def test_a_merging_sync_takes_nothing_from_the_index(world: World) -> None:
    world.a.write("by a")
    world.a.sync()
    (world.b.path / "committed.txt").write_text("mine")
    world.b.git("add", "-A")
    world.b.git("commit", "-q", "-m", "a plain commit, so that sync must merge")
    (world.b.path / "memories" / "evil.txt").write_text("plaintext")
    world.b.git("add", "-A")
    world.b.sync()
    assert "evil" not in world.b.git("ls-tree", "-r", "--name-only", MAIN)
    assert "committed.txt" in world.b.git("ls-tree", "-r", "--name-only", MAIN)
    assert (world.b.path / "memories" / "evil.txt").read_text() == "plaintext"
    world.a.sync()
    assert world.a.texts() == world.b.texts()


def test_a_symlinked_memories_folder_leads_nowhere(world: World) -> None:
    outside = world.place / "outside"
    shutil.move(world.b.path / "memories", outside)
    (world.b.path / "memories").symlink_to(outside)
    before = {place: place.read_bytes() for place in outside.rglob("*") if place.is_file()}
    world.b.edit(world.one, "one, again")
    (new,) = world.b.write("new")
    world.b.forget(world.two)
    assert world.b.texts() == {world.one: "one, again", new: "new"}
    assert {place: place.read_bytes() for place in outside.rglob("*") if place.is_file()} == before
    world.b.sync()
    assert world.a.sync().tip == world.b.tip()


def test_dirty_and_swapped_files_are_not_read(world: World) -> None:
    one, two = (world.b.path / path_of(one) for one in (world.one, world.two))
    one.write_bytes(two.read_bytes())
    two.unlink()
    assert world.b.texts() == known(world)


@pytest.mark.parametrize(
    "what", ["GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_CONFIG_COUNT", "GIT_NAMESPACE"]
)
def test_an_inherited_git_environment_redirects_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    values = {
        "GIT_DIR": str(world.attacker / ".git"),
        "GIT_INDEX_FILE": str(world.place / "other-index"),
        "GIT_OBJECT_DIRECTORY": str(world.attacker / ".git" / "objects"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_NAMESPACE": "x",
    }
    before = world.git("for-each-ref")
    with monkeypatch.context() as patch:
        patch.setenv(what, values[what])
        patch.setenv("GIT_WORK_TREE", str(world.attacker))
        patch.setenv("GIT_CONFIG_KEY_0", "core.hooksPath")
        patch.setenv("GIT_CONFIG_VALUE_0", "/tmp")
        with world.b.store() as store:
            store.write([Memory(id=world.b._new_id(), body="new", created=NOW)])
            tip = sync.sync(store).tip
    assert world.git("for-each-ref") == before
    assert world.b.tip() == tip == world.remote_tip()
    assert not (world.place / "other-index").exists()
    assert world.b.git("status", "--porcelain") == ""


def test_hooks_and_monitors_of_the_repository_are_not_run(world: World) -> None:
    ran = world.place / "ran"
    script = f"#!/bin/sh\necho ran >>{ran}\nexit 1\n"
    hooks = world.b.path / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    names = "pre-commit post-commit post-checkout reference-transaction pre-push post-merge post-index-change"
    for name in [*names.split(), "fsmonitor"]:
        (hooks / name).write_text(script)
        (hooks / name).chmod(0o755)
    world.b.git("config", "core.fsmonitor", str(hooks / "fsmonitor"))
    world.push(world.plain(world.look()))
    world.b.write("new")
    world.b.sync()
    assert not ran.exists()


def test_filters_and_attributes_from_the_remote_touch_no_ciphertext(world: World) -> None:
    world.b.git("config", "filter.evil.smudge", "sed s/a/b/")
    world.b.git("config", "filter.evil.clean", "sed s/a/b/")
    rules = "* text eol=crlf ident filter=evil working-tree-encoding=UTF-16\nmemories/** merge=ours diff\n"
    world.push(world.change(world.look(), {".gitattributes": world.blob(rules.encode())}))
    (new,) = world.a.write("new")
    world.a.sync()
    world.b.sync()
    sealed = (world.b.path / path_of(new)).read_bytes()
    assert world.vault.open(sealed)
    assert world.b.git("status", "--porcelain", "memories") == ""


def test_a_bare_repository_inside_the_vault_is_only_files(world: World) -> None:
    ran = world.place / "ran"
    files = {
        "HEAD": "ref: refs/heads/main\n",
        "config": f'[core]\n\tbare = true\n\tfsmonitor = "echo >{ran};false"\n',
        "objects/x": "",
        "refs/x": "",
    }
    world.push(world.change(world.look(), {name: world.blob(text.encode()) for name, text in files.items()}))
    world.b.sync()
    world.b.write("new")
    assert Repo.open(str(world.b.path)).git_dir == str(world.b.path / ".git")
    assert not ran.exists()
    world.b.sync()
    accepted(world, world.b.texts())


@pytest.mark.parametrize(
    "name", [b"\xff\xfe.txt", b"a\nb", b"a\tb", b'"quoted"', "ü\u202e.txt".encode(), b"-x"]
)
def test_odd_names_of_other_files_stop_nothing(world: World, name: bytes) -> None:
    tip = world.look()
    blob = world.blob(b"x")
    listing = (
        world.git("ls-tree", "-z", tip).encode() + b"100644 blob " + blob.encode() + b"\t" + name + b"\0"
    )
    world.push(world.commit(world.git("mktree", "-z", data=listing), tip))
    world.b.write("unpushed")
    world.b.sync()
    accepted(world, world.b.texts())


def test_a_very_deep_folder_in_other_files_stops_nothing(world: World) -> None:
    bare = Device(world, world.place / "bare.git", world.place / "state-bare")  # no file is checked out
    git(world.place, "clone", "-q", "--bare", str(world.remote), str(bare.path))
    bare.write("unpushed")
    tip = world.look()
    tree = world.tree("", {"x": world.blob(b"x")})
    for _ in range(1200):
        tree = world.git("mktree", data=f"040000 tree {tree}\ta\n".encode())
    rows = world.git("ls-tree", tip)
    world.push(world.commit(world.git("mktree", data=f"{rows}\n040000 tree {tree}\tdeep\n".encode()), tip))
    bare.sync()
    assert len(bare.texts()) == 3


# --- races ------------------------------------------------------------------------------------------------


def test_a_branch_that_moves_between_verdict_and_write_is_judged_again(world: World) -> None:
    plain = world.plain(world.look())
    world.push(plain)
    world.b.git("fetch", "-q")
    with world.b.store() as store:
        tips = []

        def make(tip: str) -> dict[str, tuple[bytes, str]]:
            if not tips:
                world.b.git("merge", "-q", "--ff-only", "origin/main")
            tips.append(tip)
            memory = Memory(id=world.b._new_id(), body="new", created=NOW)
            return {path_of(memory.id): (b"100644", store.put(memory))}

        store.trunk.grow(make, "write 1 memory")
    assert tips == [world.mark("forgot"), plain]
    world.b.sync()
    accepted(world, world.b.texts())


def test_a_branch_that_moves_to_junk_between_verdict_and_write_is_not_built_on(world: World) -> None:
    bad = forged(world)
    world.b.git("fetch", "-q")
    with world.b.store() as store:

        def make(_: str) -> dict[str, tuple[bytes, str]]:
            world.b.git("update-ref", MAIN, bad)
            memory = Memory(id=world.b._new_id(), body="new", created=NOW)
            return {path_of(memory.id): (b"100644", store.put(memory))}

        with pytest.raises(TamperedError, match=bad):
            store.trunk.grow(make, "write 1 memory")
    assert world.b.tip() == bad


def test_sync_goes_on_when_the_users_git_moves_the_branch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (theirs,) = world.a.write("by a")
    world.a.sync()
    with world.b.store() as store:
        genuine, moved = store.repo.advance, []

        def advance(*args: object) -> None:
            if not moved:
                moved.append(True)
                (world.b.path / "mine.txt").write_text("mine")
                world.b.git("add", "mine.txt")
                world.b.git("commit", "-q", "-m", "the user at work")
            genuine(*args)

        monkeypatch.setattr(store.repo, "advance", advance)
        sync.sync(store)
    accepted(world, {**known(world), theirs: "by a"}, world.b, world.a)
    assert (world.a.path / "mine.txt").read_text() == "mine"


def test_dates_from_1970_make_sync_replay_nothing_twice(world: World) -> None:
    """With skewed dates rev-list also names commits that the remote has; replayed, old edits come back."""
    base = world.mark("forgot")
    world.a.edit(world.one, "one, third edit")
    world.a.edit(world.one, "one, fourth edit")
    (gone,) = world.a.write("to be forgotten")
    world.a.forget(gone)
    world.a.sync()
    world.b.sync()
    old = tip = world.look()
    for number in range(9):
        old = world.plain(old, f"{number}.txt", when=1000 + number)
    recent = world.plain(base, "recent.txt")
    world.git("checkout", "-q", "-B", "main", recent)
    world.git("merge", "-q", "--no-edit", "--no-ff", old)
    world.push(world.git("rev-parse", "HEAD"))
    (new,) = world.b.write("unpushed")
    listed = world.b.git("rev-list", world.b.tip(), f"^{world.remote_tip()}") if _fetched(world) else ""
    assert tip in listed, "the case is not set up: rev-list is right here"
    before = int(world.git("rev-list", "--count", world.remote_tip()))
    world.b.sync()
    assert int(world.b.git("rev-list", "--count", MAIN)) == before + 1
    accepted(world, {world.one: "one, fourth edit", world.two: "two", new: "unpushed"}, world.b, world.a)


def _fetched(world: World) -> bool:
    world.b.git("fetch", "-q")
    return True


def test_sealed_merges_of_crossed_histories_bring_nothing_back(world: World) -> None:
    """Two merge bases: taken one by one, what the other side forgot would look like news."""
    (left,), (right,) = world.a.write("left"), world.b.write("right")
    for device, name in ((world.a, "a"), (world.b, "b")):
        (device.path / f"{name}.txt").write_text(name)
        device.git("add", "-A")
        device.git("commit", "-q", "-m", name)
    first, second = world.a.tip(), world.b.tip()
    world.a.git("fetch", "-q", str(world.b.path), MAIN)
    world.a.git("merge", "-q", "--no-edit", second)
    world.b.git("fetch", "-q", str(world.a.path), f"{first}:refs/heads/first")
    world.b.git("merge", "-q", "--no-edit", first)
    world.a.forget(right)
    world.b.forget(left)
    world.a.sync()
    world.b.sync()
    accepted(world, known(world), world.a, world.b)


# --- plain git by the user --------------------------------------------------------------------------------


def crossed(world: World) -> None:
    """Both devices edit one memory; a's edit is on the remote."""
    world.a.edit(world.two, "two\n\nby a")
    world.a.sync()
    world.b.edit(world.two, "by b\n\ntwo")
    world.b.git("fetch", "-q")


@pytest.mark.parametrize("command", ["read", "write", "sync"])
def test_a_conflict_resolved_by_hand_is_mended_by_the_next_command(world: World, command: str) -> None:
    crossed(world)
    world.b.git("config", "merge.gitmem.driver", "false")
    fails(world.b.path, "merge", "origin/main")
    world.b.git("checkout", "--theirs", path_of(world.two))
    (world.b.path / "mine.txt").write_text("mine")
    world.b.git("add", "-A")
    world.b.git("commit", "-q", "-m", "resolved")
    merge = world.b.tip()
    wanted = {world.one: "one, edited", world.two: "by b\n\ntwo\n\nby a"}
    if command == "write":
        (new,) = world.b.write("new")
        wanted[new] = "new"
    elif command == "sync":
        world.b.sync()
    assert world.b.texts() == wanted
    assert world.b.git("rev-parse", f"refs/gitmem/kept/{merge}") == merge
    assert (world.b.path / "mine.txt").read_text() == "mine"
    accepted(world, wanted, world.b, world.a)
    assert (world.a.path / "mine.txt").read_text() == "mine"


def test_a_hand_made_merge_with_a_forged_line_is_not_mended(world: World) -> None:
    world.b.edit(world.two, "by b\n\ntwo")
    bad = world.push(world.change(world.look(), {path_of(world.two): world.leaked("forged", world.two)}))
    world.b.git("fetch", "-q")
    world.b.git("merge", "-q", "--no-edit", "-s", "ours", "origin/main")
    with pytest.raises(TamperedError, match=bad):
        world.b.texts()
    world.b.restore()
    accepted(world, {world.one: "one, edited", world.two: "by b\n\ntwo"}, world.b, world.a)


def test_a_hand_made_merge_with_a_stale_line_revives_nothing(world: World) -> None:
    blob = world.blob_at(world.mark("third"), world.three)
    stale = world.sealed(world.mark("wrote"), {path_of(world.three): blob})
    world.git("push", "-q", "origin", f"{stale}:refs/heads/side")
    world.b.git("fetch", "-q", "origin", "side")
    world.b.git("merge", "-q", "--no-edit", stale)
    assert (world.b.path / path_of(world.three)).exists()
    assert world.b.texts() == known(world)
    accepted(world, known(world), world.b, world.a)


def test_a_hand_made_merge_that_lost_our_tip_is_not_mended(world: World) -> None:
    world.b.write("only here")
    tip = world.b.tip()
    world.b.git("reset", "-q", "--hard", world.mark("third"))
    side = world.sealed(world.look(), {path_of(world.two): world.leaked("x", world.two)})
    world.git("push", "-q", "origin", f"{side}:refs/heads/side")
    world.b.git("fetch", "-q", "origin", "side")
    world.b.git("merge", "-q", "--no-ff", "--no-edit", "-s", "ours", side)
    with pytest.raises(TamperedError):
        world.b.texts()
    assert json.loads(world.b.state_file.read_text())["local"] == tip


def test_a_hand_made_merge_that_was_pushed_is_left_to_trust_or_restore(world: World) -> None:
    crossed(world)
    world.b.git("config", "merge.gitmem.driver", "false")
    fails(world.b.path, "merge", "origin/main")
    world.b.git("checkout", "--theirs", path_of(world.two))
    world.b.git("add", "-A")
    world.b.git("commit", "-q", "-m", "resolved")
    merge = world.b.tip()
    world.b.git("push", "-q", "origin", "main")
    with pytest.raises(TamperedError, match=merge):
        world.b.texts()
    refused(world.a, merge)
    world.b.trust(merge)
    accepted(world, {world.one: "one, edited", world.two: "two\n\nby a"}, world.b, world.a)


def test_pull_does_not_rebase_in_a_vault(world: World) -> None:
    world.b.git("config", "--global", "pull.rebase", "true")
    world.a.write("by a")
    world.a.sync()
    world.b.write("by b")
    world.b.git("pull", "-q", "--no-edit")
    assert len(world.b.texts()) == 4
    world.b.sync()
    accepted(world, world.b.texts())


def test_a_clone_made_under_automatic_rebase_pulls_by_merge_all_the_same(world: World, home: Path) -> None:
    (home / "gitconfig").write_text("[branch]\n\tautoSetupRebase = always\n[pull]\n\trebase = true\n")
    device = world.device("late")
    world.a.write("by a")
    world.a.sync()
    device.write("by the new device")
    device.git("pull", "-q", "--no-edit")
    assert len(device.texts()) == 4


def test_a_refused_local_tip_takes_no_write_and_loses_nothing(world: World) -> None:
    bad = forged(world)
    world.b.git("pull", "-q")
    before = world.b.snapshot()
    with pytest.raises(TamperedError, match=bad):
        world.b.write("not on top of that")
    assert world.b.snapshot() == before


def test_writing_goes_on_while_the_remote_is_refused(world: World) -> None:
    bad = forged(world)
    refused(world.b, bad)
    (new,) = world.b.write("meanwhile")
    refused(world.b, bad)
    assert world.b.texts() == {**known(world), new: "meanwhile"}


def test_other_files_that_do_not_merge_stop_sync_and_nothing_else(world: World) -> None:
    world.push(world.plain(world.look(), "same.txt", "theirs\n"))
    (world.b.path / "same.txt").write_text("ours\n")
    world.b.git("add", "-A")
    world.b.git("commit", "-q", "-m", "mine")
    world.b.texts()
    before = world.b.snapshot()
    with pytest.raises(ConflictError):
        world.b.sync()
    assert world.b.snapshot() == before


def test_errors_never_repeat_what_a_stranger_wrote(world: World) -> None:
    evil = "\x1b]0;owned\x07\x1b[31mred"
    env = {"GIT_AUTHOR_NAME": evil, "GIT_COMMITTER_NAME": evil}
    tip = world.look()
    tree = world.tree(tip, {path_of(world.two): None, "\x1b[31mfile": world.blob(b"x")})
    bad = world.push(world.git("commit-tree", tree, "-p", tip, data=evil.encode(), env=env))
    error = refused(world.b, bad)
    assert "\x1b" not in str(error)
    assert "owned" not in str(error)
    not_joined(world, "fresh", "", bad)


def test_an_installed_program_inside_its_own_vault_is_not_replaced_by_a_pull(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the running package in the work tree every unsealed change waits for the user's own `git pull`."""
    monkeypatch.setattr("gitmem.__file__", os.path.join(world.b.path, "gitmem", "__init__.py"))
    plain = world.push(world.plain(world.look()))
    refused(world.b, plain)
    accepted(world, known(world), world.a)

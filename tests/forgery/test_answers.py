"""Trust and restore: either mends a refused vault for every device, without force and without being asked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harness import TREE, Device, World, accepted, fails, git, refresh, refused

from gitmem.errors import ConfigError, GitmemError, NotFoundError, TamperedError
from gitmem.flows import restore, sync, trust, undo
from gitmem.memory.ids import path_of


def known(world: World) -> dict[str, str]:
    return {world.one: "one, edited", world.two: "two"}


def forbid_force(world: World) -> None:
    """From now on the remote takes no forced push."""
    git(world.remote, "config", "receive.denyNonFastForwards", "true")


def junk(world: World) -> str:
    """A change that no key holder made, on the remote."""
    changes = {
        path_of(world.two): world.leaked("two, by a stranger", world.two),
        "notes.txt": world.blob(b"hello\n"),
    }
    return world.push(world.change(world.look(), changes))


def stolen(device: Device, branch: str = "origin/main") -> str:
    """The user pulls it with plain git; the local tip."""
    device.git("fetch", "-q")
    device.git("merge", "-q", "--no-edit", branch)
    return device.tip()


# --- trust ------------------------------------------------------------------------------------------------


def test_trusting_the_remotes_refused_tip_mends_every_device(world: World) -> None:
    bad = junk(world)
    refused(world.b, bad)
    forbid_force(world)
    with world.b.store() as store:
        (change,) = trust.preview(store, bad)
        assert (change.id, change.after.body) == (world.two, "two, by a stranger")
    anchor = world.b.trust(bad)
    assert world.b.tip() == anchor
    accepted(world, {world.one: "one, edited", world.two: "two, by a stranger"}, world.b, world.a)
    assert (world.a.path / "notes.txt").read_text() == "hello\n"


def test_trusting_the_local_refused_tip_mends_every_device(world: World) -> None:
    bad = junk(world)
    assert stolen(world.b) == bad
    with pytest.raises(TamperedError, match=bad):
        world.b.texts()
    world.b.trust(bad)
    accepted(world, {world.one: "one, edited", world.two: "two, by a stranger"}, world.b, world.a)


def test_trust_keeps_work_that_was_not_pushed(world: World) -> None:
    (new,) = world.b.write("unpushed")
    bad = junk(world)
    refused(world.b, bad)
    world.b.trust(bad)
    accepted(
        world, {world.one: "one, edited", world.two: "two, by a stranger", new: "unpushed"}, world.b, world.a
    )


def test_a_squash_can_be_trusted(world: World) -> None:
    memory_id = world.b._new_id()
    side = world.sealed(world.look(), {path_of(memory_id): world.leaked("proposed", memory_id)})
    world.git("checkout", "-q", "-B", "main", "origin/main")
    world.git("merge", "-q", "--squash", side)
    world.git("commit", "-q", "-m", "Squashed (#1)")
    squash = world.push(world.git("rev-parse", "HEAD"))
    refused(world.b, squash)
    world.b.trust(squash)
    accepted(world, {**known(world), memory_id: "proposed"}, world.b, world.a)


@pytest.mark.parametrize("pushed", [True, False])
def test_an_amended_commit_can_be_trusted(world: World, pushed: bool) -> None:
    (new,) = world.b.write("mine")
    if pushed:
        world.b.sync()
    world.b.git("commit", "-q", "--amend", "-m", "amended")
    amended = world.b.tip()
    with pytest.raises(TamperedError, match=amended):
        world.b.sync()
    forbid_force(world)
    world.b.trust(amended)
    accepted(world, {**known(world), new: "mine"}, world.b, world.a)


def test_an_amended_commit_can_be_taken_back_by_git_reset(world: World) -> None:
    world.b.write("mine")
    before = world.b.tip()
    world.b.git("commit", "-q", "--amend", "-m", "amended")
    with pytest.raises(TamperedError):
        world.b.texts()
    world.b.git("reset", "-q", "--soft", before)
    assert len(world.b.texts()) == 3
    world.b.sync()


def test_only_the_refused_tip_can_be_trusted(world: World) -> None:
    tip = world.look()
    with pytest.raises(ConfigError):
        world.b.trust(tip)
    inner = world.change(tip, {path_of(world.two): None})
    top = world.push(world.plain(inner))
    refused(world.b, inner)
    for oid in (inner, "0" * 40, top[:6], ""):
        with pytest.raises(NotFoundError):
            world.b.trust(oid)
    world.b.trust(top)


def test_a_tip_that_moved_since_it_was_shown_is_not_trusted(world: World) -> None:
    bad = junk(world)
    refused(world.b, bad)
    with world.b.store() as store:
        trust.preview(store, bad)
        worse = world.push(world.change(bad, {path_of(world.one): None}))
        world.b.git("fetch", "-q")  # somebody's sync in the background
        with pytest.raises(NotFoundError):
            trust.trust(store, bad)
    refused(world.b, bad)
    assert world.remote_tip() == worse


def odd_trees(world: World) -> dict[str, Callable[[str], str]]:
    def twice(tip: str) -> str:
        """Two files of one name in one folder: readers would disagree which one was shown."""
        rows = world.git("ls-tree", f"{tip}:memories/2026/11").splitlines()
        out = b""
        for row in rows:
            mode, _, oid, name = row.split(maxsplit=3)
            entry = mode.encode() + b" " + name.encode() + b"\0"
            if world.two in name:
                out += entry + bytes.fromhex(world.leaked("never shown", world.two))
            out += entry + bytes.fromhex(oid)
        inner = world.raw(out, "tree")
        for outer in ("memories/2026", "memories", ""):
            part = {"memories/2026": "11", "memories": "2026", "": "memories"}[outer]
            listing = world.git("ls-tree", f"{tip}:{outer}")
            kept = [row for row in listing.splitlines() if row.split("\t")[1] != part]
            inner = world.git("mktree", data="\n".join([*kept, f"{TREE} tree {inner}\t{part}", ""]).encode())
        return inner

    def changed(path: str, value: str | tuple[str, str]) -> Callable[[str], str]:
        return lambda tip: world.tree(tip, {path: value})

    stranger = world.blob(b"age-encryption.org/v1\n-> X25519 x\n")
    return {
        "a file that does not open": changed(path_of(world.two), stranger),
        "a file of another memory": lambda tip: world.tree(
            tip, {path_of(world.two): world.blob_at(tip, world.one)}
        ),
        "a name that no memory has": changed("memories/2026/11/evil.md.age", stranger),
        "a .gitattributes": changed("memories/.gitattributes", world.blob(b"* filter=evil\n")),
        "a symlink": changed(path_of(world.two), ("120000", world.blob(b"/etc/passwd"))),
        "a README that is a symlink": changed("memories/README.md", ("120000", world.blob(b"/etc/passwd"))),
        "a new setting": changed(".gitmem/config.toml", world.blob(b"x = 1\n")),
        "another passphrase slot": changed(".gitmem/key.age", stranger),
        "another description": changed(
            ".gitmem/vault.toml",
            world.blob(f'format = 1\nid = "{"0" * 32}"\nfingerprint = "{"0" * 16}"\n'.encode()),
        ),
        "no description": lambda tip: world.tree(tip, {".gitmem/vault.toml": None}),
        "a file named twice": twice,
    }


_ODD = (
    "a file that does not open", "a file of another memory", "a name that no memory has", "a .gitattributes",
    "a symlink", "a README that is a symlink", "a new setting", "another passphrase slot",
    "another description",
    "no description", "a file named twice",
)  # fmt: skip
_CASES = [(name, "remote") for name in _ODD]
_CASES += [
    (name, "local") for name in _ODD if "twice" not in name
]  # git itself does not check out a tree that names a file twice


@pytest.mark.parametrize(("name", "where"), _CASES)
def test_what_cannot_be_shown_cannot_be_trusted(world: World, name: str, where: str) -> None:
    tip = world.look()
    bad = world.push(world.commit(odd_trees(world)[name](tip), tip))
    refused(world.b, bad)
    if where == "local":
        stolen(world.b)
    before = world.b.snapshot()
    with world.b.store() as store, pytest.raises(GitmemError):
        trust.preview(store, bad)
    with pytest.raises(GitmemError):
        world.b.trust(bad)
    assert world.b.snapshot() == before
    world.b.restore()
    accepted(world, known(world), world.b, world.a)


# --- restore ----------------------------------------------------------------------------------------------


def test_restoring_a_refused_remote_mends_every_device(world: World) -> None:
    bad = junk(world)
    refused(world.b, bad)
    forbid_force(world)
    world.b.restore()
    accepted(world, known(world), world.b, world.a)
    assert (
        world.a.path / "notes.txt"
    ).read_text() == "hello\n"  # other files stay as the refused tip has them
    world.a.write("and on")
    world.a.sync()
    world.b.sync()


def test_restoring_a_refused_local_tip_mends_every_device(world: World) -> None:
    bad = junk(world)
    (new,) = world.b.write("unpushed")
    merged = stolen(world.b)
    with pytest.raises(TamperedError):
        world.b.texts()
    with pytest.raises(TamperedError):
        world.b.write("not on top of that")
    forbid_force(world)
    world.b.restore()
    assert world.b.git("merge-base", "--is-ancestor", bad, merged) == ""
    accepted(world, {**known(world), new: "unpushed"}, world.b, world.a)


def test_junk_on_another_devices_new_memory_does_not_cost_that_memory(world: World) -> None:
    (theirs,) = world.a.write("by the other device")
    world.a.sync()
    bad = junk(world)
    (ours,) = world.b.write("unpushed")
    refused(world.b, bad)
    world.b.restore()
    accepted(world, {**known(world), theirs: "by the other device", ours: "unpushed"}, world.b, world.a)


def test_pulled_junk_on_another_devices_new_memory_does_not_cost_that_memory(world: World) -> None:
    (theirs,) = world.a.write("by the other device")
    world.a.sync()
    junk(world)
    (ours,) = world.b.write("unpushed")
    stolen(world.b)
    world.b.restore()
    accepted(world, {**known(world), theirs: "by the other device", ours: "unpushed"}, world.b, world.a)


def test_an_edit_below_the_junk_meets_an_unpushed_edit(world: World) -> None:
    world.a.edit(world.two, "two\n\nby the other device")
    world.a.sync()
    junk(world)
    world.b.edit(world.two, "by this device\n\ntwo")
    refresh(world.b)
    world.b.restore()
    world.b.sync()
    assert world.b.texts()[world.two] == "by this device\n\ntwo\n\nby the other device"
    accepted(world, world.b.texts(), world.b, world.a)


def test_a_rewound_remote_is_mended_by_a_plain_push(world: World) -> None:
    world.look()
    world.push(world.mark("third"), force=True)
    forbid_force(world)
    tip = world.b.tip()
    with pytest.raises(TamperedError):
        world.b.sync()
    world.b.restore()
    assert world.remote_tip() == tip
    accepted(world, known(world), world.b, world.a)


def test_a_remote_without_its_branch_is_filled_again(world: World) -> None:
    tip = world.b.tip()
    world.git("push", "-q", "origin", ":refs/heads/main")
    with pytest.raises(TamperedError):
        world.b.sync()
    world.b.restore()
    assert world.remote_tip() == tip
    accepted(world, known(world), world.b, world.a)


@pytest.mark.parametrize("protected", [True, False])
def test_an_emptied_remote_is_mended(world: World, protected: bool) -> None:
    tree = world.tree("", {"memories/x" if protected else "README.md": world.blob(b"nothing\n")})
    world.look()
    world.push(world.commit(tree), force=True)
    forbid_force(world)
    world.b.restore()
    accepted(world, known(world), world.b, world.a)


def test_a_remote_rewound_and_sealed_anew_keeps_what_is_new(world: World) -> None:
    world.look()
    world.push(world.mark("third"), force=True)
    first_reader = world.device("ci")
    (new,) = first_reader.write("by a first reader")
    first_reader.sync()
    forbid_force(world)
    with pytest.raises(TamperedError):
        world.b.sync()
    world.b.restore()
    accepted(world, {**known(world), new: "by a first reader"}, world.b, world.a, first_reader)


def test_a_remote_rewound_to_a_stale_line_revives_nothing(world: World) -> None:
    """A genuine sealed commit that once wrote what was forgotten since."""
    world.look()
    blob = world.blob_at(world.mark("third"), world.three)
    stale = world.sealed(world.mark("wrote"), {path_of(world.three): blob})
    world.push(stale, force=True)
    forbid_force(world)
    world.b.restore()
    accepted(world, known(world), world.b, world.a)


def test_rewound_and_junk_on_top(world: World) -> None:
    world.look()
    world.push(world.change(world.mark("third"), {path_of(world.two): None}), force=True)
    forbid_force(world)
    world.b.restore()
    accepted(world, known(world), world.b, world.a)


@pytest.mark.parametrize("rewound", [True, False])
def test_two_devices_restore_at_once(world: World, rewound: bool) -> None:
    (ours,), (theirs,) = world.b.write("by b"), world.a.write("by a")
    if rewound:
        world.look()
        bad = world.push(world.plain(world.mark("third")), force=True)
    else:
        bad = junk(world)
    forbid_force(world)
    with world.a.store() as store:  # a has made its anchor, and b's is there first
        store.repo.remote.fetch(store.branch)
        with store.repo.lock:
            restore._mend_remote(store, bad)
        world.b.restore()
        sync.sync(store)
    accepted(world, {**known(world), ours: "by b", theirs: "by a"}, world.b, world.a)


def test_a_restore_that_was_cut_off_before_its_push_is_finished_by_a_sync(world: World) -> None:
    bad = junk(world)
    (new,) = world.b.write("unpushed")
    with world.b.store() as store:
        store.repo.remote.fetch(store.branch)
        with store.repo.lock:
            restore._mend_remote(store, bad)
    accepted(world, {**known(world), new: "unpushed"}, world.b, world.a)


def test_much_junk_is_mended_in_one_go(world: World) -> None:
    tip = world.look()
    for number in range(60):
        tip = world.change(tip, {path_of(world.two): world.leaked(f"{number}", world.two)})
    world.push(tip)
    world.b.restore()
    accepted(world, known(world), world.b, world.a)


def test_restore_on_a_healthy_vault_is_a_sync(world: World) -> None:
    (new,) = world.a.write("by a")
    world.a.sync()
    count = world.b.git("rev-list", "--count", "HEAD")
    world.b.restore()
    assert int(world.b.git("rev-list", "--count", "HEAD")) == int(count) + 1
    accepted(world, {**known(world), new: "by a"})


# --- nothing of a refused commit comes back below an anchor ------------------------------------------------


def test_what_lies_under_a_restore_is_not_read_or_undone(world: World) -> None:
    bad = junk(world)
    world.b.restore()
    with world.b.store() as store, pytest.raises(TamperedError, match=bad):
        undo.undo(store, bad)
    assert world.b.texts() == known(world)


@pytest.mark.parametrize("text", ["full", "short", "HEAD"])
def test_what_lies_under_a_restore_cannot_be_named_for_reading(world: World, text: str) -> None:
    bad = junk(world)
    world.b.restore()
    with world.b.store() as store, pytest.raises(TamperedError, match=bad):
        store.resolve_commit({"full": bad, "short": bad[:10], "HEAD": "HEAD~1"}[text])


def test_a_date_does_not_lead_to_a_refused_commit(world: World) -> None:
    tree = world.tree(world.look(), {path_of(world.two): world.leaked("by a stranger", world.two)})
    bad = world.push(world.commit(tree, world.look(), when=1_795_000_000))
    world.b.restore()
    with world.b.store() as store:
        try:
            found = store.resolve_commit("2026-11-18T20:00:00Z")
        except GitmemError:
            return
        assert found != bad
        assert store.get(world.two, found).body == "two"


def test_trust_and_restore_leave_the_users_edits_alone(world: World) -> None:
    mine = world.b.path / "mine.txt"
    mine.write_text("not committed\n")
    world.b.git("add", "mine.txt")
    junk(world)
    world.b.restore()
    assert world.b.git("status", "--porcelain") == "A  mine.txt"
    assert mine.read_text() == "not committed\n"


def test_hand_made_merges_are_mended_before_anything_is_restored(world: World) -> None:
    world.a.edit(world.two, "two\n\nby a")
    world.a.sync()
    world.b.edit(world.two, "by b\n\ntwo")
    world.b.git("fetch", "-q")
    fails(world.b.path, "-c", "merge.gitmem.driver=false", "merge", "origin/main")
    world.b.git("checkout", "--ours", path_of(world.two))
    world.b.git("commit", "-q", "-a", "-m", "by hand")
    world.b.restore()
    accepted(world, {world.one: "one, edited", world.two: "by b\n\ntwo\n\nby a"}, world.b, world.a)

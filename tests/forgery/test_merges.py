"""Merges that nobody sealed: git's own plain union of two accepted lines passes, all others are refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from harness import START, TREE, Device, World, accepted, git, not_joined, refused

from gitmem.errors import WrongKeyError
from gitmem.flows import create
from gitmem.memory.ids import path_of
from gitmem.vault.keys import Identity

Attack = Callable[[World], str]
Union = Callable[
    [World], Mapping[str, str]
]  # pushes an honest merge; returns the memories that must be there
BAD: dict[str, Attack] = {}
GOOD: dict[str, Union] = {}
BEFORE = {"one": "one, edited", "two": "two"}


def bad(name: str) -> Callable[[Attack], Attack]:
    def note(made: Attack) -> Attack:
        BAD[name] = made
        return made

    return note


def good(name: str) -> Callable[[Union], Union]:
    def note(made: Union) -> Union:
        GOOD[name] = made
        return made

    return note


def known(world: World) -> dict[str, str]:
    return {world.one: "one, edited", world.two: "two"}


def line(world: World, start: str, text: str, memory_id: str = "", when: int = START) -> tuple[str, str]:
    """A genuine sealed commit that writes one memory; commit and id."""
    memory_id = memory_id or world.b._new_id()
    changes = {path_of(memory_id): world.leaked(text, memory_id)}
    return world.sealed(start, changes, when=when), memory_id


def pulled(world: World, ours: str, theirs: str, *options: str) -> str:
    """What `git merge` makes of two lines."""
    world.git("checkout", "-q", "-B", "main", ours)
    world.git("merge", "-q", "--no-edit", "--no-ff", *options, theirs)
    return world.git("rev-parse", "HEAD")


def tree_of(world: World, commit: str) -> str:
    return world.git("rev-parse", f"{commit}^{{tree}}")


# --- honest -----------------------------------------------------------------------------------------------


@good("two sealed lines")
def _(world: World) -> Mapping[str, str]:
    (left, a), (right, b) = line(world, world.look(), "left"), line(world, world.look(), "right")
    world.push(pulled(world, left, right))
    return {**known(world), a: "left", b: "right"}


@good("two sealed lines, the other way round")
def _(world: World) -> Mapping[str, str]:
    (left, a), (right, b) = line(world, world.look(), "left"), line(world, world.look(), "right")
    world.push(left)
    world.push(pulled(world, right, left))
    return {**known(world), a: "left", b: "right"}


@good("made by git pull in a clone without gitmem")
def _(world: World) -> Mapping[str, str]:
    tip = world.look()
    left, a = line(world, tip, "left")
    world.push(left)
    world.git("checkout", "-q", "-B", "main", world.plain(tip))
    world.git("branch", "-q", "--set-upstream-to=origin/main")
    world.git("pull", "-q", "--no-rebase", "--no-edit")
    world.push(world.git("rev-parse", "HEAD"))
    return {**known(world), a: "left"}


@good("a merge that could have been a fast-forward, as the merge button makes it")
def _(world: World) -> Mapping[str, str]:
    tip = world.look()
    side, a = line(world, tip, "side")
    world.push(pulled(world, tip, side))
    return {**known(world), a: "side"}


@good("update branch: the tip into a side line")
def _(world: World) -> Mapping[str, str]:
    start = world.look()
    (tip, a), (side, b) = line(world, start, "tip"), line(world, world.mark("edited"), "side")
    world.push(tip)
    world.push(pulled(world, side, tip))
    return {**known(world), a: "tip", b: "side"}


@good("with a signature and other headers")
def _(world: World) -> Mapping[str, str]:
    (left, a), (right, b) = line(world, world.look(), "left"), line(world, world.look(), "right")
    raw = world.bytes_of(pulled(world, left, right))
    signed = b"\nencoding UTF-8\ngpgsig -----BEGIN SIGNATURE-----\n \n parent 0\n -----END SIGNATURE-----\n\n"
    world.push(world.raw(raw.replace(b"\n\n", signed, 1)))
    return {**known(world), a: "left", b: "right"}


@good("an edit on one side, a new memory and a forgotten one on the other")
def _(world: World) -> Mapping[str, str]:
    start = world.look()
    left, _ = line(world, start, "one, once more", world.one)
    right, b = line(world, start, "right")
    right = world.sealed(right, {path_of(world.two): None})
    world.push(pulled(world, left, right))
    return {world.one: "one, once more", b: "right"}


@good("the same change on both sides")
def _(world: World) -> Mapping[str, str]:
    start = world.look()
    changes = {path_of(world.two): world.leaked("two, edited", world.two)}
    left, right = world.sealed(start, changes), world.sealed(start, changes, when=START + 9)
    left, a = line(world, left, "left")
    world.push(pulled(world, left, right))
    return {world.one: "one, edited", world.two: "two, edited", a: "left"}


@good("a merge with its own ancestor that changes nothing")
def _(world: World) -> Mapping[str, str]:
    tip = world.look()
    world.push(world.merge(tree_of(world, tip), tip, world.mark("wrote")))
    return known(world)


@good("plain commits on both sides")
def _(world: World) -> Mapping[str, str]:
    tip = world.look()
    world.push(pulled(world, world.plain(tip, "left.txt"), world.plain(tip, "right.txt")))
    return known(world)


@good("merged again and again")
def _(world: World) -> Mapping[str, str]:
    tip, memories = world.look(), known(world)
    for number in range(3):
        side, memory_id = line(world, tip, f"side {number}")
        tip = pulled(world, world.plain(tip, f"{number}.txt"), side)
        memories[memory_id] = f"side {number}"
    world.push(tip)
    return memories


@good("a chain of plain commits from 1970 on one side")
def _(world: World) -> Mapping[str, str]:
    start = world.look()
    old, (right, b) = start, line(world, start, "right")
    for number in range(9):
        old = world.plain(old, f"{number}.txt", when=1000 + number)
    world.push(pulled(world, old, right))
    return {**known(world), b: "right"}


@good("under dates that make rev-list name commits below the base")
def _(world: World) -> Mapping[str, str]:
    base, _ = line(world, world.look(), "base")
    for number in range(9):
        base = world.plain(base, f"{number}.txt", when=1000 + number)
    changed = {path_of(world.two): world.leaked("two, edited", world.two)}
    left, (right, b) = world.sealed(base, changed), line(world, base, "right")
    ids = [
        name
        for name in world.git("ls-tree", "-r", "--name-only", base, "memories").split()
        if "README" not in name
    ]
    world.push(pulled(world, left, right))
    (new,) = {path.rpartition("/")[2][:26] for path in ids} - {world.one, world.two}
    return {world.one: "one, edited", world.two: "two, edited", new: "base", b: "right"}


@pytest.mark.parametrize("name", GOOD)
def test_an_honest_merge_is_accepted(world: World, name: str) -> None:
    memories = GOOD[name](world)
    accepted(world, memories)
    floorless = world.device("floorless")
    assert floorless.texts() == memories
    floorless.write("and work goes on")
    floorless.sync()


def test_an_upstream_release_merged_into_a_private_copy_is_accepted(world: World) -> None:
    """The vault stands on somebody's project; later releases of that project are merged in."""
    place = world.place / "copy"
    upstream = world.tree("", {"code.py": world.blob(b"print(1)\n")})
    release = world.commit(upstream, message="1.0\n")
    git(world.place, "init", "-q", "--bare", "-b", "main", "copy.git")
    world.git("push", "-q", str(world.place / "copy.git"), f"{release}:refs/heads/main")
    create.create(
        create.Plan(
            str(place),
            "2" * 32,
            str(world.place / "state-copy"),
            world.identity,
            str(world.place / "copy.git"),
        )
    )
    device = Device(world, place, world.place / "state-copy")
    world.remote, world.vault_id = world.place / "copy.git", "2" * 32
    (new,) = device.write("mine")
    device.sync()
    world.git("fetch", "-q", str(world.remote), "main:refs/heads/copy")
    second = world.commit(world.tree("", {"code.py": world.blob(b"print(2)\n")}), release, message="2.0\n")
    merged = pulled(world, "copy", second)
    world.git("push", "-q", str(world.remote), f"{merged}:refs/heads/main")
    report = device.sync()
    assert report.changed_paths == ("code.py",)
    assert (place / "code.py").read_text() == "print(2)\n"
    assert device.texts() == {new: "mine"} == world.device("fresh").texts()


# --- smuggling --------------------------------------------------------------------------------------------


def sides(world: World) -> tuple[str, str, str]:
    """Two sealed lines, and the tree of their honest merge."""
    left, right = line(world, world.look(), "left")[0], line(world, world.look(), "right")[0]
    return left, right, tree_of(world, pulled(world, left, right))


@bad("adds a memory")
def _(world: World) -> str:
    (left, right, union), memory_id = sides(world), world.b._new_id()
    return world.push(
        world.merge(world.tree(union, {path_of(memory_id): world.leaked("x", memory_id)}), left, right)
    )


@bad("changes a setting")
def _(world: World) -> str:
    left, right, union = sides(world)
    return world.push(world.merge(world.tree(union, {".gitmem/x": world.blob(b"x")}), left, right))


@bad("drops the second parent's side")
def _(world: World) -> str:
    left, right, _ = sides(world)
    return world.push(world.merge(tree_of(world, left), left, right))


@bad("drops the first parent's side")
def _(world: World) -> str:
    left, right, _ = sides(world)
    return world.push(world.merge(tree_of(world, right), left, right))


@bad("takes an ancestor's version")
def _(world: World) -> str:
    tip, old = world.look(), world.mark("wrote")
    tree = world.tree(tip, {path_of(world.one): world.blob_at(old, world.one)})
    return world.push(world.merge(tree, tip, old))


@bad("takes an ancestor's version, the ancestor first")
def _(world: World) -> str:
    tip, old = world.look(), world.mark("third")
    return world.push(world.merge(tree_of(world, old), old, tip))


@bad("takes the ancestor's whole state, by the strategy ours")
def _(world: World) -> str:
    return world.push(pulled(world, world.mark("third"), world.look(), "-s", "ours"))


@bad("picks one of two edits")
def _(world: World) -> str:
    start = world.look()
    left, _ = line(world, start, "left edit", world.two)
    right, _ = line(world, start, "right edit", world.two)
    return world.push(world.merge(tree_of(world, left), left, right))


@bad("picks the edit where the other side forgot")
def _(world: World) -> str:
    start = world.look()
    left, _ = line(world, start, "left edit", world.two)
    right = world.sealed(start, {path_of(world.two): None})
    return world.push(world.merge(tree_of(world, left), left, right))


@bad("a merge driver's third version")
def _(world: World) -> str:
    start = world.look()
    left, _ = line(world, start, "left edit", world.two)
    right, _ = line(world, start, "right edit", world.two)
    tree = world.tree(left, {path_of(world.two): world.leaked("both edits", world.two)})
    return world.push(world.merge(tree, left, right))


@bad("a stale sealed commit brings back a forgotten memory")
def _(world: World) -> str:
    """The very commit that a device wrote before it was replayed onto the others' work."""
    tip = world.look()
    blob = world.blob_at(world.mark("third"), world.three)
    stale = world.sealed(world.mark("wrote"), {path_of(world.three): blob})
    merged = pulled(world, tip, stale)
    assert world.blob_at(merged, world.three) == blob
    return world.push(merged)


@bad("a stale sealed commit brings back what a merged side line wrote and forgot")
def _(world: World) -> str:
    tip, memory_id = world.look(), world.b._new_id()
    path, blob = path_of(memory_id), world.leaked("forgotten", memory_id)
    side = world.sealed(world.sealed(tip, {path: blob}), {path: None})
    main = pulled(world, line(world, tip, "left")[0], side)
    stale = world.sealed(tip, {path: blob}, when=START + 5)
    merged = pulled(world, main, stale)
    assert world.blob_at(merged, memory_id) == blob
    return world.push(merged)


@bad("a stale sealed commit takes an edit back that was made and merged since")
def _(world: World) -> str:
    tip = world.look()
    blob = world.leaked("stale edit", world.two)
    stale = world.sealed(tip, {path_of(world.two): blob})
    main = world.sealed(
        world.sealed(tip, {path_of(world.two): blob}, when=START + 5),
        {path_of(world.two): world.blob_at(tip, world.two)},
    )
    merged = pulled(world, main, stale)
    assert world.blob_at(merged, world.two) == blob
    return world.push(merged)


@bad("two merge bases")
def _(world: World) -> str:
    (left, _), (right, _) = line(world, world.look(), "left"), line(world, world.look(), "right")
    first, second = pulled(world, left, right), pulled(world, right, left)
    one, _ = line(world, first, "on the first")
    two, _ = line(world, second, "on the second")
    return world.push(pulled(world, one, two))


@bad("an unrelated root")
def _(world: World) -> str:
    root = world.commit(world.tree("", {"README": world.blob(b"x")}))
    return world.push(pulled(world, world.look(), root, "--allow-unrelated-histories"))


@bad("an octopus")
def _(world: World) -> str:
    tip = world.look()
    plain = [world.plain(tip, f"{name}.txt") for name in ("a", "b")]
    tree = world.tree(tip, {f"{name}.txt": world.blob(b"hello\n") for name in ("a", "b")})
    return world.push(world.merge(tree, tip, *plain))


@bad("a root tree that names memories twice")
def _(world: World) -> str:
    left, right, union = sides(world)
    out = b""
    for row in world.git("ls-tree", union).splitlines():
        mode, _, oid, name = row.split(maxsplit=3)
        out += (b"%s %s\0" % (mode.lstrip("0").encode(), name.encode()) + bytes.fromhex(oid)) * (
            1 + (mode == TREE)
        )
    return world.push(world.merge(world.raw(out, "tree"), left, right))


@bad("of a line from before a purge")
def _(world: World) -> str:
    tip = world.look()
    world.git("branch", "-f", "old", tip)
    purged = purge_three(world)
    world.push(purged, force=True)
    return world.push(pulled(world, purged, tip))


def purge_three(world: World) -> str:
    """What the purge of `three` makes: each commit from the first with it on rewritten, then the anchor."""
    edited = world.blob_at(world.mark("edited"), world.one)
    tip = world.mark("wrote")
    for name, changes in (("third", {}), ("edited", {path_of(world.one): edited}), ("forgot", {})):
        tip = world.sealed(tip, changes, trailers=(f"Gitmem-Was: {world.mark(name)}",))
    return world.sealed(tip, {}, subject="purge", trailers=("Gitmem-Anchor: purge",))


@pytest.mark.parametrize("name", BAD)
def test_a_smuggling_merge_is_refused(world: World, name: str) -> None:
    merge = BAD[name](world)
    refused(world.b, merge)
    not_joined(world, "floorless", "", merge)
    not_joined(world, "floored", world.mark("forgot"), merge)


def test_a_merge_through_a_plain_child_of_a_refused_commit_is_refused(world: World) -> None:
    tip = world.look()
    forged = world.change(tip, {path_of(world.two): None})
    left, _ = line(world, tip, "left")
    world.push(pulled(world, left, world.plain(forged)))
    refused(world.b, forged)
    not_joined(world, "floored", world.mark("forgot"), forged)


def test_a_merge_is_refused_through_its_side_line_too(world: World) -> None:
    tip = world.look()
    forged = world.change(tip, {path_of(world.two): None})
    world.push(world.merge(tree_of(world, tip), tip, forged))
    error = refused(world.b, forged)
    assert error.exit_code == 13


@pytest.mark.parametrize("how", ["the same parent twice", "a parent in upper case"])
def test_an_odd_parent_line_neither_passes_nor_breaks_anything(world: World, how: str) -> None:
    tip = world.look()
    if how == "the same parent twice":
        raw = world.bytes_of(world.plain(tip))
        again = f"parent {tip}\n".encode()
        odd = world.raw(raw.replace(again, again * 2))
    else:
        raw = world.bytes_of(world.change(tip, {path_of(world.two): None}))
        odd = world.raw(raw.replace(tip.encode(), tip.upper().encode()))
    world.push(odd)
    if how == "the same parent twice":
        accepted(world, known(world))
    else:
        refused(world.b, odd)


# --- purge and rekey, sealed by hand ----------------------------------------------------------------------


def test_a_purge_is_followed_by_an_up_to_date_and_by_a_late_device(world: World) -> None:
    late_state = world.b.state_file.read_text().replace(world.mark("forgot"), world.mark("edited"))
    world.look()
    purged = world.push(purge_three(world), force=True)
    world.a.sync()
    assert world.a.tip() == purged == world.remote_tip()
    world.b.git("reset", "-q", "--hard", world.mark("edited"))
    world.b.state_file.write_text(late_state)
    accepted(world, known(world))
    assert world.b.tip() == purged


def test_unpushed_work_follows_a_purge_and_what_was_purged_stays_away(world: World) -> None:
    world.b.forget(world.two)
    (new,) = world.b.write("unpushed")
    world.look()
    # `one` is purged too: an edit of it that was not pushed goes with it
    purged = world.sealed(purge_three(world), {path_of(world.one): None}, trailers=("Gitmem-Anchor: purge",))
    world.b.edit(world.one, "an edit of what is purged")
    world.push(purged, force=True)
    world.b.sync()
    accepted(world, {new: "unpushed"})
    assert world.three not in world.b.git("log", "--name-only", "--format=", "refs/heads/main")


def test_the_line_from_before_a_purge_is_a_rewind(world: World) -> None:
    tip = world.look()
    world.push(purge_three(world), force=True)
    world.b.sync()
    world.push(tip, force=True)
    before = world.b.snapshot()
    with pytest.raises(Exception, match=tip) as caught:
        world.b.sync()
    assert caught.value.exit_code == 13
    assert world.b.snapshot() == before


def test_a_purge_without_a_seal_is_a_rewind(world: World) -> None:
    tip = world.look()
    message = f"purge\n\nGitmem-Was: {tip}\nGitmem-Anchor: purge\nGitmem-Seal: v1:{'0' * 64}\n"
    forged = world.commit(tree_of(world, world.mark("third")), world.mark("third"), message=message)
    refused(world.b, world.push(forged, force=True))


def test_the_users_pull_of_a_purged_line_does_not_bring_it_back(world: World) -> None:
    """A hand-made merge of old and new is mended only where that could not undo a purge."""
    world.look()
    purged = world.sealed(purge_three(world), {path_of(world.two): None}, trailers=("Gitmem-Anchor: purge",))
    world.push(purged, force=True)
    world.b.git("fetch", "-q")
    world.b.git("merge", "-q", "--no-edit", "origin/main")
    merged = world.b.tip()
    with pytest.raises(Exception, match=merged):
        world.b.texts()
    world.b.restore()
    accepted(world, {world.one: "one, edited"})


def rekeyed(world: World) -> tuple[World, str]:
    """The same remote under a new key: every file sealed anew, and an anchor by the new key."""
    new = World(world.place, Identity.generate(), world.vault_id, world.names)
    tip = world.look()
    toml = world.git("show", f"{tip}:.gitmem/vault.toml").replace(
        world.vault.fingerprint, new.vault.fingerprint
    )
    changes = {path_of(one): new.leaked(text, one) for one, text in known(world).items()}
    changes[".gitmem/vault.toml"] = world.blob(toml.encode() + b"\n")
    return new, new.push(new.sealed(tip, changes, subject="rekey", trailers=("Gitmem-Anchor: rekey",)))


def test_a_rekey_is_accepted_by_the_new_key_and_by_nobody_else(world: World) -> None:
    new, anchor = rekeyed(world)
    assert new.device("rekeyed", anchor).texts() == known(world)
    before = world.b.snapshot()
    with pytest.raises(WrongKeyError, match=anchor) as caught:  # it cannot tell that from an attack
        world.b.sync()
    assert caught.value.exit_code == 12
    assert "gitmem join" in str(caught.value)
    assert world.b.snapshot() == before


@pytest.mark.parametrize("how", ["on top", "merged"])
def test_the_old_key_seals_nothing_above_a_rekey(world: World, how: str) -> None:
    new, anchor = rekeyed(world)
    late = new.device("rekeyed", anchor)
    memory_id = world.b._new_id()
    start = anchor if how == "on top" else world.mark("forgot")
    old = world.sealed(start, {path_of(memory_id): world.leaked("by the thief", memory_id)})
    world.push(old if how == "on top" else pulled(world, anchor, old))
    refused(late, old)
    not_joined(new, "floored", anchor, old)


def test_an_anchor_vouches_for_what_lies_under_it(world: World) -> None:
    tip = world.look()
    changed = world.change(tip, {path_of(world.two): world.leaked("trusted", world.two)})
    anchor = world.sealed(changed, {}, subject="trust", trailers=("Gitmem-Anchor: trust",))
    after, new = line(world, world.plain(anchor), "and on")
    world.push(after)
    accepted(world, {world.one: "one, edited", world.two: "trusted", new: "and on"})


def test_an_anchor_vouches_for_nothing_beside_it(world: World) -> None:
    tip = world.look()
    anchor = world.sealed(tip, {}, subject="trust", trailers=("Gitmem-Anchor: trust",))
    forged = world.change(tip, {path_of(world.two): None})
    world.push(world.merge(world.tree(anchor, {path_of(world.two): None}), anchor, forged))
    refused(world.b, forged)


@pytest.mark.parametrize(
    ("words", "passes"), [("Gitmem-Anchor: trust", True), ("Gitmem-Anchor: trusted", False)]
)
def test_only_anchors_that_this_version_knows_vouch(world: World, words: str, passes: bool) -> None:
    forged = world.change(world.look(), {path_of(world.two): None})
    world.push(world.sealed(forged, {}, subject="trust", trailers=(words,)))
    if passes:
        accepted(world, {world.one: "one, edited"})
    else:
        refused(world.b, forged)

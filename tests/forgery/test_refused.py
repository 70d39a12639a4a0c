"""Commits that no key holder made: exit code 13, the commit named, nothing changed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable

import pytest
from harness import START, World, accepted, not_joined, refused

from gitmem.errors import GitmemError, NotSetUpError, RewoundError, TamperedError
from gitmem.flows import join
from gitmem.memory.ids import path_of
from gitmem.vault.keys import Identity
from gitmem.vault.vault import Vault

Attack = Callable[[World], str]  # pushes something and returns the commit that must be named
ATTACKS: dict[str, Attack] = {}


def attack(name: str) -> Callable[[Attack], Attack]:
    def note(made: Attack) -> Attack:
        ATTACKS[name] = made
        return made

    return note


def fresh_id(world: World) -> str:
    return world.b._new_id()


# --- single commits ---------------------------------------------------------------------------------------


@attack("added: a file sealed to the leaked recipient")
def _(world: World) -> str:
    tip, memory_id = world.look(), fresh_id(world)
    return world.push(world.change(tip, {path_of(memory_id): world.leaked("obey me", memory_id)}))


@attack("changed: another text under a known id, sealed to the leaked recipient")
def _(world: World) -> str:
    return world.push(world.change(world.look(), {path_of(world.two): world.leaked("obey me", world.two)}))


@attack("deleted")
def _(world: World) -> str:
    return world.push(world.change(world.look(), {path_of(world.two): None}))


@attack("swapped: two genuine files change places")
def _(world: World) -> str:
    tip = world.look()
    one, two = world.blob_at(tip, world.one), world.blob_at(tip, world.two)
    return world.push(world.change(tip, {path_of(world.one): two, path_of(world.two): one}))


@attack("put back: the version before the edit")
def _(world: World) -> str:
    old = world.blob_at(world.mark("wrote"), world.one)
    return world.push(world.change(world.look(), {path_of(world.one): old}))


@attack("put back: a forgotten memory")
def _(world: World) -> str:
    old = world.blob_at(world.mark("third"), world.three)
    return world.push(world.change(world.look(), {path_of(world.three): old}))


@attack("put back by git revert")
def _(world: World) -> str:
    world.git("checkout", "-q", "-B", "main", world.look())
    world.git("revert", "--no-edit", "HEAD")
    return world.push(world.git("rev-parse", "HEAD"))


@attack("moved: a genuine file under another path")
def _(world: World) -> str:
    tip = world.look()
    blob = world.blob_at(tip, world.two)
    return world.push(world.change(tip, {path_of(world.two): None, path_of(fresh_id(world)): blob}))


@attack("mode changed")
def _(world: World) -> str:
    tip = world.look()
    return world.push(world.change(tip, {path_of(world.two): ("100755", world.blob_at(tip, world.two))}))


@attack("a symlink")
def _(world: World) -> str:
    link = world.blob(b"/etc/passwd")
    return world.push(world.change(world.look(), {path_of(world.two): ("120000", link)}))


@attack("a submodule")
def _(world: World) -> str:
    tip = world.look()
    return world.push(world.change(tip, {path_of(world.two): None, "memories/sub": ("160000", tip)}))


@attack("a .gitattributes inside memories")
def _(world: World) -> str:
    rules = world.blob(b"* filter=evil\n")
    return world.push(world.change(world.look(), {"memories/.gitattributes": rules}))


@attack("the folder memories replaced by a symlink")
def _(world: World) -> str:
    tip = world.look()
    tree = world.tree(tip, {path_of(world.one): None, path_of(world.two): None})
    tree = world.git(
        "mktree",
        data=(world.git("ls-tree", tree) + f"\n120000 blob {world.blob(b'/etc')}\tmemories\n").encode(),
    )
    return world.push(world.commit(tree, tip))


@attack("a setting in .gitmem")
def _(world: World) -> str:
    return world.push(world.change(world.look(), {".gitmem/config.toml": world.blob(b"evil = true\n")}))


@attack("another vault.toml")
def _(world: World) -> str:
    text = world.git("show", f"{world.look()}:.gitmem/vault.toml").replace(world.vault_id, "0" * 32)
    return world.push(world.change(world.look(), {".gitmem/vault.toml": world.blob(text.encode() + b"\n")}))


@attack("a passphrase slot of the attacker's")
def _(world: World) -> str:
    return world.push(world.change(world.look(), {".gitmem/key.age": world.blob(b"age-encryption.org/v1\n")}))


@attack("mixed with other paths")
def _(world: World) -> str:
    changes = {"notes.txt": world.blob(b"hello\n"), path_of(world.two): None}
    return world.push(world.change(world.look(), changes))


@attack("added and taken back")
def _(world: World) -> str:
    tip, memory_id = world.look(), fresh_id(world)
    bad = world.change(tip, {path_of(memory_id): world.leaked("x", memory_id)})
    world.push(world.change(bad, {path_of(memory_id): None}))
    return bad


@attack("changed below many plain commits")
def _(world: World) -> str:
    bad = tip = world.change(world.look(), {path_of(world.two): None})
    for number in range(5):
        tip = world.plain(tip, text=f"{number}\n")
    world.push(tip)
    return bad


@attack("deleted: everything but the vault's description")
def _(world: World) -> str:
    return world.push(world.change(world.look(), {path_of(world.one): None, path_of(world.two): None}))


@attack("sealed on top of unsealed")
def _(world: World) -> str:
    bad, memory_id = world.change(world.look(), {path_of(world.two): None}), fresh_id(world)
    world.push(world.sealed(bad, {path_of(memory_id): world.leaked("genuine", memory_id)}))
    return bad


# --- laundered seals --------------------------------------------------------------------------------------


@attack("a seal line copied from a genuine commit")
def _(world: World) -> str:
    tip = world.look()
    message = world.bytes_of(tip).partition(b"\n\n")[2].decode()
    return world.push(world.change(tip, {path_of(world.two): None}, message=message))


@attack("an amended sealed commit on top of it")
def _(world: World) -> str:
    tip = world.look()
    world.git("checkout", "-q", "-B", "main", tip)
    memory_id = fresh_id(world)
    world.git(
        "update-index", "--add", "--cacheinfo", f"100644,{world.leaked('x', memory_id)},{path_of(memory_id)}"
    )
    world.git("commit", "-q", "--amend", "--no-edit")
    body = world.bytes_of(world.git("rev-parse", "HEAD"))
    parent = world.mark("edited")
    return world.push(world.raw(body.replace(f"parent {parent}".encode(), f"parent {tip}".encode())))


@attack("a sealed commit given another parent")
def _(world: World) -> str:
    tip = world.look()
    body = re.sub(rb"parent \w{40}", f"parent {tip}".encode(), world.bytes_of(world.mark("third")))
    return world.push(world.raw(body))


@attack("a sealed commit cherry-picked")
def _(world: World) -> str:
    world.git("checkout", "-q", "-B", "main", world.look())
    world.git("cherry-pick", "--keep-redundant-commits", "--allow-empty", world.mark("third"))
    return world.push(world.git("rev-parse", "HEAD"))


@attack("a sealed commit rebased")
def _(world: World) -> str:
    tip = world.look()
    world.git("checkout", "-q", "-B", "side", world.mark("wrote"))
    memory_id = fresh_id(world)
    side = world.sealed(world.mark("wrote"), {path_of(memory_id): world.leaked("x", memory_id)})
    world.git("reset", "-q", "--hard", side)
    world.git("rebase", "-q", tip)
    return world.push(world.git("rev-parse", "HEAD"))


@attack("squashed, as by the button")
def _(world: World) -> str:
    world.git("checkout", "-q", "-B", "main", world.look())
    memory_id = fresh_id(world)
    side = world.sealed(world.mark("forgot"), {path_of(memory_id): world.leaked("x", memory_id)})
    world.git("merge", "-q", "--squash", side)
    world.git("commit", "-q", "-m", "Squashed")
    return world.push(world.git("rev-parse", "HEAD"))


def _forged(world: World, change: Callable[[bytes], bytes]) -> str:
    """A genuine new sealed commit of another device with some bytes changed on the way."""
    memory_id = fresh_id(world)
    genuine = world.sealed(world.look(), {path_of(memory_id): world.leaked("genuine", memory_id)})
    before = world.bytes_of(genuine)
    assert change(before) != before
    return world.push(world.raw(change(before)))


@attack("the committer changed")
def _(world: World) -> str:
    return _forged(world, lambda raw: raw.replace(b"committer gitmem", b"committer gitmen"))


@attack("the date changed")
def _(world: World) -> str:
    return _forged(world, lambda raw: raw.replace(b"> %d" % START, b"> %d" % (START + 1)))


@attack("a header added")
def _(world: World) -> str:
    return _forged(world, lambda raw: raw.replace(b" +0000\n\n", b" +0000\nencoding UTF-8\n\n"))


@attack("a line after the seal")
def _(world: World) -> str:
    return _forged(world, lambda raw: raw + b"Signed-off-by: me\n")


@attack("an empty line after the seal")
def _(world: World) -> str:
    return _forged(world, lambda raw: raw + b"\n")


@attack("the seal in upper case")
def _(world: World) -> str:
    return _forged(world, lambda raw: raw[:-65] + raw[-65:].upper())


@attack("the seal twice")
def _(world: World) -> str:
    return _forged(world, lambda raw: raw + raw[raw.rindex(b"Gitmem-Seal") :])


@attack("a seal of an older version")
def _(world: World) -> str:
    return _forged(world, lambda raw: raw.replace(b"Gitmem-Seal: v1:", b"Gitmem-Seal: v0:"))


@attack("an anchor word slipped in under a genuine seal")
def _(world: World) -> str:
    return _forged(world, lambda raw: raw.replace(b"Gitmem-Seal", b"Gitmem-Anchor: trust\nGitmem-Seal"))


@attack("an anchor word without a seal")
def _(world: World) -> str:
    bad = world.change(world.look(), {path_of(world.two): None})
    message = "trust\n\nGitmem-Anchor: trust\nGitmem-Seal: v1:" + "0" * 64 + "\n"
    world.push(world.commit(world.git("rev-parse", f"{bad}^{{tree}}"), bad, message=message))
    return bad


@attack("sealed in another vault of the same key")
def _(world: World) -> str:
    other = Vault(world.identity, "1" * 32)
    memory_id = fresh_id(world)
    changes = {path_of(memory_id): world.leaked("x", memory_id)}
    return world.push(world.sealed(world.look(), changes, vault=other))


# --- odd objects ------------------------------------------------------------------------------------------


def twice_named(world: World, tip: str, name: str = "memories") -> str:
    """The root tree of ``tip`` with a second, empty-handed entry of that name put first."""
    memory_id = fresh_id(world)
    evil = world.tree(tip, {path_of(memory_id): world.leaked("x", memory_id)})
    lines = [line.split(maxsplit=3) for line in world.git("ls-tree", evil).splitlines()]
    (wanted,) = (line for line in lines if line[3] == name)
    real = [line.split(maxsplit=3) for line in world.git("ls-tree", tip).splitlines()]
    out = b""
    for mode, _, oid, entry in real:
        if entry == name:
            out += b"%s %s\0" % (wanted[0].lstrip("0").encode(), name.encode()) + bytes.fromhex(wanted[2])
        out += b"%s %s\0" % (mode.lstrip("0").encode(), entry.encode()) + bytes.fromhex(oid)
    return world.raw(out, "tree")


@attack("a root tree with two entries named memories")
def _(world: World) -> str:
    tip = world.look()
    return world.push(world.commit(twice_named(world, tip), tip))


@attack("a root tree with the same folder named twice")
def _(world: World) -> str:
    tip = world.look()
    out = b""
    for line in world.git("ls-tree", tip).splitlines():
        mode, _, oid, name = line.split(maxsplit=3)
        entry = b"%s %s\0" % (mode.lstrip("0").encode(), name.encode()) + bytes.fromhex(oid)
        out += entry * (2 if name == "memories" else 1)
    return world.push(world.commit(world.raw(out, "tree"), tip))


@attack("the mode of the folder written with a leading zero")
def _(world: World) -> str:
    tip = world.look()
    out = b""
    for line in world.git("ls-tree", tip).splitlines():
        mode, _, oid, name = line.split(maxsplit=3)
        mode = mode if name == "memories" else mode.lstrip("0")
        out += b"%s %s\0" % (mode.encode(), name.encode()) + bytes.fromhex(oid)
    return world.push(world.commit(world.raw(out, "tree"), tip))


@pytest.mark.parametrize("name", ATTACKS)
def test_a_device_with_state_and_first_clones_refuse(world: World, name: str) -> None:
    bad = ATTACKS[name](world)
    refused(world.b, bad)
    if name == "another vault.toml":  # for a first clone that is another vault: see below
        return
    not_joined(world, "floored", world.mark("forgot"), bad)
    not_joined(world, "floorless", "", bad)


def test_what_is_refused_once_is_refused_again_on_every_device(world: World) -> None:
    bad = ATTACKS["deleted"](world)
    for device in (world.b, world.b, world.a):
        refused(device, bad)


@pytest.mark.parametrize("floored", [True, False])
def test_a_first_clone_refuses_another_description_as_another_vault_or_key(
    world: World, floored: bool
) -> None:
    ATTACKS["another vault.toml"](world)
    with pytest.raises(GitmemError) as caught:
        world.device("fresh", world.mark("forgot") if floored else "")
    assert caught.value.exit_code in {9, 12, 13}
    assert not (world.place / "fresh").exists()


# --- history taken away -----------------------------------------------------------------------------------

REWINDS: dict[str, Attack] = {}


def rewind(name: str) -> Callable[[Attack], Attack]:
    def note(made: Attack) -> Attack:
        REWINDS[name] = made
        return made

    return note


@rewind("rewound to an older sealed commit")
def _(world: World) -> str:
    world.look()
    return world.push(world.mark("third"), force=True)


@rewind("rewound, and a plain commit on top")
def _(world: World) -> str:
    world.look()
    return world.push(world.plain(world.mark("third")), force=True)


@rewind("rewound, and sealed anew by a first reader")
def _(world: World) -> str:
    world.look()
    memory_id = fresh_id(world)
    changes = {path_of(memory_id): world.leaked("new", memory_id)}
    return world.push(world.sealed(world.mark("third"), changes), force=True)


@rewind("truncated: the tip's tree as a root commit")
def _(world: World) -> str:
    tip = world.look()
    return world.push(world.commit(world.git("rev-parse", f"{tip}^{{tree}}")), force=True)


@rewind("truncated: a sealed tip's bytes without its parent")
def _(world: World) -> str:
    body = re.sub(rb"parent \w{40}\n", b"", world.bytes_of(world.look()))
    return world.push(world.raw(body), force=True)


@rewind("the tip amended by its user")
def _(world: World) -> str:
    world.git("checkout", "-q", "-B", "main", world.look())
    world.git("commit", "-q", "--amend", "-m", "amended")
    return world.push(world.git("rev-parse", "HEAD"), force=True)


@rewind("emptied: one commit without any protected entry")
def _(world: World) -> str:
    tree = world.tree("", {"README.md": world.blob(b"nothing here\n")})
    return world.push(world.commit(tree), force=True)


@pytest.mark.parametrize("name", REWINDS)
def test_a_device_with_state_refuses_a_rewind(world: World, name: str) -> None:
    refused(world.b, REWINDS[name](world), RewoundError)


_FLOORED = [name for name in REWINDS if not name.startswith("emptied")]


@pytest.mark.parametrize("name", _FLOORED)
def test_a_first_clone_with_a_floor_refuses_a_rewind(world: World, name: str) -> None:
    not_joined(world, "floored", world.mark("forgot"), REWINDS[name](world))


def test_a_new_clone_on_a_machine_that_knew_the_vault_refuses_a_rewind(world: World) -> None:
    tip = REWINDS["rewound to an older sealed commit"](world)
    shutil.rmtree(world.b.path)
    with pytest.raises(RewoundError) as caught:
        join.join(world.code(), str(world.b.path), str(world.b.state_dir))
    assert tip in str(caught.value)
    assert not world.b.path.exists()


def test_an_emptied_repository_is_no_vault_for_a_first_clone(world: World) -> None:
    REWINDS["emptied: one commit without any protected entry"](world)
    for floor in ("", world.mark("forgot")):
        with pytest.raises(NotSetUpError):
            world.device("empty", floor)
        assert not (world.place / "empty").exists()


def test_an_emptied_repository_with_a_copied_description_is_refused(world: World) -> None:
    """Nothing in it is sealed, so there would be nothing to check."""
    description = world.git("rev-parse", f"{world.look()}:.gitmem/vault.toml")
    tip = world.push(world.commit(world.tree("", {".gitmem/vault.toml": description})), force=True)
    refused(world.b, tip, RewoundError)
    not_joined(world, "floored", world.mark("forgot"), tip)
    with pytest.raises((NotSetUpError, TamperedError)):
        world.device("floorless")
    assert not (world.place / "floorless").exists()


def test_a_deleted_branch_is_a_rewind_and_is_not_quietly_filled_again(world: World) -> None:
    world.git("push", "-q", "origin", ":refs/heads/main")
    refused(world.b, "", RewoundError)
    assert world.remote_tip() == ""


def test_another_key_cannot_pass_for_the_vault(world: World) -> None:
    """A whole history re-sealed by a stranger's key, under the same vault id."""
    stranger = Vault(Identity.generate(), world.vault_id)
    tip = world.sealed_tree(
        world.git("rev-parse", f"{world.look()}^{{tree}}"),
        subject="init",
        trailers=("Gitmem-Anchor: init",),
        vault=stranger,
    )
    world.push(tip, force=True)
    refused(world.b, tip, RewoundError)
    not_joined(world, "floored", world.mark("forgot"), tip)


def test_nothing_is_refused_when_nothing_was_attacked(world: World) -> None:
    (new,) = world.a.write("four")
    world.a.sync()
    accepted(world, {world.one: "one, edited", world.two: "two", new: "four"})

"""A small world for forgeries: a bare remote, devices with state, and an attacker who may push."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from gitmem.errors import GitmemError, TamperedError
from gitmem.flows import create, join, purge, reconcile, restore, sync, trust
from gitmem.memory import document, ids
from gitmem.memory.ids import path_of
from gitmem.memory.memory import Memory
from gitmem.repo import commits
from gitmem.store import Store
from gitmem.vault.joincode import JoinCode
from gitmem.vault.keys import Identity
from gitmem.vault.vault import Vault

START = 1_795_158_000  # 2026-11-20T07:00:00Z
NOW = "2026-11-20T07:00:00Z"
MAIN = "refs/heads/main"
BLOB, TREE = "100644", "040000"
Changes = Mapping[str, str | tuple[str, str] | None]  # path → blob, (mode, object), or None to remove


def git(place: Path, *args: str, data: bytes | None = None, env: Mapping[str, str] | None = None) -> str:
    """Plain git, as a stranger or the user runs it; fails the test when git fails."""
    done = subprocess.run(
        ["git", "-C", str(place), *args],
        input=data if data is not None else b"",
        capture_output=True,
        env={**os.environ, **(env or {})},
    )
    assert done.returncode == 0, f"git {' '.join(args)}: {done.stderr.decode()}"
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def fails(place: Path, *args: str) -> None:
    """A git command that must stop (such as a merge with conflicts)."""
    done = subprocess.run(["git", "-C", str(place), *args], input=b"", capture_output=True)
    assert done.returncode != 0


@dataclass(frozen=True)
class Snapshot:
    """What must not change on a device when a sync is refused."""

    tip: str
    state: bytes
    index: str
    files: Mapping[str, bytes]
    remote: str


@dataclass
class Device:
    """A machine of the owner: a vault folder and this machine's own memory."""

    world: World
    path: Path
    state_dir: Path
    clock: int = START

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The open vault, closed at the end."""
        store = Store.open(
            str(self.path),
            lambda _: self.world.identity,
            ("gitmem", "gitmem@localhost"),
            lambda: NOW,
            self._new_id,
            str(self.state_dir),
        )
        store.trunk.remerge = partial(reconcile.remerge, store)  # as the composition root does
        try:
            yield store
        finally:
            store.close()

    def write(self, *texts: str) -> list[str]:
        """New memories in one commit; their ids."""
        made = [Memory(id=self._new_id(), body=text, created=NOW) for text in texts]
        with self.store() as store:
            store.write(made)
        return [one.id for one in made]

    def edit(self, memory_id: str, text: str) -> None:
        """A new revision of a memory."""
        with self.store() as store:
            old = store.get(memory_id)
            store.replace(replace(old, body=text, rev=old.rev + 1), old)

    def forget(self, memory_id: str) -> None:
        """Remove a memory."""
        with self.store() as store:
            store.forget([memory_id])

    def sync(self) -> sync.SyncReport:
        """`gitmem sync`."""
        with self.store() as store:
            return sync.sync(store)

    def restore(self) -> sync.SyncReport:
        """`gitmem sync --restore`."""
        with self.store() as store:
            return restore.restore(store)

    def purge(self, *memory_ids: str) -> purge.Purged:
        """`gitmem forget --purge`."""
        with self.store() as store:
            return purge.purge(store, [purge.find(store, one) for one in memory_ids], lambda _: None)

    def trust(self, oid: str) -> str:
        """`gitmem trust`."""
        with self.store() as store:
            return trust.trust(store, oid)

    def texts(self) -> dict[str, str]:
        """Every memory that this device shows: id → body."""
        with self.store() as store:
            return {memory.id: memory.body for memory in store.memories()}

    def tip(self) -> str:
        """Where the branch is, verified or not."""
        return git(self.path, "rev-parse", MAIN)

    def git(self, *args: str, data: bytes | None = None) -> str:
        """Plain git in the vault's folder."""
        return git(self.path, *args, data=data)

    @property
    def folder(self) -> Path:
        """gitmem's own folder."""
        inside = self.path / ".git"
        return (inside if inside.is_dir() else self.path) / "gitmem"

    @property
    def state_file(self) -> Path:
        """The last verified tips."""
        return self.folder / "state.json"

    def snapshot(self) -> Snapshot:
        """Everything that a refused sync must leave alone."""
        bare = not (self.path / ".git").exists()
        return Snapshot(
            self.tip(),
            self.state_file.read_bytes() if self.state_file.exists() else b"",
            "" if bare else self.git("ls-files", "-s"),
            {} if bare else worktree(self.path),
            self.world.remote_tip(),
        )

    def _new_id(self) -> str:
        self.clock += 60
        return ids.new_id(self.clock * 1000)


def worktree(path: Path) -> dict[str, bytes]:
    """The checked-out files: path → content (a link's target)."""
    found = {}
    for place in sorted(path.rglob("*")):
        name = place.relative_to(path).as_posix()
        if name.split("/")[0] == ".git" or (place.is_dir() and not place.is_symlink()):
            continue
        found[name] = os.readlink(place).encode() if place.is_symlink() else place.read_bytes()
    return found


class World:
    """A vault on a remote, two devices of its owner (`a`, `b`) and an attacker's clone.

    The vault's history: init; `one`, `two`; `three`; `one` edited; `three` forgotten. Both know all of it.
    """

    def __init__(self, place: Path, identity: Identity, vault_id: str, names: Mapping[str, str]) -> None:
        self.place = place
        self.identity = identity
        self.vault_id = vault_id
        self.vault = Vault(identity, vault_id)
        self.names = dict(names)
        self.remote = place / "remote.git"
        self.attacker = place / "attacker"
        self.a = Device(self, place / "a", place / "state-a", START + 100_000)
        self.b = Device(self, place / "b", place / "state-b", START + 200_000)

    # What the owner sees and does.

    @property
    def one(self) -> str:
        """A memory that was edited once."""
        return self.names["one"]

    @property
    def two(self) -> str:
        """A memory that stands as it was written."""
        return self.names["two"]

    @property
    def three(self) -> str:
        """A memory that was forgotten."""
        return self.names["three"]

    def mark(self, name: str) -> str:
        """A commit of the owner's history: init, wrote, third, edited, forgot."""
        return self.names[name]

    def code(self, floor: str = "") -> JoinCode:
        """A join code for the remote."""
        return JoinCode(str(self.remote), "main", self.vault_id, self.identity.text, floor)

    def device(self, name: str, floor: str = "", sparse: bool = False) -> Device:
        """A new device, joined."""
        made = Device(self, self.place / name, self.place / f"state-{name}", START + 1000 * len(name))
        join.join(self.code(floor), str(made.path), str(made.state_dir), sparse=sparse)
        return made

    def cloned(self, name: str, depth: int) -> Device:
        """A device made by plain `git clone --depth`: no state yet."""
        made = Device(self, self.place / name, self.place / f"state-{name}")
        git(self.place, "clone", "-q", f"--depth={depth}", f"file://{self.remote}", str(made.path))
        return made

    def remote_tip(self) -> str:
        """The branch on the remote, "" without one."""
        return git(self.remote, "for-each-ref", "--format=%(objectname)", MAIN)

    # What the attacker can do.

    def git(self, *args: str, data: bytes | None = None, env: Mapping[str, str] | None = None) -> str:
        """Plain git in the attacker's clone."""
        return git(self.attacker, *args, data=data, env=env)

    def look(self) -> str:
        """The attacker fetches everything; the remote's tip."""
        self.git("fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*")
        return self.git("rev-parse", "refs/remotes/origin/main")

    def blob(self, content: bytes) -> str:
        """A blob in the attacker's clone."""
        return self.git("hash-object", "-w", "--stdin", data=content)

    def blob_at(self, commit: str, memory_id: str) -> str:
        """The sealed file of a memory in a commit."""
        return self.git("rev-parse", f"{commit}:{path_of(memory_id)}")

    def leaked(self, text: str, memory_id: str) -> str:
        """A file sealed to the vault's recipient, which the attacker has learnt: a blob."""
        memory = Memory(id=memory_id, body=text, created=NOW)
        return self.blob(self.vault.seal(document.dump(memory)))

    def tree(self, start: str, changes: Changes) -> str:
        """The tree of a commit with changes made, by an index of its own."""
        env = {"GIT_INDEX_FILE": str(self.place / "attack-index")}
        self.git("read-tree", start, env=env) if start else self.git("read-tree", "--empty", env=env)
        lines = []
        for path, value in changes.items():
            mode, oid = value if isinstance(value, tuple) else (BLOB if value else "0", value or "0" * 40)
            lines.append(f"{mode} {oid}\t{path}\n")
        self.git("update-index", "--index-info", data="".join(lines).encode(), env=env)
        return self.git("write-tree", env=env)

    def commit(self, tree: str, *parents: str, message: str = "a commit\n", when: int | None = None) -> str:
        """An unsealed commit."""
        args = [part for parent in parents for part in ("-p", parent)]
        env = {}
        if when is not None:
            env = {"GIT_AUTHOR_DATE": f"@{when} +0000", "GIT_COMMITTER_DATE": f"@{when} +0000"}
        return self.git("commit-tree", tree, *args, data=message.encode(), env=env)

    def change(self, start: str, changes: Changes, *parents: str, message: str = "a commit\n") -> str:
        """An unsealed commit on ``start`` (and more parents) with changes made."""
        return self.commit(self.tree(start, changes), start, *parents, message=message)

    def plain(
        self, start: str, name: str = "notes.txt", text: str = "hello\n", when: int | None = None
    ) -> str:
        """A commit to other files."""
        return self.commit(self.tree(start, {name: self.blob(text.encode())}), start, when=when)

    def raw(self, content: bytes, kind: str = "commit") -> str:
        """An object byte for byte."""
        return self.git("hash-object", "-t", kind, "-w", "--stdin", "--literally", data=content)

    def bytes_of(self, commit: str) -> bytes:
        """A commit object byte for byte."""
        done = subprocess.run(
            ["git", "-C", str(self.attacker), "cat-file", "commit", commit], capture_output=True, check=True
        )
        return done.stdout

    def merge(self, tree: str, ours: str, theirs: str, *more: str, when: int | None = None) -> str:
        """An unsealed merge with any tree."""
        return self.commit(tree, ours, theirs, *more, message="Merge branch 'x'\n", when=when)

    def push(self, oid: str, force: bool = False, branch: str = MAIN) -> str:
        """What everybody with push access may do."""
        self.git("push", "-q", "origin", f"{'+' if force else ''}{oid}:{branch}")
        return oid

    # What only a key holder can do, by hand.

    def sealed(
        self,
        start: str,
        changes: Changes,
        *parents: str,
        subject: str = "write 1 memory",
        trailers: tuple[str, ...] = (),
        when: int = START,
        vault: Vault | None = None,
    ) -> str:
        """A sealed commit in the attacker's clone, as another device of the owner would have made it."""
        tree = self.tree(start, changes)
        return self.sealed_tree(
            tree,
            *(parents or ((start,) if start else ())),
            subject=subject,
            trailers=trailers,
            when=when,
            vault=vault,
        )

    def sealed_tree(
        self,
        tree: str,
        *parents: str,
        subject: str = "write 1 memory",
        trailers: tuple[str, ...] = (),
        when: int = START,
        vault: Vault | None = None,
    ) -> str:
        """A sealed commit with any tree."""
        stamp = f"gitmem <gitmem@localhost> {when} +0000"
        body = commits.body(tree, parents, stamp, stamp, subject, trailers)
        return self.raw((vault or self.vault).sign(body))


def build(place: Path) -> World:
    """The world's first days; done once, then copied."""
    place.mkdir(parents=True, exist_ok=True)
    identity, vault_id = Identity.generate(), os.urandom(16).hex()
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(place / "remote.git")], check=True)
    for name, value in (("receive.denyNonFastForwards", "false"), ("receive.denyDeleteCurrent", "ignore")):
        git(place / "remote.git", "config", name, value)
    world = World(place, identity, vault_id, {})
    plan = create.Plan(
        directory=str(place / "a"),
        vault_id=vault_id,
        state_dir=str(place / "state-a"),
        identity=identity,
        remote=str(world.remote),
    )
    names = {"init": create.create(plan).commit}
    names["one"], names["two"] = world.a.write("one", "two")
    names["wrote"] = world.a.tip()
    (names["three"],) = world.a.write("three")
    names["third"] = world.a.tip()
    world.a.edit(names["one"], "one, edited")
    names["edited"] = world.a.tip()
    world.a.forget(names["three"])
    names["forgot"] = world.a.tip()
    world.a.sync()
    world.names = names
    world.device("b")
    git(place, "clone", "-q", str(world.remote), "attacker")
    return world


_BUILT: dict[str, World] = {}


def copy_of_world(template: Callable[[], Path], place: Path) -> World:
    """A world of the test's own."""
    if "world" not in _BUILT:
        _BUILT["world"] = build(template())
    first = _BUILT["world"]
    shutil.copytree(first.place, place, symlinks=True)
    for name in ("a", "b", "attacker"):
        config = place / name / ".git" / "config"
        config.write_text(config.read_text().replace(str(first.place), str(place)))
        git(place / name, "update-index", "-q", "--refresh")
    return World(place, first.identity, first.vault_id, first.names)


def everything(place: Path) -> bytes:
    """Every object of a repository, reachable or not, with its name."""
    done = subprocess.run(
        ["git", "-C", str(place), "cat-file", "--batch", "--batch-all-objects", "--unordered"],
        capture_output=True,
        check=True,
    )
    return done.stdout


# --- what a refusal is --------------------------------------------------------------------------------------


def refused(device: Device, names: str, kind: type[GitmemError] = TamperedError) -> GitmemError:
    """`sync` ends with exit code 13 and a sentence that names the commit; nothing moved, here or there."""
    memories, before = device.texts(), device.snapshot()  # a reader may note what it verified
    with pytest.raises(kind) as caught:
        device.sync()
    assert caught.value.exit_code == 13
    assert names in str(caught.value), f"{names} is not named: {caught.value}"
    assert device.snapshot() == before
    assert device.texts() == memories
    return caught.value


def not_joined(world: World, name: str, floor: str, names: str = "") -> GitmemError:
    """A first clone is refused and leaves nothing behind."""
    with pytest.raises(TamperedError) as caught:
        world.device(name, floor)
    assert caught.value.exit_code == 13
    assert names in str(caught.value)
    assert not [
        place for place in world.place.iterdir() if place.name.startswith(f"{name}.") or place.name == name
    ]
    return caught.value


def refresh(device: Device) -> None:
    """What every `git status` does: tests/repo has a test for a sync without it."""
    if (device.path / ".git").exists():
        device.git("update-index", "-q", "--refresh")


def accepted(world: World, memories: Mapping[str, str], *devices: Device) -> None:
    """Every device follows without being asked, a first clone too, and all show the same."""
    for device in devices or (world.a, world.b):
        refresh(device)
        device.sync()
        assert device.texts() == memories
        assert device.tip() == world.remote_tip()
        assert device.git("status", "--porcelain") == ""
    fresh = world.device(f"fresh{len(list(world.place.iterdir()))}", world.mark("forgot"))
    assert fresh.texts() == memories
    assert fresh.sync().tip == world.remote_tip()

"""The vault's GitHub workflows: the program that they run travels with the vault, at a fixed commit.

The running package goes as plain files to the branch ``gitmem-tool`` of the vault's remote, and the id of
that commit into the workflow files on the vault's branch. A sealed record says which bytes gitmem put there,
so that every device sees when somebody else changed them. docs/actions.md explains it to users.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import gitmem
from gitmem.errors import ConfigError, RemoteError
from gitmem.flows import records, sync
from gitmem.flows.checks import Finding, Patient
from gitmem.flows.tool import FOLDER, USES, fitted, package
from gitmem.repo import commits
from gitmem.repo.objects import MAX_BLOB, blob_id, tree_id
from gitmem.repo.remote import tracking
from gitmem.repo.trees import BLOB_MODE, Changes, differences, edit_tree
from gitmem.store import Store

BRANCH = "refs/heads/gitmem-tool"
RECORD = "workflows"
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Installed:
    """The commit of the program that jobs run now, and the commit of the vault that says so.

    ``commit`` is "" when the vault had it all before.
    """

    tool: str
    commit: str


@dataclass(frozen=True, slots=True)
class State:
    """How the workflow files of a vault's commit compare with its record and with the running gitmem.

    ``missing`` and ``changed`` are names of files; ``unpinned`` are actions, in any workflow file, that are
    named by a tag and not by a commit. ``newer`` is the version of a newer gitmem that installed them, or "".
    """

    tool: str
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    unpinned: tuple[str, ...]
    outdated: bool
    newer: str


# Putting it there.


def install(store: Store) -> Installed:
    """Offer the running package to the remote, then commit the workflow files that name it.

    The program is on the remote before the vault's branch refers to it; the branch itself goes there with
    the next sync. Safe to interrupt and to repeat: what is there already is not made again.

    Raises:
        RemoteError: there is no remote, or it cannot be reached.
        ConfigError: a newer gitmem installed what is there.
        ConflictError: the person's own edits of a workflow file are in the way.
    """
    files, before = package(), state(store)
    if before and before.newer:
        raise ConfigError(
            f"The workflows of this vault are of gitmem {before.newer}, which is newer than this one.",
            "Nothing was changed; update gitmem here, then try again.",
        )
    with store.repo.sync_lock:
        store.repo.tidy_remote()
        tool, tree = _offer(store, files, before.tool if before else "")
    commit = store.trunk.grow(partial(_changes, store, tool, tree), "install workflows")
    return Installed(tool, commit)


def renew(store: Store) -> Installed:
    """Install between two syncs, as doctor does: other devices' work first, ours for all to see after.

    Raises:
        GitmemError: as ``install`` and ``sync`` do.
    """
    sync.sync(store)
    done = install(store)
    sync.sync(store)
    return done


def _offer(store: Store, files: dict[str, bytes], former: str) -> tuple[str, str]:
    """Bring the package to the remote's branch; its commit and tree."""
    objects, remote = store.repo.objects, store.repo.remote
    entries: Changes = {path: (BLOB_MODE, objects.write("blob", files[path])) for path in files}
    tree = edit_tree(objects, "", entries, objects.write)
    for _ in range(_TRIES):
        with store.repo.guard(BRANCH):
            theirs = remote.fetch(BRANCH)
            if theirs and store.repo.tree(theirs) == tree:
                return theirs, tree
            kept = not theirs and former and objects.has(former) and store.repo.tree(former) == tree
            tool = former if kept else objects.write("commit", _body(store, tree, theirs))
            objects.flush()
            if remote.push(tool, BRANCH):
                store.repo.git.run("update-ref", tracking(BRANCH), tool)
                return tool, tree
    raise RemoteError(
        "The remote's branch gitmem-tool kept moving.",
        "Nothing was changed; `gitmem doctor --fix` tries again.",
    )


def _body(store: Store, tree: str, parent: str) -> bytes:
    # Never sealed: a seal on a tree without memories, merged by a stranger, would delete them all.
    stamp = f"{store.repo.author[0]} <{store.repo.author[1]}> {int(time.time())} +0000"
    parents = (parent,) if parent else ()
    return commits.body(tree, parents, stamp, stamp, f"gitmem {gitmem.__version__}")


def _changes(store: Store, tool: str, tree: str, tip: str) -> Changes:
    """What the vault's branch lacks of the workflow files and their record."""
    files = fitted(store.vault.id, tool)
    blobs = {path: store.repo.objects.write("blob", content) for path, content in files.items()}
    former = records.read(store, RECORD, tip).get("files", {})
    changes: Changes = {path: None for path in former if path not in blobs and store.repo.blob(tip, path)}
    changes |= {path: (BLOB_MODE, oid) for path, oid in blobs.items() if store.repo.blob(tip, path) != oid}
    record = {"tool": tool, "tree": tree, "version": gitmem.__version__, "files": blobs}
    return changes | records.change(store, RECORD, record, tip)


# Looking at it.


def state(store: Store, at: str = "") -> State | None:
    """How the workflow files of the verified tip, or of the verified commit ``at``, are; None for none.

    Raises:
        TamperedError: the record is not what it says.
    """
    tip = at or store.tip()
    record = records.read(store, RECORD, tip)
    if not record:
        return None
    there = {path: store.repo.blob(tip, path) for path in record["files"]}
    newer = record["version"] if _number(record["version"]) > _number(gitmem.__version__) else ""
    return State(
        tool=record["tool"],
        missing=tuple(path for path, oid in there.items() if not oid),
        changed=tuple(path for path, oid in there.items() if oid and oid != record["files"][path]),
        unpinned=tuple(_unpinned(store, tip)),
        outdated=not newer and record["tree"] != _tree(store, package()),
        newer=newer,
    )


def _tree(store: Store, files: dict[str, bytes]) -> str:
    entries: Changes = {path: (BLOB_MODE, blob_id(content)) for path, content in files.items()}
    return edit_tree(store.repo.objects, "", entries, tree_id)


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def _unpinned(store: Store, tip: str) -> Iterator[str]:
    """Actions that somebody's workflow names by what their authors can move."""
    for change in differences(store.repo.objects, "", store.repo.tree(tip), top=b".github"):
        if change.path.startswith(FOLDER) and change.path.endswith((".yml", ".yaml")) and change.new:
            text = store.repo.objects.read(change.new.oid, MAX_BLOB).decode("utf-8", "replace")
            for name, version in re.findall(USES, text):
                if not re.fullmatch(r"[0-9a-f]{40}|sha256:[0-9a-f]{64}", version):
                    yield f"{name}@{version}"


def vouched(store: Store) -> frozenset[str]:
    """The workflow files whose bytes are those that a key holder's gitmem put there, by the sealed record.

    Raises:
        TamperedError: the record is not what it says.
    """
    tip = store.tip()
    files = records.read(store, RECORD, tip).get("files", {})
    return frozenset(path for path, oid in files.items() if store.repo.blob(tip, path) == oid)


def check(patient: Patient) -> Iterator[Finding]:
    """The jobs run this gitmem, and nobody else changed what they do."""
    store = patient.store
    found = state(store) if store else None
    if store is None or found is None:
        return
    names = [path.rpartition("/")[2] for path in found.missing or found.changed]
    detail = f"they run gitmem {found.newer or gitmem.__version__}, at {found.tool[:10]}"
    mend = "`gitmem doctor --fix` installs this one."
    if names:
        detail = f"{'gone' if found.missing else 'changed by somebody else'}: {', '.join(names)}"
        mend = "If it was not you, somebody may have the key: `gitmem rekey`. `gitmem doctor --fix` mends it."
    elif found.outdated:
        detail = f"they run another gitmem than this, at {found.tool[:10]}"
    fix = None if found.newer else partial(renew, store)
    well = not (names or found.outdated)
    yield Finding("workflows", well, detail, "Update gitmem here first." if found.newer else mend, fix)
    if found.unpinned:
        detail = f"not pinned by commit: {', '.join(found.unpinned[:3])}"
        yield Finding(
            "actions", False, detail, "Whoever moves such a tag runs beside your secrets: pin or remove it."
        )
    if patient.online:
        yield from _branch(patient, store, found.tool)


def _branch(patient: Patient, store: Store, tool: str) -> Iterator[Finding]:
    """The remote keeps the program that the workflow files name."""
    status, out, _ = patient.repo.remote.ask("ls-remote", "origin", BRANCH)
    if status == 0:
        there = out.decode("ascii", "replace").partition("\t")[0]
        detail = f"at {tool[:10]}" if there == tool else "moved by somebody else" if there else "gone"
        mend = "The jobs still run only what their files name; `gitmem doctor --fix` installs it anew."
        yield Finding("branch gitmem-tool", there == tool, detail, mend, partial(renew, store))

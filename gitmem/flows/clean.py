"""After a purge: what the rewritten history no longer needs is erased from this clone, and its index."""

from __future__ import annotations

import os

from gitmem.repo import pruning
from gitmem.repo.git import Git
from gitmem.repo.remote import tracking
from gitmem.store import Store, Tell

UNNAMED = "objects that git was told to keep"  # a .keep file, borrowed objects, a log of another form


def clean(store: Store, tell: Tell) -> tuple[str, ...]:
    """Erase the line from before the purge; the names that still keep it come back. Safe to repeat.

    Raises:
        GitmemError: the disk is full or the like; the next sync tries again.
    """
    tell("erasing what was purged from this clone")
    repo, state = store.repo, store.trunk.state
    with repo.sync_lock, repo.lock:
        tip = store.tip()
        gone = replaced(store, tip)
        followed = tracking(store.branch)
        if repo.tip(followed) in gone and state.remote:
            repo.git.run("update-ref", followed, state.remote)
        found = pruning.holders(repo.git, repo.common_dir, tip, gone)
        pruning.drop(repo.git, [name for name in found if name.startswith(pruning.OURS)])
        store.drop_index()
        repo.close()  # its cat-file has the old packs open
        pruning.erase(repo.git, repo.common_dir, gone)
        store.trunk.note(purged="")
    named = tuple(name for name in found if not name.startswith(pruning.OURS))
    return named or _unnamed(repo.git, gone)


def clean_remote(store: Store, tell: Tell) -> tuple[str, ...] | None:
    """The same in a remote that is a folder on this machine; None where gitmem cannot or must not."""
    place = store.remote.removeprefix("file://")
    inside = os.path.join(place, ".git")
    folder = inside if os.path.isdir(inside) else place
    objects = os.path.join(folder, "objects")
    if not os.path.isabs(place) or not os.access(objects, os.W_OK) or _shared(objects):
        return None
    tell("erasing what was purged from the remote")
    git, tip = Git(folder, None), store.tip()
    gone = replaced(store, tip)
    found = pruning.holders(git, folder, tip, gone)
    pruning.erase(git, folder, gone)
    return tuple(found) or _unnamed(git, gone)


def replaced(store: Store, tip: str) -> frozenset[str]:
    """The commits of former lines, whose place a purge gave to others, unless they are below ``tip``."""
    line = store.trunk.history.line(tip)
    was = {oid for one in line if one.seal for oid in one.seal.was}
    return frozenset(was - {one.id for one in line})


def _unnamed(git: Git, gone: frozenset[str]) -> tuple[str, ...]:
    return (UNNAMED,) if pruning.left(git, gone) else ()


def _shared(objects: str) -> bool:
    """Whether that repository borrows objects of another, which are not ours to erase."""
    return os.path.exists(os.path.join(objects, "info", "alternates"))

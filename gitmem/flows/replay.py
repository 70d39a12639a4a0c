"""Unpushed commits brought onto the remote's tip: one by one where all are gitmem's own, else merged."""

from __future__ import annotations

from collections.abc import Sequence

from gitmem.errors import ConflictError
from gitmem.flows.reconcile import merged_commit, reconcile
from gitmem.flows.reseal import renewed
from gitmem.repo import commits
from gitmem.repo.history import Judged
from gitmem.repo.repo import Draft
from gitmem.repo.trees import differences, is_protected
from gitmem.store import Store
from gitmem.vault.vault import Vault

Joined = tuple[str, tuple[str, ...]]  # the new tip, and the ids of memories in which both texts stay, marked


def joined(store: Store, ours: str, theirs: str) -> Joined:
    """Two verified tips made one: what is not pushed on top of ``theirs``.

    Raises:
        ConflictError: other files do not merge, or unpushed merges stand on what was purged.
    """
    purged = is_purged(store, theirs)
    mine = [store.trunk.history.judged(oid) for oid in _unpushed(store, ours, theirs, purged)]
    if all(_may_replay(store, one) for one in mine):
        return _replayed(store, mine, theirs, purged)
    if purged:
        raise ConflictError(
            "Another device purged the history, and unpushed merges here stand on what it purged.",
            "Nothing was changed; `gitmem export DIR` saves them, then `gitmem join` with a new code.",
        )
    return merged_commit(store, ours, theirs)


def carried(store: Store, mine: Sequence[Judged], theirs: str, keys: Sequence[Vault]) -> Joined:
    """Commits from before a rekey, on top of ``theirs``: opened with ``keys``, sealed with the store's key.

    Raises:
        ConflictError: one of them is no plain commit of gitmem's.
    """
    if not all(_may_replay(store, one) for one in mine):
        raise ConflictError(
            "The vault has a new key, and what is not pushed here holds a merge or commits of your own.",
            "Nothing was changed; `gitmem export DIR` saves it, then `gitmem join DIR` with the new code.",
        )
    return _replayed(store, mine, theirs, is_purged(store, theirs), keys)


def unpushed(store: Store, ours: str, theirs: str) -> list[Judged]:
    """The commits of ``ours`` that ``theirs`` lacks, oldest first, also across a purge."""
    listed = _unpushed(store, ours, theirs, is_purged(store, theirs))
    return [store.trunk.history.judged(oid) for oid in listed]


def is_purged(store: Store, theirs: str) -> bool:
    """Whether a purge rewrote what led to the accepted tip ``theirs``: the old line must not come back."""
    known = store.trunk.remembered
    return bool(known and theirs) and not store.trunk.history.contains(theirs, known)


def _unpushed(store: Store, ours: str, theirs: str, purged: bool) -> list[str]:
    limits = [f"^{oid}" for oid in (theirs, store.trunk.remembered if purged else "") if oid]
    listed = store.repo.git.lines("rev-list", "--reverse", "--topo-order", ours, *limits, "--")
    while listed and store.trunk.history.contains(theirs, listed[0]):
        listed.pop(0)  # with skewed dates rev-list also names commits that are theirs already
    return listed


def _may_replay(store: Store, one: Judged) -> bool:
    return bool(one.seal) and not one.anchor and len(one.shown) == 1 and _only_vault(store, one.raw)


def _only_vault(store: Store, raw: bytes) -> bool:
    tree, parents = commits.header(raw)
    changed = differences(store.repo.objects, store.repo.tree(parents[0]), tree)
    return all(is_protected(change.path) for change in changed)


def _replayed(
    store: Store, mine: Sequence[Judged], theirs: str, purged: bool, keys: Sequence[Vault] = ()
) -> Joined:
    tip = theirs
    conflicts: tuple[str, ...] = ()
    for one in mine:
        tip, marked = _copy(store, one, tip, purged, keys)
        conflicts += marked
    return tip, conflicts


def _copy(store: Store, one: Judged, onto: str, purged: bool, keys: Sequence[Vault]) -> Joined:
    """A sealed copy of one of our commits on another tip; no changes: that tip itself."""
    repo = store.repo
    tree, parents = commits.header(one.raw)
    before, after, here = repo.tree(parents[0]), tree, repo.tree(onto)
    if keys:
        before, after = renewed(store, before, after, here, keys)
    union = reconcile(store, before, here, after, purged=purged)
    if not union.changes:
        return onto, ()
    subject, author = commits.subject(one.raw), commits.author_line(one.raw)
    return store.trunk.seal(Draft((onto,), here, union.changes, subject, (), author)), union.conflicts

"""The answer to a refused history that keeps nothing of it: the verified memories, put back on top."""

from __future__ import annotations

from gitmem.errors import TamperedError
from gitmem.flows.reconcile import mixed_tree, reconcile
from gitmem.flows.sync import Progress, SyncReport, sync
from gitmem.repo.repo import Draft
from gitmem.repo.trees import edit_tree
from gitmem.store import Store

_TRIES = 10
_ANCHOR = ("Gitmem-Anchor: restore",)


def restore(store: Store, progress: Progress | None = None) -> SyncReport:
    """Make the vault acceptable again by an anchor that every device follows, then sync.

    Never pushes with force.

    What key holders wrote stays, also below the refused commit; other files are left as the refused
    tip has them.

    Raises:
        TamperedError: no commit of this history can be verified at all. RemoteError: as in sync.
    """
    with store.repo.lock:
        store.repo.tidy(store.branch)
        _mend_local(store)
    if not store.remote:
        return SyncReport(tip=store.tip())
    for _ in range(_TRIES):
        with store.repo.sync_lock, store.repo.guard(store.branch):
            theirs = store.repo.remote.fetch(store.branch)
        with store.repo.lock:
            _mend_remote(store, theirs)
        try:
            return sync(store, progress)
        except TamperedError:
            continue  # somebody pushed again meanwhile
    return sync(store, progress)


def _mend_local(store: Store) -> None:
    branch = store.trunk
    refused = store.repo.tip(store.branch)
    if _fits(store, refused, branch.state.local):
        return
    known = branch.state.local
    good = _newest_good(store, refused, known)
    if not good:
        raise TamperedError(
            "No commit of this history can be verified.", "Bring the vault anew with 'gitmem join'."
        )
    parents = (refused,) if branch.history.contains(refused, good) else (refused, good)
    tree = mixed_tree(store, store.repo.tree(refused), store.repo.tree(good))
    branch.advance(refused, branch.seal(Draft(parents, tree, {}, "restore", _ANCHOR)))


def _mend_remote(store: Store, theirs: str) -> None:
    """Put an anchor over a refused remote tip.

    A remote that was only rewound needs a plain push, which sync does.
    """
    branch, repo = store.trunk, store.repo
    known = branch.remembered
    ours = store.tip()
    if not theirs or _fits(store, theirs, known):
        return
    if branch.history.contains(ours, theirs):
        branch.note(remote=theirs)  # rewound to one of our own: what we push contains it
        return
    good = _newest_good(store, theirs, known) or known or ours
    bases = repo.git.lines("merge-base", ours, good, ok=(0, 1))
    union = reconcile(store, repo.tree(bases[0]) if bases else "", repo.tree(ours), repo.tree(good))
    protected = edit_tree(repo.objects, repo.tree(ours), union.changes, repo.objects.write)
    tree = mixed_tree(store, repo.tree(theirs), protected)
    parents = (theirs,) if branch.history.contains(theirs, ours) else (theirs, ours)
    sealed = branch.seal(Draft(parents, tree, {}, "restore", _ANCHOR))
    branch.advance(ours, sealed)
    branch.note(
        remote=sealed
    )  # an anchor of this device over what it refused: the remote's tip lies below it


def _newest_good(store: Store, refused: str, known: str) -> str:
    """The newest commit under a refused tip that verifies by itself, "" when only ``known`` does or none."""
    limits = [f"^{known}"] if known else []
    for oid in store.repo.git.lines("rev-list", "--topo-order", refused, *limits, "--"):
        if oid != refused and _fits(store, oid, known):
            return oid
    return known


def _fits(store: Store, tip: str, known: str) -> bool:
    try:
        store.trunk.judge(tip, known)
    except TamperedError:
        return False
    return True

"""The answer to a refused history that keeps nothing of it: the verified memories, put back on top."""

from __future__ import annotations

from gitmem.errors import GitmemError, NotSetUpError, TamperedError
from gitmem.flows.reconcile import merged_commit
from gitmem.flows.replay import is_purged, joined
from gitmem.flows.sync import SyncReport, sync
from gitmem.repo.eras import RekeyedError
from gitmem.repo.history import RefusedError
from gitmem.repo.repo import Draft
from gitmem.repo.trees import mixed_tree
from gitmem.store import Store, Tell

_TRIES = 10
_ANCHOR = ("Gitmem-Anchor: restore",)


def restore(store: Store, progress: Tell | None = None) -> SyncReport:
    """Make the vault acceptable again by an anchor that every device follows, then sync, without force.

    What key holders wrote stays, also below the refused commit; other files are left as the refused tip
    has them.

    Raises:
        TamperedError: no commit of this history can be verified at all.
        RemoteError: the remote cannot be reached or keeps moving.
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
            return sync(store, progress, answered=theirs)
        except TamperedError:
            continue  # somebody pushed again meanwhile
    return sync(store, progress)


def _mend_local(store: Store) -> None:
    branch = store.trunk
    try:
        store.tip()
        return
    except TamperedError:
        refused = store.repo.tip(store.branch)
    good = gathered(store, branch.state.local, refused, branch.state.local)
    if not good:
        raise TamperedError(
            "No commit of this history can be verified.",
            "Nothing was changed; `gitmem join` brings the vault anew.",
        )
    _anchor(store, refused, refused, good)


def _mend_remote(store: Store, theirs: str) -> None:
    """Put an anchor over a refused remote tip.

    A remote that was only rewound, or that lost its branch, needs no more than the push that sync makes.
    The anchor is not noted as the remote's tip before it is there: another device that restores at the
    same time may win.
    """
    branch = store.trunk
    known = branch.remembered
    ours = store.tip()
    if not theirs or branch.history.contains(ours, theirs) or _refusal(store, theirs, known) is None:
        return
    good = gathered(store, ours, theirs, known)
    if is_purged(store, good):
        branch.announce(purged=good)
    _anchor(store, ours, theirs, good)


def _anchor(store: Store, ours: str, refused: str, good: str) -> None:
    parents = (refused,) if store.trunk.history.contains(refused, good) else (refused, good)
    tree = mixed_tree(store.repo.objects, store.repo.tree(refused), store.repo.tree(good))
    store.trunk.advance(ours, store.trunk.seal(Draft(parents, tree, {}, "restore", _ANCHOR)))


def gathered(store: Store, ours: str, refused: str, known: str) -> str:
    """A commit that holds ``ours`` ("" for none) and all that key holders wrote below ``refused``."""
    history, git = store.trunk.history, store.repo.git
    limits = [f"^{known}"] if known and store.repo.objects.has(known) else []
    pool = git.lines("rev-list", "--topo-order", refused, *limits, "--")
    while pool:
        tip = pool.pop(0)
        refusal = _refusal(store, tip, known if history.contains(tip, known) else "")
        if refusal is None:
            ours = _with(store, ours, tip)
            done = set(git.lines("rev-list", tip, *limits, "--"))
        else:  # what stands on the commit that is to blame is refused with it
            blamed = refusal.commit if isinstance(refusal, RefusedError) else tip
            done = {blamed, *git.lines("rev-list", "--ancestry-path", refused, f"^{blamed}", "--")}
        pool = [oid for oid in pool if oid not in done]
    return ours


def _with(store: Store, ours: str, good: str) -> str:
    contains = store.trunk.history.contains
    if not ours or contains(good, ours):
        return good
    purged = store.trunk.history.holds_purge
    if purged(good, ours):
        return ours  # a line from before a purge would bring back what was erased
    if purged(ours, good):
        return joined(store, ours, good)[0]
    return ours if contains(ours, good) else merged_commit(store, ours, good, others=ours)[0]


def _refusal(store: Store, tip: str, known: str) -> GitmemError | None:
    """Why a tip is not acceptable, None when it is."""
    try:
        store.trunk.judge(tip, known)
    except (TamperedError, NotSetUpError, RekeyedError) as refusal:
        return refusal
    return None

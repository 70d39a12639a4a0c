"""Fetch, verify, replay or merge, push: until both sides hold the same verified commits."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass

import gitmem
from gitmem.errors import ConflictError, RemoteError, RewoundError
from gitmem.flows.reconcile import merged_commit, replayed
from gitmem.repo import commits
from gitmem.repo.history import Judged
from gitmem.repo.repo import Moved
from gitmem.repo.trees import differences, is_protected
from gitmem.store import Store, Tell

_TRIES = 30  # each one lost means that another device's push went through
_LONGEST_PAUSE = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did: how many memories it pulled and pushed, and the tip that both sides have now.

    ``conflicts`` are ids of memories in which both texts stay, marked; ``changed_paths`` are files outside
    the vault that the remote changed.
    """

    pulled: int = 0
    pushed: int = 0
    conflicts: tuple[str, ...] = ()
    changed_paths: tuple[str, ...] = ()
    tip: str = ""


def sync(store: Store, progress: Tell | None = None, answered: str | None = None) -> SyncReport:
    """Bring both sides to one verified tip; safe to interrupt and to repeat.

    Args:
        store: the vault.
        progress: called with a word on what is being done.
        answered: the remote's tip ("" for none) that a restore has just put its anchor over.

    Raises:
        TamperedError: one side is refused; nothing was changed and nothing pushed.
        RemoteError: the remote cannot be reached or keeps moving.
        ConflictError: the user's other files do not merge.
    """
    tell = progress or (lambda _: None)
    with store.repo.sync_lock:
        store.repo.tidy_remote()
        start, total = store.tip(), SyncReport()
        for attempt in range(_TRIES):
            try:
                theirs, total = _met(store, total, answered, tell)
            except Moved:
                continue  # the user's own git was at work: look again
            if total.tip == theirs or _pushed(store, total.tip, tell):
                with store.repo.lock:
                    store.trunk.note(remote=total.tip, synced=store.now())
                return _counted(store, start, theirs, total)
            time.sleep(_pause(attempt))
    raise RemoteError(
        "The remote kept moving while gitmem was pushing.",
        "Your memories are safe here; run `gitmem sync` again.",
    )


def _met(store: Store, total: SyncReport, answered: str | None, tell: Tell) -> tuple[str, SyncReport]:
    """The remote's tip as fetched now, and the report with our branch brought to hold it too."""
    repo = store.repo
    tell("fetching")
    with repo.guard(store.branch):
        theirs = repo.remote.fetch(store.branch)
    with repo.lock:
        repo.tidy(store.branch)
        tell("verifying")
        total = _integrate(store, theirs, total, answered)
        if theirs and theirs != answered:
            store.trunk.note(remote=theirs)  # accepted, whether or not our push succeeds
    return theirs, total


def _pushed(store: Store, tip: str, tell: Tell) -> bool:
    tell("pushing")
    with store.repo.guard(store.branch):
        return store.repo.remote.push(tip, store.branch)


def _pause(attempt: int) -> float:
    """Seconds to wait after a lost race: spread at random, or the same devices meet again."""
    return random.uniform(0, min(_LONGEST_PAUSE, 0.1 * 2**attempt))  # noqa: S311  (no secret)


def integrate(store: Store, theirs: str) -> SyncReport:
    """Bring the local branch to a verified tip that holds ``theirs`` too; under the lock.

    Raises:
        TamperedError: ``theirs`` is refused.
        ConflictError: the user's other files do not merge.
    """
    return _integrate(store, theirs, SyncReport())


def protects_everything(store: Store) -> bool:
    """Whether the running program lies in the vault's own work tree: then a pull could replace it."""
    place = os.path.dirname(os.path.realpath(gitmem.__file__))
    return bool(store.repo.work_tree) and place.startswith(os.path.join(str(store.repo.work_tree), ""))


def _integrate(store: Store, theirs: str, before: SyncReport, answered: str | None = None) -> SyncReport:
    branch = store.trunk
    ours = store.tip()
    if theirs != answered or (theirs and not branch.history.contains(ours, theirs)):
        _judge(store, ours, theirs)
    if not theirs:
        return SyncReport(tip=ours)
    conflicts: tuple[str, ...] = ()
    target = ours
    if branch.history.contains(theirs, ours):
        target = theirs
    elif not branch.history.contains(ours, theirs):
        target, conflicts = _joined(store, ours, theirs)
    if target != ours:
        branch.advance(ours, target)
    paths = _other_paths(store, branch.state.remote, theirs)
    return SyncReport(
        conflicts=tuple(dict.fromkeys(before.conflicts + conflicts)),
        changed_paths=tuple(dict.fromkeys(before.changed_paths + paths)),
        tip=target,
    )


def _judge(store: Store, ours: str, theirs: str) -> None:
    """Accept the remote's tip, "" for a remote without the branch, or raise."""
    branch = store.trunk
    known = branch.remembered
    if not theirs and known:
        raise RewoundError(
            f"The remote has lost its branch, which held {known} when this device last met it.",
            "Nothing was changed; `gitmem sync --restore` puts the verified memories there again.",
        )
    contains = branch.history.contains
    if contains(ours, theirs) and (not known or contains(theirs, known)):
        return  # part of what was verified here: below a trust, a restore, or the init on somebody's project
    if theirs != known:
        branch.judge(theirs, known, everything=protects_everything(store))


def _joined(store: Store, ours: str, theirs: str) -> tuple[str, tuple[str, ...]]:
    """Our unpushed commits on top of theirs, one by one where all are gitmem's own, else one sealed merge."""
    history, known = store.trunk.history, store.trunk.remembered
    purged = bool(known) and not history.contains(theirs, known)  # the old line must not come back
    limits = [f"^{oid}" for oid in (theirs, known if purged else "") if oid]
    listed = store.repo.git.lines("rev-list", "--reverse", "--topo-order", ours, *limits, "--")
    while listed and history.contains(theirs, listed[0]):
        listed.pop(0)  # with skewed dates rev-list also names commits that are theirs already
    mine = [history.judged(oid) for oid in listed]
    if not all(_may_replay(store, one) for one in mine):
        if purged:
            raise ConflictError(
                "Another device purged the history, and unpushed merges here stand on what it purged.",
                "Nothing was changed; `gitmem export DIR` saves them, then `gitmem join` with a new code.",
            )
        return merged_commit(store, ours, theirs)
    tip = theirs
    conflicts: tuple[str, ...] = ()
    for one in mine:
        tip, marked = replayed(store, one.id, tip, purged=purged)
        conflicts += marked
    return tip, conflicts


def _may_replay(store: Store, one: Judged) -> bool:
    return bool(one.seal) and not one.anchor and len(one.shown) == 1 and _only_vault(store, one.raw)


def _only_vault(store: Store, raw: bytes) -> bool:
    tree, parents = commits.header(raw)
    changed = differences(store.repo.objects, store.repo.tree(parents[0]), tree)
    return all(is_protected(change.path) for change in changed)


def _other_paths(store: Store, before: str, after: str) -> tuple[str, ...]:
    """Files outside the vault that the remote changed since it was last met: no seal speaks for them."""
    if not before or before == after:
        return ()
    changed = differences(store.repo.objects, store.repo.tree(before), store.repo.tree(after))
    return tuple(change.path for change in changed if not is_protected(change.path))


def _counted(store: Store, start: str, theirs: str, total: SyncReport) -> SyncReport:
    def memories(before: str, after: str) -> int:
        trees = (store.repo.tree(before), store.repo.tree(after))
        return sum(1 for _ in differences(store.repo.objects, *trees, top=b"memories"))

    pushed = memories(theirs, total.tip)
    return SyncReport(memories(start, total.tip), pushed, total.conflicts, total.changed_paths, total.tip)

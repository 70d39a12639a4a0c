"""Fetch, verify, replay or merge, push: until both sides hold the same verified commits."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, replace

import gitmem
from gitmem.errors import RemoteError, RewoundError
from gitmem.flows.adopt import adopt
from gitmem.flows.clean import clean
from gitmem.flows.replay import Joined, is_purged, joined
from gitmem.repo.eras import RekeyedError
from gitmem.repo.repo import Moved
from gitmem.repo.trees import differences, is_protected
from gitmem.store import Store, Tell

_TRIES = 30  # each one lost means that another device's push went through
_LONGEST_PAUSE = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did: how many memories it pulled and pushed, and the tip that both sides have now.

    ``conflicts`` are ids of memories in which both texts stay, marked; ``changed_paths`` are files outside
    the vault that the remote changed. After a purge, ``holders`` are names in this repository that still
    keep what was purged.
    """

    pulled: int = 0
    pushed: int = 0
    conflicts: tuple[str, ...] = ()
    changed_paths: tuple[str, ...] = ()
    tip: str = ""
    holders: tuple[str, ...] = ()


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
        start, total = _start(store), SyncReport()
        for attempt in range(_TRIES):
            try:
                theirs, total = _met(store, total, answered, tell)
            except Moved:
                continue  # the user's own git was at work: look again
            if total.tip == theirs or _pushed(store, total.tip, tell):
                with store.repo.lock:
                    store.trunk.note(remote=total.tip, synced=store.now())
                report = _counted(store, start, theirs, total)
                return replace(report, holders=clean(store, tell)) if store.trunk.state.purged else report
            time.sleep(_pause(attempt))
    raise RemoteError(
        "The remote kept moving while gitmem was pushing.",
        "Your memories are safe here; run `gitmem sync` again.",
    )


def _start(store: Store) -> str:
    """Our verified tip, with the new key where the user's own git brought a rekey here already."""
    try:
        return store.tip()
    except RekeyedError as found:
        with store.repo.lock:
            tip = store.repo.tip(store.branch)
            return adopt(store, tip, tip)[0] if tip == found.commit else store.tip()


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
    ours = store.tip()
    try:
        if theirs != answered or (theirs and not store.trunk.history.contains(ours, theirs)):
            _judge(store, ours, theirs)
        target, conflicts = _moved(store, ours, theirs) if theirs else (ours, ())
    except RekeyedError:
        target, conflicts = adopt(store, theirs, ours)
    paths = _other_paths(store, store.trunk.state.remote, theirs) if theirs else ()
    return SyncReport(
        conflicts=tuple(dict.fromkeys(before.conflicts + conflicts)),
        changed_paths=tuple(dict.fromkeys(before.changed_paths + paths)),
        tip=target,
    )


def _moved(store: Store, ours: str, theirs: str) -> Joined:
    """The branch, brought from ``ours`` to hold the accepted tip ``theirs`` too."""
    branch = store.trunk
    if branch.history.contains(ours, theirs):
        return ours, ()
    behind = branch.history.contains(theirs, ours)
    target, conflicts = (theirs, ()) if behind else joined(store, ours, theirs)
    if is_purged(store, theirs):
        branch.announce(purged=theirs)
    branch.advance(ours, target)
    return target, conflicts


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

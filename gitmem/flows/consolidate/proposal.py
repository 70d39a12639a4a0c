"""A consolidation that waits for its owner's word: one sealed commit on a branch of its own."""

from __future__ import annotations

from dataclasses import dataclass

from gitmem.errors import ConflictError, NotFoundError, TamperedError
from gitmem.flows import records
from gitmem.flows.consolidate import apply, marker
from gitmem.flows.consolidate.apply import Work
from gitmem.flows.history import Change, difference
from gitmem.memory.ids import path_of
from gitmem.repo.history import Judged
from gitmem.repo.remote import NAME, explained
from gitmem.repo.repo import Draft
from gitmem.repo.trees import BLOB_MODE, Changes, differences
from gitmem.store import Store, counted

BRANCH = "refs/heads/gitmem/proposal"
_ANEW = "`gitmem consolidate --mode propose` makes it anew"
_AGAIN = f"`gitmem review --reject` takes it away; {_ANEW}."


@dataclass(frozen=True, slots=True)
class Proposal:
    """A verified proposal: its commit, the commit that it was made on, and what it changes."""

    commit: str
    parent: str
    changes: tuple[Change, ...]


def propose(store: Store, work: Work) -> tuple[str, frozenset[str]]:
    """Write the work onto the proposal's branch, here and on the remote, in place of an older proposal.

    The vault's own branch is not moved. Returns the commit ("" when nothing changes) and what was dropped.

    Raises:
        RemoteError: the remote cannot be reached; the proposal lies here, and is found once it can be.
    """
    with store.repo.lock:
        store.repo.tidy(store.branch)
        tip = store.tip()
        made, dropped = apply.changes(store, work, tip)
        if not made:
            return "", dropped
        oid = store.trunk.seal(Draft((tip,), store.repo.tree(tip), made, work.subject))
        store.repo.objects.flush()
        store.repo.git.run("update-ref", "-m", "gitmem", BRANCH, oid)
    if store.remote:
        with store.repo.sync_lock:
            _push(store, f":{BRANCH}")
            _push(store, f"{oid}:{BRANCH}")
    return oid, dropped


def is_waiting(store: Store) -> bool:
    """Whether a proposal waits that holds all there is: nothing was written since it was made.

    Raises:
        RemoteError: the remote cannot be reached.
    """
    oid = _found(store)
    judged = store.trunk.history.judged(oid) if oid else None
    if judged is None or judged.seal is None:
        return False
    come, other = marker.news(store, marker.Marker(judged.shown[0]), store.tip())
    return not come and not other


def pending(store: Store) -> Proposal:
    """The proposal that waits, from the remote where there is one, verified before any of it is opened.

    Raises:
        NotFoundError: there is none.
        TamperedError: it was not made by a key holder, or is no consolidation; nothing of it was opened.
        RemoteError: the remote cannot be reached.
    """
    oid = _found(store)
    if not oid or store.trunk.history.contains(store.tip(), oid):
        raise NotFoundError(
            "No proposal is waiting.", "`gitmem consolidate --mode propose` makes one when there is news."
        )
    judged = _verified(store, oid)
    parent = judged.shown[0]
    if not store.trunk.history.contains(store.tip(), parent):
        raise ConflictError(
            "The proposal stands on commits that are not in this vault's branch.",
            f"Nothing was changed. Run `gitmem sync` first; if that does not help, {_ANEW}.",
        )
    return Proposal(oid, parent, tuple(difference(store, parent, oid)))


def accept(store: Store, offer: Proposal) -> str:
    """Bring the proposal to the vault's branch; returns the branch's new tip.

    Raises:
        ConflictError: what it rests on was changed meanwhile; nothing was changed.
    """
    with store.repo.lock:
        store.repo.tidy(store.branch)
        tip = store.tip()
        if tip == offer.parent:
            store.trunk.advance(tip, offer.commit)
        else:
            store.trunk.grow(lambda onto: _onto(store, offer, onto), counted(apply.VERB, len(offer.changes)))
    take_away(store)
    return store.tip()


def reject(store: Store, offer: Proposal) -> str:
    """Take the proposal away and note that its memories were looked at; returns the noting commit.

    Raises:
        RemoteError: the remote cannot be reached; nothing was changed.
    """
    take_away(store)
    theirs, before = (marker.read(store, at) for at in (offer.commit, offer.parent))

    def make(tip: str) -> Changes:
        if marker.read(store, tip) != before:
            return {}  # somebody consolidated meanwhile: the marker has moved already
        return marker.change(store, theirs, tip)

    return store.trunk.grow(make, "reject 1 proposal")


def _found(store: Store) -> str:
    """The commit on the proposal's branch, of the remote where there is one; "" for none.

    One that lies only here was not pushed, or was decided on elsewhere: then the marker has moved since.
    """
    here = store.repo.tip(BRANCH)
    if not store.remote:
        return here
    with store.repo.sync_lock, store.repo.guard(BRANCH):
        theirs = store.repo.remote.fetch(BRANCH)
    if theirs or not here:
        return theirs
    parent = store.trunk.history.judged(here).shown[0]
    if marker.read(store, store.tip()) == marker.read(store, parent):
        return here
    store.repo.git.run("update-ref", "-d", BRANCH)
    return ""


def _verified(store: Store, oid: str) -> Judged:
    """The proposal's commit: acceptable as a tip, and a single one of a key holder."""
    hint = f"Nothing of it was opened; {_ANEW}."
    try:
        store.trunk.judge(oid, "")
    except TamperedError as error:
        raise TamperedError(f"The proposal {oid} was not made by a key holder.", hint) from error
    judged = store.trunk.history.judged(oid)
    if judged.seal is None or judged.anchor or len(judged.shown) != 1:
        raise TamperedError(f"The proposal {oid} is not a single commit of a key holder.", hint)
    return judged


def _onto(store: Store, offer: Proposal, tip: str) -> Changes:
    """The proposal's changes on a tip that moved on, if nothing that it rests on did."""
    if marker.read(store, tip) != marker.read(store, offer.parent):
        raise ConflictError(
            "Something else was consolidated since the proposal was made.", f"Nothing was changed. {_AGAIN}"
        )
    rests_on = {one for change in offer.changes for one in _named(change)}
    if any(
        store.repo.blob(tip, path_of(one)) != store.repo.blob(offer.parent, path_of(one)) for one in rests_on
    ):
        raise ConflictError(
            "A memory that the proposal rests on was changed since it was made.",
            f"Nothing was changed. {_AGAIN}",
        )
    trees = (store.repo.tree(offer.parent), store.repo.tree(offer.commit))
    allowed = {path_of(change.id) for change in offer.changes} | {records.path_of(marker.NAME)}
    return {
        change.path: (BLOB_MODE, change.new.oid) if change.new else None
        for change in differences(store.repo.objects, *trees)
        if change.path in allowed
    }


def _named(change: Change) -> tuple[str, ...]:
    after = change.after
    return (change.id, *after.sources, *after.supersedes) if after else (change.id,)


def take_away(store: Store) -> None:
    """Remove the proposal's branch, if there is one, on the remote and here; the next run makes it anew.

    Raises:
        RemoteError: the remote cannot be reached or refuses; nothing was changed.
    """
    if store.remote:
        with store.repo.sync_lock:
            _push(store, f":{BRANCH}")
    store.repo.git.run("update-ref", "-d", BRANCH)


def _push(store: Store, what: str) -> None:
    """Push one refspec of the proposal's branch; taking away what is not there is no failure."""
    with store.repo.guard(BRANCH):
        status, out, err = store.repo.remote.ask("push", "--porcelain", "--no-verify", NAME, what)
    if status and not (what.startswith(":") and b"remote ref does not exist" in out + err):
        raise explained("push to", err)

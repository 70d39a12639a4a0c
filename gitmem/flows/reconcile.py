"""Two verified states made one: memories merged as documents, in memory, with no plaintext on the disk."""

from __future__ import annotations

from dataclasses import dataclass

from gitmem.branch import Branch
from gitmem.errors import ConflictError, NotSetUpError, TamperedError
from gitmem.memory.ids import id_of
from gitmem.memory.merge import merge
from gitmem.repo.git import printable
from gitmem.repo.objects import MAX_BLOB
from gitmem.repo.remote import tracking
from gitmem.repo.repo import Draft
from gitmem.repo.trees import (
    BLOB_MODE,
    Changes,
    Difference,
    differences,
    edit_tree,
    is_protected,
    lookup,
    mixed_tree,
)
from gitmem.store import Store


@dataclass(frozen=True, slots=True)
class Union:
    """What must change on our side to hold both, and the ids of memories in which both texts stay, marked."""

    changes: Changes
    conflicts: tuple[str, ...]


def reconcile(store: Store, base: str, ours: str, theirs: str, *, purged: bool = False) -> Union:
    """What the step from tree ``base`` to tree ``theirs`` changes in tree ``ours``; protected paths only.

    A memory that one side edited and the other forgot stays: nothing that somebody wrote is lost. With
    ``purged`` what is gone from ``ours`` stays gone: it was erased on purpose.
    """
    changes: Changes = {}
    conflicts: list[str] = []
    for change in differences(store.repo.objects, base, theirs):
        if not is_protected(change.path):
            continue
        here = lookup(store.repo.objects, ours, change.path)
        if here == change.new or (purged and here is None and change.old):
            continue
        if here == change.old:
            changes[change.path] = (change.new.mode, change.new.oid) if change.new else None
        elif here is None or change.new is None:
            kept = here or change.new
            changes[change.path] = (kept.mode, kept.oid) if kept else None
        else:
            oid, conflict = _both(store, change, here.oid)
            changes[change.path] = (BLOB_MODE, oid)
            conflicts += [memory_id] if conflict and (memory_id := id_of(change.path)) else []
    return Union(changes, tuple(conflicts))


def _both(store: Store, change: Difference, ours: str) -> tuple[str, bool]:
    """The blob for a file that both sides changed, and whether its two texts contradict each other.

    Memories are merged; of another protected file the one pushed later stays.
    """
    memory_id, new = id_of(change.path), change.new
    if memory_id is None or new is None:
        return (new.oid if new else ours), False
    oids = [change.old.oid if change.old else "", ours, new.oid]
    base, mine, their = (
        store.load(memory_id, store.repo.objects.read(oid, MAX_BLOB)) if oid else None for oid in oids
    )
    if mine is None or their is None:
        return new.oid, False
    merged = merge(base, mine, their)
    if merged.memory == their:
        return new.oid, merged.conflict
    return (ours if merged.memory == mine else store.put(merged.memory)), merged.conflict


def merged_commit(store: Store, ours: str, theirs: str, others: str = "") -> tuple[str, tuple[str, ...]]:
    """A sealed merge of two verified commits and the memories in conflict; no ref moves.

    Paths outside the vault come from commit ``others``, or from git's own merge without it.

    Raises:
        ConflictError: those other paths do not merge cleanly.
    """
    repo = store.repo
    union = united(store, ours, theirs)
    protected = edit_tree(repo.objects, repo.tree(ours), union.changes, repo.objects.write)
    tree = mixed_tree(
        repo.objects, repo.tree(others) if others else _git_merge(store, ours, theirs), protected
    )
    return store.trunk.seal(Draft((ours, theirs), tree, {}, "merge")), union.conflicts


def united(store: Store, ours: str, theirs: str) -> Union:
    """What must change in the verified commit ``ours`` to hold the verified commit ``theirs`` too.

    What was written and forgotten on our side stays forgotten, even if an old line on theirs still adds it.
    """
    tree = store.repo.tree(ours)
    union = reconcile(store, _base_tree(store, ours, theirs), tree, store.repo.tree(theirs))
    added = {
        path for path, value in union.changes.items() if value and not lookup(store.repo.objects, tree, path)
    }
    stale = added & store.trunk.history.touched(theirs, ours) if added else set()
    return Union({path: value for path, value in union.changes.items() if path not in stale}, union.conflicts)


def _base_tree(store: Store, ours: str, theirs: str) -> str:
    """The tree that both grew from; several are united first, or one's news would count as one side's."""
    repo = store.repo
    bases = repo.git.lines("merge-base", "--all", ours, theirs, ok=(0, 1))
    tree = repo.tree(bases[0]) if bases else ""
    for other in bases[1:]:
        union = reconcile(store, _base_tree(store, bases[0], other), tree, repo.tree(other))
        tree = edit_tree(repo.objects, tree, union.changes, repo.objects.write)
    return tree


def _git_merge(store: Store, ours: str, theirs: str) -> str:
    """The tree of git's own merge, of which only the other paths are used."""
    options = ("-c", "merge.renames=false", "-c", "merge.directoryRenames=false")
    call = (*options, "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
    status, out, err = store.repo.git.status(*call)
    tree, *names = out.decode("utf-8", "surrogateescape").split("\0")
    if status not in (0, 1):
        raise ConflictError(
            f"Git could not merge the other files: {printable(err)}.",
            "Nothing was changed; run `git pull` in the vault's folder.",
        )
    if any(name and not is_protected(name) for name in names):
        raise ConflictError(
            "Files of yours outside the vault were changed on both sides.",
            "Memories are safe; `git pull` in the vault's folder, resolve, commit, then `gitmem sync`.",
        )
    return tree


def remerge(store: Store, branch: Branch, tip: str) -> str:
    """A sealed merge in place of one that is not git's plain union, or "" where that is not the answer.

    For the local tip only, while the remote has not seen it (commit-seals.md section 8). Under the lock.
    """
    history, known = branch.history, branch.state.local
    parents = history.judged(tip).shown
    if len(parents) != 2 or (known and not history.contains(tip, known)) or _pushed(branch, tip):
        return ""
    try:
        for parent in parents:
            branch.judge(parent, known if history.contains(parent, known) else "")
    except (TamperedError, NotSetUpError):
        return ""
    if any(history.holds_purge(parents[1 - side], parents[side]) for side in (0, 1)):
        return ""  # the line from before the purge would come back
    sealed, _ = merged_commit(store, *parents, others=tip)
    branch.repo.git.run("update-ref", f"refs/gitmem/kept/{tip}", tip)
    branch.advance(tip, sealed)
    branch.tell(
        f"the merge {tip[:10]} was made again with a seal; the former one is kept as refs/gitmem/kept/{tip}."
    )
    return sealed


def _pushed(branch: Branch, tip: str) -> bool:
    seen = (
        branch.state.remote,
        branch.repo.tip(tracking(branch.name)),
    )
    return any(oid and branch.history.contains(oid, tip) for oid in seen)

"""Take one commit's changes back by a new sealed commit."""

from __future__ import annotations

from gitmem.errors import ConflictError, NotFoundError
from gitmem.flows.reconcile import reconcile
from gitmem.flows.reseal import renewed
from gitmem.memory.ids import id_of
from gitmem.memory.memory import short
from gitmem.repo import commits
from gitmem.repo.trees import Changes, lookup
from gitmem.store import Store


def undo(store: Store, commit: str = "") -> str:
    """Revert the last gitmem commit, or the named one (a verified full id); returns the new commit's id.

    Memories that were edited since are merged with the undoing; nothing else changes.

    Raises:
        NotFoundError: there is nothing to undo, or the commit is an anchor or a merge.
        TamperedError: the named commit is refused.
        ConflictError: what it wrote was edited since, so that taking it back would lose the edit.
    """

    def back(tip: str) -> Changes:
        target = commit or _last(store, tip)
        if commit:  # below an anchor there may be commits that no key holder made
            store.trunk.judge(target, "")
        found = store.trunk.history.judged(target, tip)
        tree, parents = commits.header(found.raw)
        if len(parents) != 1 or found.anchor:
            raise NotFoundError(
                "That commit cannot be undone: it is a merge or an anchor.", "`gitmem log` shows the others."
            )
        before, keys = store.repo.tree(parents[0]), store.trunk.vaults_at(target)
        if len(keys) > 1:  # from below a rekey, which changed every sealed file
            before, tree = renewed(store, before, tree, store.repo.tree(tip), keys)
        union = reconcile(store, tree, store.repo.tree(tip), before)
        _refuse_loss(store, union.changes, tip, tree, before)
        changes = _without_forgotten(store, union.changes, tip, tree)
        if not changes:
            raise NotFoundError(
                "Nothing of that commit is left to undo.", "`gitmem log` shows what happened since."
            )
        return changes

    return store.trunk.grow(back, "undo 1 commit")


def _last(store: Store, tip: str) -> str:
    for one, verdict in store.trunk.history.audit(tip):
        if verdict == "sealed" and not one.anchor and len(one.shown) == 1:
            return one.id
    raise NotFoundError("There is nothing to undo yet.", "`gitmem log` shows the vault's commits.")


def _without_forgotten(store: Store, changes: Changes, tip: str, wrote: str) -> Changes:
    """Without memories that were forgotten after the commit: its undoing must not bring them back."""
    now = store.repo.tree(tip)
    return {
        path: value
        for path, value in changes.items()
        if lookup(store.repo.objects, now, path) or not lookup(store.repo.objects, wrote, path)
    }


def _refuse_loss(store: Store, changes: Changes, tip: str, wrote: str, parent: str) -> None:
    """An undo that would remove a memory which was edited after the commit stops instead."""
    now = store.repo.tree(tip)
    for path in changes:
        here, then = (lookup(store.repo.objects, tree, path) for tree in (now, wrote))
        if here and here != then and lookup(store.repo.objects, parent, path) is None:
            raise ConflictError(
                f"Memory {short(id_of(path) or '')} was edited after that commit.",
                "Nothing was changed; undo the later edit first, or `gitmem forget` the memory.",
            )

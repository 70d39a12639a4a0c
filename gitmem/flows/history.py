"""Commits and differences in the form that people read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gitmem.memory.ids import id_of
from gitmem.memory.memory import Memory
from gitmem.memory.times import from_unix
from gitmem.repo import commits
from gitmem.repo.history import Judged
from gitmem.repo.objects import MAX_BLOB
from gitmem.repo.trees import BLOB_MODE, differences
from gitmem.store import Store


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit, and the ids of the memories that it changed.

    ``verdict`` is sealed, plain, merge, vouched (refused by itself, accepted by an anchor above) or refused;
    ``anchor`` its kind of anchor or "". ``subject`` is "" for commits that gitmem did not make: their text
    may be anybody's.
    """

    id: str
    time: str
    subject: str
    verdict: str
    anchor: str
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One memory in two states; None where it does not exist."""

    id: str
    before: Memory | None
    after: Memory | None


def log(store: Store, memory_id: str = "", limit: int | None = None) -> list[Commit]:
    """The newest ``limit`` commits of the verified branch; with ``memory_id`` those that changed it.

    Raises:
        TamperedError: the branch is refused.
    """
    found: list[Commit] = []
    for one, verdict in store.trunk.history.audit(store.tip()):
        if limit is not None and len(found) >= limit:
            break
        commit = told(store, one, "vouched" if verdict == "refused" else verdict)
        if not memory_id or memory_id in commit.changed:
            found.append(commit)
    return found


def told(store: Store, one: Judged, verdict: str) -> Commit:
    """A judged commit as people read it."""
    tree, parents = commits.header(one.raw)
    before = store.repo.tree(parents[0]) if parents and one.shown else ""
    changed_ids = (
        id_of(change.path) for change in differences(store.repo.objects, before, tree, top=b"memories")
    )
    when = from_unix(commits.commit_time(one.raw))
    subject = commits.subject(one.raw) if one.seal else ""
    return Commit(one.id, when, subject, verdict, one.anchor, tuple(i for i in changed_ids if i))


def difference(store: Store, before: str, after: str) -> list[Change]:
    """The memories that differ between two commits that the caller has judged ("" for no commit), opened.

    Raises:
        TamperedError: one of them cannot be opened.
    """
    return list(_changes(store, before, after))


def _changes(store: Store, before: str, after: str) -> Iterator[Change]:
    trees = (store.repo.tree(before), store.repo.tree(after))
    for change in differences(store.repo.objects, *trees, top=b"memories"):
        memory_id = id_of(change.path)
        if memory_id is None:
            continue
        old, new = (
            store.load(memory_id, store.repo.objects.read(entry.oid, MAX_BLOB), commit)
            if entry and entry.mode == BLOB_MODE
            else None
            for entry, commit in ((change.old, before), (change.new, after))
        )
        if old != new:  # a rekey seals every file anew and changes none
            yield Change(memory_id, old, new)

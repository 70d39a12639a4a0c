"""How far consolidation has looked: a sealed record, and what has changed in the vault since.

The record ``consolidation`` holds ``seen`` (a commit: all up to it was looked at), ``done`` (memories after
it that were looked at too, by id and rev), ``aside`` (those that no engine takes: rev and why) and ``untold``
(a run ended before the digest's narratives). Whenever in doubt a memory is looked at again, which costs a
little and harms nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gitmem.flows import records
from gitmem.memory.memory import Memory
from gitmem.repo.trees import Changes
from gitmem.store import Store
from gitmem.vault.description import VAULT_FILE

NAME = "consolidation"


@dataclass(frozen=True, slots=True)
class Marker:
    """The record as a value; see the module."""

    seen: str = ""
    done: Mapping[str, int] = field(default_factory=dict)
    aside: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    untold: bool = False

    def passes(self, memory: Memory) -> bool:
        """Whether this revision of a memory is still to be looked at."""
        rev, _ = self.aside.get(memory.id, (0, ""))
        return memory.rev not in (self.done.get(memory.id), rev)


def read(store: Store, at: str = "") -> Marker:
    """The marker as of a verified commit; what cannot be understood of it counts as not there.

    Raises:
        TamperedError: the record is not this vault's.
    """
    record = records.read(store, NAME, at)
    seen, done, aside = (record.get(name) for name in ("seen", "done", "aside"))
    return Marker(
        seen if isinstance(seen, str) and re.fullmatch("[0-9a-f]{40}", seen) else "",
        {key: rev for key, rev in _pairs(done) if isinstance(rev, int)},
        {
            key: (one["rev"], str(one.get("why", "")))
            for key, one in _pairs(aside)
            if isinstance(one, dict) and isinstance(one.get("rev"), int)
        },
        record.get("untold") is True,
    )


def change(store: Store, marker: Marker, at: str) -> Changes:
    """What a commit on ``at`` must change to hold the marker."""
    aside = {key: {"rev": rev, "why": why} for key, (rev, why) in marker.aside.items()}
    record = {"seen": marker.seen, "done": dict(marker.done), "aside": aside, "untold": marker.untold}
    return records.change(store, NAME, {name: value for name, value in record.items() if value}, at)


def news(store: Store, marker: Marker, tip: str) -> tuple[set[str], bool]:
    """The ids of memories that were written or changed since, and whether any went or the sharing changed.

    The difference of two trees. A ``seen`` that is not below the tip (a replay, a lost commit) falls back to
    what both have in common, in the end to everything.
    """
    come: set[str] = set()
    other = False
    for before, after in _stretches(store, _base(store, marker.seen, tip), tip):
        gone, came = store.between(store.repo.tree(before), store.repo.tree(after))
        come |= came.keys()
        other |= bool(gone)
    return come, other or _sharing(store, marker.seen) != _sharing(store, tip)


def moved(store: Store, marker: Marker, tip: str, looked: Mapping[str, int]) -> Marker:
    """The marker once all that was new at ``tip`` was looked at; ``looked`` is id → rev."""
    remote = store.trunk.state.remote
    # a commit that the remote has keeps its id; ours may yet be replayed onto somebody else's
    seen = remote if remote and store.trunk.history.contains(tip, remote) else tip
    after, _ = news(store, Marker(seen), tip) if seen != tip else (set(), False)
    known = {**marker.done, **looked}
    return replace(marker, seen=seen, done={key: known[key] for key in known if key in after}, untold=False)


def _base(store: Store, seen: str, tip: str) -> str:
    history = store.trunk.history
    if not seen or history.contains(tip, seen):
        return seen
    for one, _ in history.audit(tip):
        if one.seal and seen in one.seal.was:  # a purge wrote it anew
            return one.id
    if not store.repo.objects.has(seen):
        return ""
    bases = store.repo.git.lines("merge-base", seen, tip, ok=(0, 1))
    return bases[0] if bases else ""


def _stretches(store: Store, base: str, tip: str) -> list[tuple[str, str]]:
    """From ``base`` to ``tip``, around each rekey: it seals every file anew and changes no memory."""
    if not base or store.repo.file(base, VAULT_FILE) == store.repo.file(tip, VAULT_FILE):
        return [(base, tip)]
    found, start = [], base
    for oid in store.repo.git.lines("rev-list", "--reverse", "--topo-order", f"{base}..{tip}", "--"):
        one = store.trunk.history.judged(oid)
        if one.anchor == "rekey":
            found.append((start, one.shown[0]))
            start = oid
    return [*found, (start, tip)]


def _sharing(store: Store, commit: str) -> str:
    known = commit and store.repo.objects.has(commit)
    return store.repo.blob(commit, records.path_of("sharing")) if known else ""


def _pairs(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []

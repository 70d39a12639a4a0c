"""How a vault stands, here and as far as this device knows its remote; the remote is not contacted."""

from __future__ import annotations

from dataclasses import dataclass

from gitmem.index.filters import Filters
from gitmem.memory.times import from_unix
from gitmem.repo import commits
from gitmem.repo.remote import tracking
from gitmem.store import Store


@dataclass(frozen=True, slots=True)
class Status:
    """What `gitmem status` shows; "" where there is nothing to say."""

    path: str
    vault_id: str
    fingerprint: str
    memories: int
    tip: str
    updated: str
    remote: str
    last_sync: str
    ahead: int
    behind: int
    unsealed: int


def status(store: Store) -> Status:
    """The state of a vault that was opened and verified."""
    tip = store.tip()
    ahead, behind = _apart(store, tip)
    return Status(
        path=store.path,
        vault_id=store.vault.id,
        fingerprint=store.vault.fingerprint,
        memories=store.count(Filters(everything=True)),
        tip=tip,
        updated=from_unix(commits.commit_time(store.repo.objects.read(tip))),
        remote=store.repo.remote.shown,
        last_sync=store.trunk.state.synced,
        ahead=ahead,
        behind=behind,
        unsealed=unsealed(store, tip),
    )


def unsealed(store: Store, tip: str) -> int:
    """How many unsealed commits stand on top of the last sealed one; none of them touches memories."""
    count = 0
    for _, verdict in store.trunk.history.audit(tip):
        if verdict not in ("plain", "merge"):
            break
        count += 1
    return count


def _apart(store: Store, tip: str) -> tuple[int, int]:
    """How many commits only this device has, and how many only the remote had when it was last met."""
    theirs = store.repo.tip(tracking(store.branch))
    if not theirs:
        return 0, 0
    counted = store.repo.git.run("rev-list", "--left-right", "--count", f"{tip}...{theirs}").split()
    return int(counted[0]), int(counted[1])

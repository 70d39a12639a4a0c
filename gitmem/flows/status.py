"""How a vault stands, here and as far as this device knows its remote; the remote is not contacted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitmem.flows import history
from gitmem.index.filters import Filters
from gitmem.store import Store

_LOOK_BACK = 1_000  # commits in which unsealed ones since the last seal are counted


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
    recent = history.log(store, limit=_LOOK_BACK)
    ahead, behind = _apart(store, tip)
    return Status(
        path=store.repo.path,
        vault_id=store.vault.id,
        fingerprint=store.vault.fingerprint,
        memories=store.count(Filters(everything=True)),
        tip=tip,
        updated=recent[0].time if recent else "",
        remote=store.repo.remote.url,
        last_sync=store.trunk.state.synced,
        ahead=ahead,
        behind=behind,
        unsealed=_unsealed(recent),
    )


def _unsealed(recent: Sequence[history.Commit]) -> int:
    count = 0
    for commit in recent:
        if commit.verdict not in ("plain", "merge"):
            break
        count += 1
    return count


def _apart(store: Store, tip: str) -> tuple[int, int]:
    theirs = store.repo.tip(f"refs/remotes/origin/{store.branch.removeprefix('refs/heads/')}")
    if not theirs:
        return 0, 0
    counted = store.repo.git.run("rev-list", "--left-right", "--count", f"{tip}...{theirs}").split()
    return int(counted[0]), int(counted[1])

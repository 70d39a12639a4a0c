"""The audit: every commit of the vault with the verdict on it."""

from __future__ import annotations

from gitmem.flows.history import Commit, told
from gitmem.store import Store


def audit(store: Store) -> list[Commit]:
    """Every commit of the branch with its verdict, newest first, whether the branch is accepted or not."""
    history = store.trunk.history
    judged = list(history.audit(store.repo.tip(store.branch)))
    anchors = [one.id for one, _ in judged if one.anchor]
    below = set(store.repo.git.lines("rev-list", *anchors, "--")) if anchors else set()
    return [
        told(store, one, "vouched" if verdict == "refused" and one.id in below else verdict)
        for one, verdict in judged
    ]

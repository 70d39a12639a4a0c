"""The sync that runs behind the user's back after a write: one at a time, and none too few."""

from __future__ import annotations

from contextlib import ExitStack

from gitmem import config
from gitmem.errors import GitmemError
from gitmem.flows import sync
from gitmem.store import Store


def attempt(store: Store) -> str:
    """Syncs, and returns why that failed; "" when it did not."""
    try:
        sync.sync(store)
    except GitmemError as error:
        return error.message
    return ""


def push(store: Store) -> bool:
    """Syncs, unless one sync runs and another one already waits; whether this one did it.

    The one that waits starts after every write made so far, so nothing stays behind and nothing piles up.
    """
    with ExitStack() as turn:
        with config.hold(f"next-push-{store.vault.id}", wait=False) as mine:
            if not mine:
                return False
            turn.enter_context(config.hold(f"push-{store.vault.id}"))
        sync.sync(store)
    return True

"""What runs behind the user's back after a write: sync, packing, and the rest of a step that was held up."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from gitmem import config
from gitmem.errors import GitmemError
from gitmem.flows import sync
from gitmem.flows.erase import erase
from gitmem.flows.purge import resume
from gitmem.repo import packing
from gitmem.store import Store

if TYPE_CHECKING:
    from gitmem.github.client import GitHub

_PATIENCE = 1800.0  # seconds that a commit of the user's may wait in an editor


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


def work(store: Store, connect: Callable[[], GitHub]) -> None:
    """Everything that a write leaves for later: the push first, whatever becomes of it then the rest.

    ``connect`` gives GitHub with the owner's token; it is called when inbox issues are to be deleted.
    """
    try:
        if store.remote and config.get("sync.auto") and push(store):
            erase(store, connect)
    finally:
        tend(store)


def pack(store: Store) -> None:
    """Packs loose objects when there are many.

    Raises:
        GitmemError: the disk is full or the like; nothing was lost.
    """
    if store.repo.objects.crowded:
        packing.pack(store.repo.git, store.repo.common_dir)


def tend(store: Store) -> None:
    """Packs what is due and brings git's index in step once it is free; one process at a time.

    Raises:
        GitmemError: the repository cannot be written.
    """
    with config.hold(f"tend-{store.vault.id}", wait=False) as mine:
        if not mine:
            return
        resume(store, lambda _: None)
        pack(store)
        deadline = time.monotonic() + _PATIENCE
        while store.repo.unfinished and time.monotonic() < deadline:
            with store.repo.lock:
                store.repo.tidy(store.branch, patience=0)
            time.sleep(0.2)

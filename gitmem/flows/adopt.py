"""A device follows a rekey: its unpushed commits come along, its old key is retired."""

from __future__ import annotations

import os

from gitmem import config
from gitmem.flows import keyring
from gitmem.flows.replay import Joined, carried, is_purged, unpushed
from gitmem.repo.eras import RekeyedError
from gitmem.store import Store


def adopt(store: Store, theirs: str, ours: str) -> Joined:
    """Move to the rekeyed tip ``theirs`` with the new key, which this machine keeps already; under the lock.

    The store goes on with the new key. A kill at any moment leaves a vault that opens: which key is read
    depends on the branch alone, and both lie on this machine until the end.

    Args:
        theirs: the tip that an old key cannot judge.
        ours: our own tip, verified with the old key or below ``theirs``.

    Raises:
        RekeyedError: this machine does not have the new key.
        TamperedError: the new key refuses that tip, too.
        ConflictError: something that is not pushed cannot be brought along.
    """
    trunk, old = store.trunk, store.vault
    identity = trunk.keys().get(trunk.fingerprint_at(theirs))
    if identity is None:
        raise RekeyedError(theirs)
    has_file = os.path.exists(config.key_path(old.id))
    if has_file:
        keyring.keep_other(old.id, old.identity)
    mine = [] if trunk.history.contains(theirs, ours) else unpushed(store, ours, theirs)
    store.turn(identity)
    try:
        trunk.judge(theirs, trunk.remembered or trunk.state.local)
        trunk.confirm(theirs)
        tip, conflicts = carried(store, mine, theirs, (store.vault, old))
        trunk.announce(coming=tip, purged=theirs if is_purged(store, theirs) else "")
        if tip != ours:
            trunk.advance(ours, tip)
        else:
            trunk.note(local=tip)
    except BaseException:
        store.turn(old.identity)
        raise
    if has_file:
        keyring.take_over(old.id, identity)
    return tip, conflicts

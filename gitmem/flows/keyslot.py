"""The passphrase slot: a copy of the key inside the vault, locked by a passphrase."""

from __future__ import annotations

from gitmem.errors import NotFoundError
from gitmem.repo.trees import BLOB_MODE
from gitmem.store import Store
from gitmem.vault import slot
from gitmem.vault.description import SLOT_FILE


def lock(store: Store, passphrase: str) -> str:
    """Puts the key, locked with a passphrase, into the vault in place of an older copy; the commit's id."""
    sealed = slot.lock(store.vault.identity, store.vault.id, passphrase)
    blob = store.repo.objects.write("blob", sealed)
    return store.trunk.grow(lambda _: {SLOT_FILE: (BLOB_MODE, blob)}, "lock the key")


def remove(store: Store) -> str:
    """Takes the locked key out of the vault; the commit's id.

    Raises:
        NotFoundError: there is none.
    """
    if store.repo.file(store.tip(), SLOT_FILE) is None:
        raise NotFoundError("There is no locked key in this vault.", "`gitmem key passphrase` makes one.")
    return store.trunk.grow(lambda _: {SLOT_FILE: None}, "remove the locked key")

"""What older keys sealed, sealed anew with the vault's key: for a rekey, and for steps from below one."""

from __future__ import annotations

from collections.abc import Sequence

from gitmem.errors import TamperedError
from gitmem.repo.objects import MAX_BLOB
from gitmem.repo.trees import BLOB_MODE, Changes, Entry, differences, edit_tree, is_protected, lookup
from gitmem.store import Store
from gitmem.vault.description import SLOT_FILE, VAULT_FILE
from gitmem.vault.vault import Vault

OWN = (VAULT_FILE, SLOT_FILE)  # say themselves which key they belong to: no step from below a rekey counts
_SEALED = ".age"


def renewed(store: Store, before: str, after: str, onto: str, keys: Sequence[Vault]) -> tuple[str, str]:
    """The step from tree ``before`` to tree ``after``, sealed by ``keys``, as a step of trees like ``onto``.

    A file that says the same as the one in ``onto`` becomes that one; any other is sealed with today's key.

    Raises:
        TamperedError: one of the files opens with none of the keys.
    """
    old: Changes = {}
    new: Changes = {}
    for change in differences(store.repo.objects, before, after):
        if not is_protected(change.path) or change.path in OWN:
            continue
        here = lookup(store.repo.objects, onto, change.path)
        old[change.path] = _renewed(store, change.path, change.old, here, keys)
        new[change.path] = _renewed(store, change.path, change.new, here, keys)
    objects = store.repo.objects
    return edit_tree(objects, onto, old, objects.write), edit_tree(objects, onto, new, objects.write)


def opened(path: str, sealed: bytes, keys: Sequence[Vault]) -> bytes:
    """The content of a sealed file, by the first key that opens it.

    Raises:
        TamperedError: none does.
    """
    for vault in keys:
        try:
            return vault.open(sealed)
        except TamperedError:
            continue
    raise TamperedError(
        f"The file {path} does not open with any key of this vault that is kept here.",
        "Nothing was changed; `gitmem doctor` names it.",
    )


def _renewed(
    store: Store, path: str, entry: Entry | None, here: Entry | None, keys: Sequence[Vault]
) -> tuple[bytes, str] | None:
    if entry is None:
        return None
    if not path.endswith(_SEALED):
        return entry.mode, entry.oid
    content = opened(path, store.repo.objects.read(entry.oid, MAX_BLOB), keys)
    if here is not None and _says(store, here, content):
        return here.mode, here.oid
    return BLOB_MODE, store.repo.objects.write("blob", store.vault.seal(content))


def _says(store: Store, here: Entry, content: bytes) -> bool:
    try:
        return store.vault.open(store.repo.objects.read(here.oid, MAX_BLOB)) == content
    except TamperedError:
        return False

"""Sealed records: what a vault notes about itself for all its devices, one JSON object a file.

A record lies at ``.gitmem/<name>.age`` and carries its own path, as all that is sealed there must:
a record that was copied to another name is refused. Of two devices' changes the one that syncs later stays.
"""

from __future__ import annotations

import json
from typing import Any

from gitmem.errors import InvalidMemoryError, TamperedError
from gitmem.repo.trees import BLOB_MODE, Changes
from gitmem.store import Store

Record = dict[str, Any]


def path_of(name: str) -> str:
    """Where the record ``name`` lies."""
    return f".gitmem/{name}.age"


def read(store: Store, name: str, at: str = "") -> Record:
    """The record as of the verified tip, or of the verified commit ``at``; empty when there is none.

    Raises:
        TamperedError: it does not open, or belongs at another path.
    """
    sealed = store.repo.file(at or store.tip(), path_of(name))
    if sealed is None:
        return {}
    try:
        record = json.loads(store.vault.open(sealed))
    except (ValueError, InvalidMemoryError):
        record = None
    if not isinstance(record, dict) or record.pop("path", "") != path_of(name):
        raise TamperedError(
            f"The vault's record {path_of(name)} is not what it says.", "Nothing of it was used."
        )
    return record


def change(store: Store, name: str, record: Record, at: str = "") -> Changes:
    """What a commit on the verified tip (or on ``at``) must change so that it holds ``record``.

    Nothing when it already does; an empty record removes the file.
    """
    if record == read(store, name, at):
        return {}
    if not record:
        return {path_of(name): None}
    content = json.dumps({"path": path_of(name), **record}, sort_keys=True, separators=(",", ":"))
    return {path_of(name): (BLOB_MODE, store.repo.objects.write("blob", store.vault.seal(content.encode())))}


def keep(store: Store, name: str, record: Record, subject: str) -> str:
    """Commit ``record`` by itself; the commit's id, "" when it was there already."""
    return store.trunk.grow(lambda tip: change(store, name, record, tip), subject)

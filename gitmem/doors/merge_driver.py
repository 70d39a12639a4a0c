"""What git calls to merge one sealed file: as documents, in memory. The next gitmem command seals it."""

from __future__ import annotations

import os

from gitmem import app
from gitmem.errors import GitmemError
from gitmem.memory import document
from gitmem.memory.memory import Memory
from gitmem.memory.merge import merge
from gitmem.vault.vault import MAX_SEALED, Vault


def main(arguments: list[str]) -> int:
    """``gitmem merge-driver VAULT-ID BASE OURS THEIRS``: writes the merged file to OURS.

    Returns the exit status that git wants: 0, or 1 to leave a conflict.
    """
    try:
        vault_id, base, ours, theirs = arguments
        vault = Vault(app.identity_of(vault_id, os.devnull), vault_id)
        sides = [_read(vault, path) for path in (base, ours, theirs)]
        if sides[1] is None or sides[2] is None:
            return 1
        merged = merge(sides[0], sides[1], sides[2]).memory
        with open(ours, "wb") as file:
            file.write(vault.seal(document.dump(merged)))
    except (GitmemError, OSError, ValueError):
        return 1
    return 0


def _read(vault: Vault, path: str) -> Memory | None:
    with open(path, "rb") as file:
        sealed = file.read(MAX_SEALED + 1)
    return document.load(vault.open(sealed)) if sealed else None

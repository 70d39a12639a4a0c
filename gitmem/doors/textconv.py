"""What git calls to show a sealed file in log, diff and blame.

It never fails and never asks: one bad file must not blind the history.
"""

from __future__ import annotations

import os
import sys

from gitmem import app
from gitmem.errors import GitmemError, TamperedError
from gitmem.memory.text import visible
from gitmem.vault.vault import MAX_SEALED, Vault


def main(arguments: list[str]) -> int:
    """``gitmem textconv VAULT-ID FILE``: prints the document, or one line that says why not; returns 0."""
    out = sys.stdout.buffer
    try:
        vault_id, path = arguments
        with open(path, "rb") as file:
            sealed = file.read(MAX_SEALED + 1)
        text = _opened(sealed, vault_id).decode("utf-8", "replace")
        out.write(visible(text.rstrip("\n") + "\n").encode())
    except GitmemError as error:
        out.write(f"(not readable: {error.message})\n".encode())
    except (OSError, ValueError) as error:
        out.write(f"(not readable: {type(error).__name__})\n".encode())
    return 0


def _opened(sealed: bytes, vault_id: str) -> bytes:
    try:
        return Vault(app.identity_of(vault_id, os.devnull), vault_id).open(sealed)
    except TamperedError:
        from gitmem.flows import keyring

        for old in keyring.kept(vault_id).values():  # what lies under a rekey
            try:
                return Vault(old, vault_id).open(sealed)
            except TamperedError:
                continue
        raise

"""What a vault says of itself in clear, ``.gitmem/vault.toml``: its format, its id, and which key it has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitmem.errors import ConfigError, NotSetUpError

if TYPE_CHECKING:
    from gitmem.vault.vault import Vault

FORMAT = 1
VAULT_FILE = ".gitmem/vault.toml"
SLOT_FILE = ".gitmem/key.age"
_TOML = r'format = (\d+)\nid = "([0-9a-f]{32})"\nfingerprint = "([0-9a-f]{16})"\n'


def describe(vault: Vault) -> bytes:
    """The content of ``.gitmem/vault.toml``."""
    return f'format = {FORMAT}\nid = "{vault.id}"\nfingerprint = "{vault.fingerprint}"\n'.encode()


def labels(content: bytes | None) -> tuple[str, str]:
    """Vault id and fingerprint from a ``vault.toml``; before it is verified they only choose the key.

    Raises:
        NotSetUpError: there is no such file.
        ConfigError: it is of a format that this version does not know.
    """
    if content is None:
        raise NotSetUpError(
            "That repository is not a gitmem vault.", "`gitmem init DIR` makes one; `gitmem join` brings one."
        )
    found = re.fullmatch(_TOML, content.decode("utf-8", "replace").replace("\r\n", "\n"))
    if not found or int(found[1]) != FORMAT:
        raise ConfigError(
            "This vault is of a format that this gitmem does not know.", "Nothing was changed; update gitmem."
        )
    return found[2], found[3]

"""The join code of an open vault."""

from __future__ import annotations

from gitmem.errors import ConfigError
from gitmem.store import Store
from gitmem.vault.joincode import JoinCode, encode


def invitation(store: Store, token: str = "") -> str:
    """One line that brings this vault to another device; it holds the key.

    The floor is the newest commit that the remote is known to have: the new device refuses older ones.

    Raises:
        ConfigError: the vault has no remote, or the remote has never had the vault.
    """
    if not store.remote:
        raise ConfigError(
            "This vault has no remote, so another device has nowhere to fetch it from.",
            "In the vault's folder run `git remote add origin URL`, then `gitmem sync`.",
        )
    if not store.trunk.remembered:
        raise ConfigError(
            "The remote does not have this vault yet, so a join code would lead nowhere.",
            "Run `gitmem sync` first.",
        )
    code = JoinCode(
        remote=store.remote,
        branch=store.branch.removeprefix("refs/heads/"),
        vault_id=store.vault.id,
        identity_text=store.vault.identity.text,
        floor=store.trunk.remembered,
        token=token,
    )
    return encode(code)

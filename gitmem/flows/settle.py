"""A vault settles on this machine: it is made or joined, and its key, token and place are noted."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from gitmem import config
from gitmem.errors import ConfigError, GitmemError
from gitmem.flows import create as creating
from gitmem.flows import join as joining
from gitmem.flows import keyring
from gitmem.flows.keyring import keep_key
from gitmem.flows.sync import sync
from gitmem.repo.remote import Access
from gitmem.store import Store, Tell
from gitmem.vault import joincode
from gitmem.vault.joincode import JoinCode
from gitmem.vault.keys import Identity, fingerprint


@dataclass(frozen=True, slots=True)
class Settled:
    """A vault that is ready on this machine: where it lies, its tip, and where its key is.

    ``renewed`` is True where it was here already and only follows a rekey now.
    """

    path: str
    vault_id: str
    commit: str
    key_path: str
    renewed: bool = False


def restore_key(open_with: Callable[[Identity], Store], text: str) -> str:
    """Keeps a key that was typed or read from a backup, once it has opened the vault; the path of its file.

    Raises:
        ConfigError: that is no key.
        WrongKeyError: it is the key of another vault.
    """
    identity = Identity.parse(text)
    return keep_key(open_with(identity).vault.id, identity)


def drop_key(store: Store) -> str:
    """Removes the key file of a vault from this machine and returns its path."""
    path = config.key_path(store.vault.id)
    config.remove(path)
    return path


def create(directory: str, remote: str, identity: Identity, *, bare: bool = False) -> Settled:
    """Makes a vault for that key, which is noted on this machine before anything is sealed with it.

    Raises:
        GitmemError: the folder cannot become a vault, or the remote refuses.
    """
    vault_id = os.urandom(16).hex()
    plan = creating.Plan(
        directory=os.path.realpath(os.path.expanduser(directory)),
        vault_id=vault_id,
        state_dir=config.state_dir(),
        identity=identity,
        remote=remote,
        bare=bare,
        author=(str(config.get("author.name")), str(config.get("author.email"))),
    )
    key = keep_key(vault_id, identity)  # before anything is sealed with it
    try:
        made = creating.create(plan)
    except GitmemError:
        config.remove(key)
        raise
    config.remember(vault_id, made.path)
    return Settled(made.path, vault_id, made.commit, key)


def join(
    text: str,
    directory: str = "",
    *,
    sparse: bool = False,
    progress: Tell | None = None,
    way: Callable[[str, str], Access] | None = None,
    open_store: Callable[[str], Store] | None = None,
) -> Settled:
    """Clones the vault of a join code and verifies it; without a folder into one named as the remote.

    A vault that this machine has already, with an older key, takes the new key over in its place instead.

    Args:
        way: finds how git is let in, from the address of the remote and the token in the code.
        open_store: opens the vault at a path with the key that this machine has for it.

    Raises:
        ConfigError: that is no join code.
        GitmemError: the remote cannot be reached, or what it gives was tampered with.
    """
    code = joincode.decode(text)
    here = _outdated(code, directory)
    if here and open_store:
        return _renewed(code, open_store(here), progress)
    name = code.remote.rstrip("/").rpartition("/")[2].rpartition(":")[2].removesuffix(".git") or "memory"
    place = os.path.realpath(os.path.expanduser(directory or name))
    joined = joining.join(
        code,
        place,
        config.state_dir(),
        sparse=sparse,
        progress=progress,
        way=way(code.remote, code.token) if way else None,
    )
    key = keep_key(joined.vault_id, Identity.parse(code.identity_text))
    if code.token:
        config.write_private(config.token_path(joined.vault_id), code.token + "\n")
    config.remember(joined.vault_id, joined.path)
    return Settled(joined.path, joined.vault_id, joined.tip, key)


def _outdated(code: JoinCode, directory: str) -> str:
    """Where this machine has the vault of that code with another key, if that is the folder meant; or ""."""
    here = config.vaults().get(code.vault_id, "")
    asked = os.path.realpath(os.path.expanduser(directory)) if directory else here
    if not os.path.isdir(here) or asked != here:
        return ""
    has = keyring.mark_at(here)
    return here if has and has != fingerprint(Identity.parse(code.identity_text), code.vault_id) else ""


def _renewed(code: JoinCode, store: Store, progress: Tell | None) -> Settled:
    """The vault here follows a rekey by the key in the code, and its unpushed commits with it."""
    identity, before = Identity.parse(code.identity_text), store.vault.fingerprint
    keyring.keep_other(code.vault_id, identity)
    try:
        sync(store, progress)
        if store.vault.fingerprint == before:
            raise ConfigError(
                "The key in that join code is not the one that the vault on the remote has.",
                "Nothing was changed; `gitmem invite` on a device that is up to date prints a new code.",
            )
    finally:
        if store.vault.fingerprint == before:
            keyring.drop_other(code.vault_id, identity)
    store.trunk.judge(store.tip(), code.floor)
    key = keyring.take_over(code.vault_id, identity)
    if code.token:
        config.write_private(config.token_path(code.vault_id), code.token + "\n")
    return Settled(store.path, code.vault_id, store.tip(), key, renewed=True)

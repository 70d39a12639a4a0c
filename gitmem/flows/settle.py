"""A vault settles on this machine: it is made or joined, and its key, token and place are noted."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from gitmem import config
from gitmem.errors import GitmemError
from gitmem.flows import create as creating
from gitmem.flows import join as joining
from gitmem.flows.keyring import keep_key
from gitmem.repo.remote import Access
from gitmem.store import Store, Tell
from gitmem.vault import joincode
from gitmem.vault.keys import Identity


@dataclass(frozen=True, slots=True)
class Settled:
    """A vault that is ready on this machine: where it lies, its tip, and where its key is."""

    path: str
    vault_id: str
    commit: str
    key_path: str


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
) -> Settled:
    """Clones the vault of a join code and verifies it; without a folder into one named as the remote.

    ``way`` finds how git is let in, from the address of the remote and the token in the code.

    Raises:
        ConfigError: that is no join code.
        GitmemError: the remote cannot be reached, or what it gives was tampered with.
    """
    code = joincode.decode(text)
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

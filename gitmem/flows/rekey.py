"""A new key for the vault: its tip sealed anew, the old key retired (commit-seals.md section 7)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmem import config
from gitmem.errors import ConfigError, GitmemError, RemoteError
from gitmem.flows import keyring, records
from gitmem.flows.adopt import adopt
from gitmem.flows.github import actions
from gitmem.flows.home import home, refuse_other
from gitmem.flows.reseal import OWN, opened
from gitmem.flows.sync import sync
from gitmem.repo.objects import MAX_BLOB
from gitmem.repo.repo import Draft
from gitmem.repo.trees import BLOB_MODE, PROTECTED, Changes, differences
from gitmem.store import Store, Tell
from gitmem.vault import slot
from gitmem.vault.description import SLOT_FILE, VAULT_FILE, describe
from gitmem.vault.keys import Identity
from gitmem.vault.vault import Vault

if TYPE_CHECKING:
    from gitmem.github.client import GitHub

Progress = Callable[[int, int], None]  # done, total
GITHUB = "github"  # the record that says in which repository the vault's jobs run
_TRIES = 10
_ANCHOR = ("Gitmem-Anchor: rekey",)
_KEPT = "Nothing was changed."


@dataclass(frozen=True, slots=True)
class Scope:
    """What a rekey will touch: numbers of files, the remote, and where jobs have the key ("" for nowhere)."""

    memories: int
    records: int
    has_slot: bool
    remote: str
    repository: str


@dataclass(frozen=True, slots=True)
class Jobs:
    """The repository whose jobs had the key ("" for none), and why they do not have the new one, if so."""

    repository: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """What a rekey did: the tip, where the new key lies ("" for only in the vault), and the slot's fate.

    ``finished`` is True where an earlier rekey had reached the remote and only its rest was left.
    """

    tip: str
    key_path: str
    slot: str
    finished: bool = False


def scope(store: Store, source: str) -> Scope:
    """What a rekey of this vault touches.

    Args:
        source: where the key comes from here, as ``app.key_source`` says.

    Raises:
        ConfigError: the new key could not be kept on this machine.
    """
    if source in config.SECRET_VARIABLES:
        raise ConfigError(
            f"The key comes from {source} here, which would still hold the old one afterwards.",
            f"{_KEPT} Run it where the key lies in a file: `gitmem key restore` puts it there, then unset "
            f"{source}.",
        )
    tree = store.repo.tree(store.tip())
    sealed = [path for path in _files(store, tree) if path.endswith(".age") and path not in OWN]
    memories = sum(path.startswith(f"{PROTECTED[0]}/") for path in sealed)
    has_slot = store.repo.file(store.tip(), SLOT_FILE) is not None
    repository = str(records.read(store, GITHUB).get("repository", ""))
    return Scope(memories, len(sealed) - memories, has_slot, store.repo.remote.shown, repository)


def rekey(store: Store, passphrase: str, tell: Tell, step: Progress | None = None) -> Rekeyed:
    """Give the vault a new key; the store goes on with it. Safe to interrupt and to run again.

    Args:
        passphrase: for the locked copy of the key, if the vault has one; "" takes that copy out.
        tell: called with a word on what is being done.
        step: called with the files done and their number.

    Raises:
        ConfigError: the key lies only in the vault, locked, and there is no passphrase for the new one.
        TamperedError: one of the files does not open, or one of the sides is refused.
        RemoteError: the remote cannot be reached; the old key stays.
    """
    before, has_file = store.vault.fingerprint, os.path.exists(config.key_path(store.vault.id))
    with store.repo.sync_lock:
        if store.remote:
            sync(store, tell)
        if store.vault.fingerprint != before:
            return _ended(store, has_file, "", finished=True)
        if not passphrase and not has_file:
            raise ConfigError(
                "The key of this vault lies only in it, locked, and the new one needs a passphrase.",
                f"{_KEPT} Run it in a terminal.",
            )
        fate = ("locked" if passphrase else "removed") if _slot_of(store) else ""
        identity = Identity.generate()
        keyring.keep_other(store.vault.id, identity)  # before anything is sealed with it
        _replace(store, identity, passphrase, tell, step)
        return _ended(store, has_file, fate)


def renew_jobs(store: Store, connect: Callable[[], GitHub]) -> Jobs:
    """Gives the vault's jobs on GitHub the new key where they had the old one.

    ``connect`` gives GitHub with the owner's token; it is called when the vault is known to lie there.
    """
    name = str(records.read(store, GITHUB).get("repository", ""))
    if not name:
        return Jobs()
    try:
        hub = connect()
        refuse_other(hub, home(store))
        if actions.JOIN not in actions.secrets(hub, name):
            return Jobs()
        actions.give_key(hub, store, name)
    except GitmemError as error:
        return Jobs(name, error.message)
    return Jobs(name)


def _replace(store: Store, identity: Identity, secret: str, tell: Tell, step: Progress | None) -> None:
    """Seal everything anew, offer it to the remote, and move there; again when somebody pushed meanwhile."""
    new = Vault(identity, store.vault.id)
    for attempt in range(_TRIES):
        if not store.remote:
            with store.repo.lock:
                store.repo.tidy(store.branch)
                tip = store.tip()
                adopt(store, _anchor_or_undo(store, tip, new, secret, tell, step), tip)
            return
        tip = sync(store, tell).tip if attempt else store.trunk.state.remote
        anchor = _anchor_or_undo(store, tip, new, secret, tell, step)
        tell("pushing")
        with store.repo.guard(store.branch):
            pushed = store.repo.remote.push(anchor, store.branch)
        if pushed:
            with store.repo.lock:
                store.repo.tidy(store.branch)
                adopt(store, anchor, store.tip())
                store.trunk.note(remote=anchor, synced=store.now())
            if store.tip() != anchor:
                sync(store, tell)
            return
    keyring.drop_other(store.vault.id, identity)
    raise RemoteError("The remote kept moving while gitmem was pushing.", f"{_KEPT} Try again.")


def _anchor_or_undo(
    store: Store, tip: str, new: Vault, secret: str, tell: Tell, step: Progress | None
) -> str:
    """``_anchor``; a key for which there is none is not kept. Once offered to a remote, it always is."""
    try:
        return _anchor(store, tip, new, secret, tell, step)
    except BaseException:
        keyring.drop_other(store.vault.id, new.identity)
        raise


def _anchor(store: Store, tip: str, new: Vault, secret: str, tell: Tell, step: Progress | None) -> str:
    """The anchor on ``tip``, sealed with the new key like every file in it, and verified; no ref moves."""
    tell("sealing anew")
    objects, tree = store.repo.objects, store.repo.tree(tip)
    sealed = {
        path: oid for path, oid in _files(store, tree).items() if path.endswith(".age") and path not in OWN
    }
    changes: Changes = {VAULT_FILE: (BLOB_MODE, objects.write("blob", describe(new)))}
    for done, (path, content) in enumerate(
        zip(sealed, objects.read_many(sealed.values(), MAX_BLOB), strict=True)
    ):
        again = new.seal(opened(path, content, (store.vault,)))
        changes[path] = (BLOB_MODE, objects.write("blob", again))
        if step and done % 50 == 0:
            step(done, len(sealed))
    if _slot_of(store):
        locked = slot.lock(new.identity, new.id, secret) if secret else b""
        changes[SLOT_FILE] = (BLOB_MODE, objects.write("blob", locked)) if locked else None
    if step:
        step(len(sealed), len(sealed))
    anchor = store.repo.write(Draft((tip,), tree, changes, "rekey", _ANCHOR), int(time.time()), new.sign)
    objects.flush()
    store.repo.history(new.read_seal).verify(anchor, tip)
    return anchor


def _ended(store: Store, has_file: bool, fate: str, *, finished: bool = False) -> Rekeyed:
    """The end of it: a key that was only in the vault, locked, is only there again."""
    if not has_file:
        keyring.drop_other(store.vault.id, store.vault.identity)
    path = config.key_path(store.vault.id) if has_file else ""
    return Rekeyed(store.tip(), path, fate, finished)


def _slot_of(store: Store) -> bytes | None:
    return store.repo.file(store.tip(), SLOT_FILE)


def _files(store: Store, tree: str) -> dict[str, str]:
    """The vault's own files in a tree: path → blob id."""
    return {
        change.path: change.new.oid
        for top in PROTECTED
        for change in differences(store.repo.objects, "", tree, top=top.encode())
        if change.new is not None and change.new.mode == BLOB_MODE
    }

"""The composition root: finds the vault and its key, and puts the store together.

With ``config`` and the doors it is the only place that reads the environment.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmem import config
from gitmem.errors import ConfigError, LockedError, NotSetUpError
from gitmem.memory import ids
from gitmem.store import Store
from gitmem.vault.keys import Identity

if TYPE_CHECKING:
    from gitmem.vault.joincode import JoinCode

Ask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who writes: the trust and the session that new memories get."""

    trust: str
    session: str


def origin() -> Origin:
    """A person at a terminal, unless Claude Code says in the environment that it runs this command."""
    if os.environ.get("CLAUDECODE") != "1":
        return Origin("self", "")
    session = os.environ.get("CLAUDE_CODE_SESSION_ID") or os.environ.get("CLAUDE_SESSION_ID") or ""
    return Origin("assistant", session)


def now() -> str:
    """The time of this moment, as memories carry it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def new_id() -> str:
    """A fresh memory id of this moment."""
    return ids.new_id(time.time_ns() // 1_000_000)


# Which vault.


def find(vault: str = "") -> str:
    """The path of the vault to use: the one named, the working folder's, the default, or the only one.

    A vault found through the working folder counts only if this machine made or joined it. With a join
    code in the environment its vault is cloned on first use.

    Raises:
        NotSetUpError: there is none, or several and none is preferred.
        ConfigError: a settings file or the join code is broken.
    """
    named = vault or os.environ.get("GITMEM_VAULT", "")
    known = config.vaults()
    if named:
        return _named(named, known)
    found = _around(known) or _invited(known) or str(config.get("vault.default"))
    if not found and len(known) > 1:
        raise NotSetUpError(
            f"This machine knows {len(known)} vaults, and none is the default.",
            "Name one with --vault PATH, or `gitmem config set vault.default PATH`.",
        )
    found = found or next(iter(known.values()), "")
    if not found:
        raise NotSetUpError(
            "There is no vault on this machine.", "`gitmem init` makes one; `gitmem join` brings one."
        )
    return _present(found)


def _named(path: str, known: dict[str, str]) -> str:
    path = os.path.realpath(os.path.expanduser(path))
    return _above(path, known) or _present(path)


def _present(path: str) -> str:
    if not os.path.isdir(path):
        raise NotSetUpError(
            f"There is no vault at {path}.", "If it was moved, name its new place with --vault PATH."
        )
    return path


def _around(known: dict[str, str]) -> str:
    try:
        return _above(os.path.realpath(os.getcwd()), known)
    except OSError:  # the working folder was deleted
        return ""


def _above(folder: str, known: dict[str, str]) -> str:
    places = set(known.values())
    while folder not in places:
        parent = os.path.dirname(folder)
        if parent == folder:
            return ""
        folder = parent
    return folder


def _invited(known: dict[str, str]) -> str:
    text = os.environ.get("GITMEM_JOIN", "")
    if not text:
        return ""
    from gitmem.vault import joincode

    code = joincode.decode(text)
    return known.get(code.vault_id) or _clone(code)


def _clone(code: JoinCode) -> str:
    # Several commands may start at once in a fresh container: one clones, the others wait for it.
    from gitmem.flows import join

    with config.hold(f"join-{code.vault_id}"):
        known = config.vaults()
        if code.vault_id in known:
            return known[code.vault_id]
        place = os.path.join(config.data_dir(), "vaults", code.vault_id)
        if not os.path.isdir(place):
            join.join(code, place, sparse=True)
        config.remember(code.vault_id, place)
        return place


# Which key.


def identity_of(vault_id: str, path: str, ask: Ask | None = None) -> Identity:
    """The key of that vault: GITMEM_KEY, GITMEM_JOIN, the key file, or the passphrase slot, in that order.

    Raises:
        ConfigError: there is none, or it is malformed.
        LockedError: a passphrase is needed and nobody is there to type it.
        WrongKeyError: the passphrase is wrong.
    """
    given = os.environ.get("GITMEM_KEY", "") or _invited_key(vault_id) or _key_file(vault_id)
    if given:
        return Identity.parse(given)
    return _unlocked(path, ask)


def _invited_key(vault_id: str) -> str:
    text = os.environ.get("GITMEM_JOIN", "")
    if not text:
        return ""
    from gitmem.vault import joincode

    code = joincode.decode(text)
    return code.identity_text if code.vault_id == vault_id else ""


def _key_file(vault_id: str) -> str:
    path = config.key_path(vault_id)
    text = config.read_private(path)
    if text is not None and config.is_shared(path):
        config.make_private(path)
        _say(f"others on this machine could read {path}; its mode is now 0600.")
    return text or ""


def _unlocked(path: str, ask: Ask | None) -> Identity:
    from gitmem.vault import slot

    sealed = Store.slot_at(path)
    if not sealed:
        raise ConfigError(
            "The key of this vault is not on this machine.",
            "Nothing is lost: `gitmem key restore` brings it back from your backup, or set GITMEM_KEY.",
        )
    if ask is None:
        raise LockedError(
            "This vault is locked with a passphrase, and there is no terminal to ask for it.",
            "Run gitmem in a terminal, or set GITMEM_KEY.",
        )
    return slot.unlock(sealed, ask("Passphrase of the vault"))


def keep_key(vault_id: str, identity: Identity) -> str:
    """Writes the key file of a vault (never its recipient) and returns its path."""
    path = config.key_path(vault_id)
    lines = (
        f"# The key of the gitmem vault {vault_id}. Whoever has it can read and change every memory.",
        "# Any age program opens the memories with it: age -d -i THIS-FILE MEMORY.md.age",
        identity.text,
    )
    config.write_private(path, "\n".join(lines) + "\n")
    return path


# The store.


def open_store(vault: str = "", ask: Ask | None = None) -> Store:
    """Opens the vault that :func:`find` finds, verified; ``ask`` is called when a passphrase is needed.

    Raises:
        GitmemError: no vault, no key, the wrong key, or a history that was tampered with.
    """
    return _opened(find(vault), ask)


def _opened(path: str, ask: Ask | None) -> Store:
    return Store.open(
        path,
        identity=lambda vault_id: identity_of(vault_id, path, ask),
        author=(str(config.get("author.name")), str(config.get("author.email"))),
        now=now,
        new_id=new_id,
        state_dir=config.state_dir(),
    )


def default_project(vault: str) -> str:
    """The project of the working folder, or "" (see :mod:`gitmem.flows.project`)."""
    from gitmem.flows.project import project_of

    try:
        return project_of(os.getcwd(), os.path.expanduser("~"), vault)
    except OSError:
        return ""


# Pushing behind the user's back.


def push_later(store: Store) -> None:
    """Starts a detached sync when the vault has a remote and ``sync.auto`` is on; costs nothing else."""
    if not store.remote or not config.get("sync.auto"):
        return
    from gitmem.repo import git

    # -P: a file named like one of our modules in the working folder must not be run.
    arguments = [sys.executable, "-P", "-m", "gitmem", "--vault", store.path, "sync", "--background"]
    git.spawn_detached(arguments, dict(os.environ))


@contextmanager
def one_push(store: Store) -> Iterator[bool]:
    """Holds the one place of a background push; False when one runs and another one already waits.

    The one that waits starts after every write made so far, so nothing stays behind and nothing piles up.
    """
    with config.hold(f"next-push-{store.vault.id}", wait=False) as mine:
        if not mine:
            yield False
            return
        with config.hold(f"push-{store.vault.id}"):
            yield True


def _say(text: str) -> None:
    sys.stderr.write(f"gitmem: {text}\n")

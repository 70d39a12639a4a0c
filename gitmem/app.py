"""The composition root: finds the vault and its key, and puts the store together.

With ``config`` and the doors it is the only place that reads the environment.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from gitmem import config
from gitmem.errors import ConfigError, LockedError, NotSetUpError
from gitmem.memory import ids
from gitmem.vault.keys import Identity

if TYPE_CHECKING:  # git's textconv wants a key from here, and no store
    from gitmem.branch import Branch
    from gitmem.index.embedder import Embedder
    from gitmem.store import Store
    from gitmem.vault.joincode import JoinCode

Ask = Callable[[str], str]


class Origin(NamedTuple):
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
    """The path of the vault to use, chosen as docs/settings.md says ("Which vault").

    A vault found through the working folder counts only if this machine made or joined it. The one of a
    join code in the environment is cloned on first use.

    Raises:
        NotSetUpError: there is none, or several and none is preferred.
        ConfigError: a settings file or the join code is broken.
    """
    named = vault or os.environ.get("GITMEM_VAULT", "")
    known = config.vaults()
    if named:
        return _named(named, known)
    found = config.above(_here(), known) or _invited(known) or str(config.get("vault.default"))
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


def has_vault(vault: str = "") -> bool:
    """Whether there is anything for :func:`find` to find: a named vault, a known one, or a join code."""
    named = vault or os.environ.get("GITMEM_VAULT") or os.environ.get("GITMEM_JOIN")
    return bool(named or config.vaults() or config.get("vault.default"))


def _named(path: str, known: dict[str, str]) -> str:
    path = os.path.realpath(os.path.expanduser(path))
    return _present(config.above(path, known) or path)


def _present(path: str) -> str:
    if not os.path.isdir(path):
        raise NotSetUpError(
            f"There is no vault at {path}.", "If it was moved, name its new place with --vault PATH."
        )
    return path


def _here() -> str:
    try:
        return os.path.realpath(os.getcwd())
    except OSError:  # the working folder was deleted
        return ""


def _invited(known: dict[str, str]) -> str:
    code = _code()
    if code is None:
        return ""
    from gitmem import connect

    return known.get(code.vault_id) or connect.clone(code)


def _code() -> JoinCode | None:
    text = os.environ.get("GITMEM_JOIN", "")
    if not text:
        return None
    from gitmem.vault import joincode

    return joincode.decode(text)


# Which key.


class KeySource(NamedTuple):
    """Where a key comes from: a variable, a file or the passphrase slot, and its path if it has one."""

    source: str
    path: str


def identity_of(vault_id: str, path: str, ask: Ask | None = None) -> Identity:
    """The key of that vault: GITMEM_KEY, GITMEM_JOIN, the key file, or the passphrase slot, in that order.

    Raises:
        ConfigError: there is none, or it is malformed.
        LockedError: a passphrase is needed and nobody is there to type it.
        WrongKeyError: the passphrase is wrong.
    """
    given = os.environ.get("GITMEM_KEY", "") or _invited_key(vault_id) or _key_file(vault_id, path)
    return Identity.parse(given) if given else _unlocked(vault_id, path, ask)


def key_source(vault: str = "") -> KeySource:
    """Where the key of the vault that :func:`find` finds comes from; nothing is opened."""
    from gitmem.store import Store

    path = find(vault)
    vault_id = Store.id_at(path)
    if os.environ.get("GITMEM_KEY"):
        return KeySource("GITMEM_KEY", "")
    if _invited_key(vault_id):
        return KeySource("GITMEM_JOIN", "")
    if os.path.exists(config.key_path(vault_id)):
        return KeySource("key file", config.key_path(vault_id))
    return KeySource("passphrase" if Store.slot_at(path) else "none", "")


def _invited_key(vault_id: str) -> str:
    code = _code()
    return code.identity_text if code and code.vault_id == vault_id else ""


def _key_file(vault_id: str, place: str) -> str:
    path = config.key_path(vault_id)
    if config.other_keys(vault_id) and os.path.isdir(place):
        from gitmem.flows import keyring

        path = keyring.key_file(vault_id, place)
    text = config.read_private(path)
    if text is not None and config.is_shared(path):
        config.make_private(path)
        _tell(f"others on this machine could read {path}; its mode is now 0600.")
    return text or ""


def _unlocked(vault_id: str, path: str, ask: Ask | None) -> Identity:
    from gitmem.store import Store

    sealed = Store.slot_at(path) if os.path.isdir(path) else None
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
    from gitmem.vault import slot

    return slot.unlock(sealed, ask("Passphrase of the vault"), vault_id)


# The store.


def open_store(vault: str = "", ask: Ask | None = None) -> Store:
    """Opens the vault that :func:`find` finds; ``ask`` is called when a passphrase is needed.

    Raises:
        GitmemError: there is no vault, no key, or the wrong one.
    """
    path = find(vault)
    return _opened(path, lambda vault_id: identity_of(vault_id, path, ask))


def open_with(vault: str, identity: Identity) -> Store:
    """The same with a key that was just typed, whatever key lies on this machine."""
    return _opened(find(vault), lambda _: identity)


def _opened(path: str, identity: Callable[[str], Identity]) -> Store:
    from gitmem.flows import keyring
    from gitmem.store import Store

    store = Store.open(
        path,
        identity=identity,
        author=(str(config.get("author.name")), str(config.get("author.email"))),
        now=now,
        new_id=new_id,
        state_dir=config.state_dir(),
    )
    store.trunk.remerge = partial(_remerge, store)
    store.trunk.keys = partial(keyring.kept, store.vault.id)
    store.trunk.tell = _tell
    store.repo.remote.access = partial(_access, store)
    return store


def _tell(line: str) -> None:
    sys.stderr.write(f"gitmem: {line}\n")


def _remerge(store: Store, branch: Branch, tip: str) -> str:
    from gitmem.flows import reconcile  # only a vault in which somebody merged by hand needs it

    return reconcile.remerge(store, branch, tip)


def _access(store: Store, refused: bool) -> Mapping[str, str]:
    from gitmem import connect  # only once the remote is reached

    code, path = _code(), config.token_path(store.vault.id)
    given = code.token if code and code.vault_id == store.vault.id else None
    token = given if given is not None else (config.read_private(path) or "").strip()
    return connect.git_access(store.remote, token)(refused)


def default_project(vault: str) -> str:
    """The project of the working folder, "" for none (see :mod:`gitmem.flows.project`)."""
    from gitmem.flows.project import project_of

    return project_of(_here(), os.path.expanduser("~"), vault)


def embedder() -> Embedder | None:
    """The model of this machine, loaded when it is first used; None without one (search.semantic)."""
    folder = config.model_dir()
    if not os.path.isdir(folder) or config.get("search.semantic") == "off":
        return None
    from gitmem.index.minilm import Installed

    return Installed(folder)


# What runs behind the user's back.


def push_later(store: Store) -> None:
    """Starts a detached sync (``sync.auto``), also to pack what is due and to wait for git's busy index."""
    tend = store.repo.unfinished or store.repo.objects.crowded or store.trunk.state.purged
    if tend or (store.remote and config.get("sync.auto")):
        _start(store, "sync")


def embed_later(store: Store) -> None:
    """Starts a detached filling when memories wait for vectors, unless it would ask for a passphrase."""
    if store.embedder is not None:
        from gitmem.flows import embedding

        if embedding.lacks(store, store.embedder) and key_source(store.path).source != "passphrase":
            _start(store, "index")


def _start(store: Store, verb: str) -> None:
    from gitmem.repo import git

    # -P: a file named like one of our modules in the working folder must not be run.
    arguments = [sys.executable, "-P", "-m", "gitmem", "--vault", store.path, verb, "--background"]
    git.spawn_detached(arguments, dict(os.environ))

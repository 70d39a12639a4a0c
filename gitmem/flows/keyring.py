"""The keys of a vault on this machine: the one in use, retired ones, and one that is about to take over."""

from __future__ import annotations

from collections.abc import Mapping

from gitmem import config
from gitmem.errors import ConfigError
from gitmem.repo.repo import Repo
from gitmem.repo.state import StateFile, arrived
from gitmem.vault.keys import Identity, fingerprint

_INTRO = (
    "# The key of the gitmem vault {}. Whoever has it can read and change every memory.",
    "# Any age program opens the memories with it: age -d -i THIS-FILE MEMORY.md.age",
)
_OTHER = (
    "# A further key of the gitmem vault {}: an old one, which opens what was sealed before a",
    "# `gitmem rekey`, or a new one that is about to take over.",
)


def keep_key(vault_id: str, identity: Identity) -> str:
    """Writes the key file of a vault (never its recipient) and returns its path.

    Another key that lay there is kept beside it: no key is ever lost.
    """
    path = config.key_path(vault_id)
    before = config.read_private(path)
    if before is not None and (former := _parsed(before)) not in (None, identity):
        keep_other(vault_id, former)
    _write(path, _INTRO, vault_id, identity)
    return path


def keep_other(vault_id: str, identity: Identity | None) -> None:
    """Keeps a further key of the vault on this machine, mode 0600."""
    if identity is not None:
        _write(config.other_key_path(vault_id, fingerprint(identity, vault_id)), _OTHER, vault_id, identity)


def drop_other(vault_id: str, identity: Identity) -> None:
    """Removes the extra copy of a key."""
    config.remove(config.other_key_path(vault_id, fingerprint(identity, vault_id)))


def kept(vault_id: str) -> Mapping[str, Identity]:
    """The further keys of the vault that this machine keeps, by fingerprint."""
    paths = config.other_keys(vault_id)
    read = {mark: _parsed(config.read_private(path) or "") for mark, path in paths.items()}
    return {
        mark: identity
        for mark, identity in read.items()
        if identity and fingerprint(identity, vault_id) == mark
    }


def take_over(vault_id: str, identity: Identity) -> str:
    """Makes a key that is kept already the one in use, and retires the former one; the key file's path."""
    path = keep_key(vault_id, identity)
    drop_other(vault_id, identity)
    return path


def mark_at(place: str) -> str:
    """The fingerprint of the key that the vault at ``place`` has, as far as this device knows; or ""."""
    repo = Repo.open(place)
    return arrived(repo, StateFile(repo.folder, "").read()).fingerprint


def key_file(vault_id: str, place: str) -> str:
    """The path of the key file for the vault at ``place``, after the rest of a cut-off change of keys."""
    path, others = config.key_path(vault_id), config.other_keys(vault_id)
    if not others:
        return path
    mark = mark_at(place)
    identity = kept(vault_id).get(mark)
    current = _parsed(config.read_private(path) or "")
    if identity is None or current is None or fingerprint(current, vault_id) == mark:
        return others[mark] if identity and current is None else path
    return take_over(vault_id, identity)


def _write(path: str, intro: tuple[str, ...], vault_id: str, identity: Identity) -> None:
    lines = [line.format(vault_id) for line in intro]
    config.write_private(path, "\n".join([*lines, identity.text]) + "\n")


def _parsed(text: str) -> Identity | None:
    try:
        return Identity.parse(text)
    except ConfigError:
        return None

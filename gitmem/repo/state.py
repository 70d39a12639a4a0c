"""What this device has accepted of a vault: a file, never a ref, which a mirror clone would take over."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from gitmem.repo.places import read_text

if TYPE_CHECKING:
    from gitmem.repo.repo import Repo

_OID = r"(?:[0-9a-f]{40})?"
_SOUND = rf"[0-9a-f]{{32}}\0refs/heads/[^\0]+\0{_OID}\0{_OID}\0[0-9a-f]{{16}}"  # the fields up to ``synced``


class State(NamedTuple):
    """The last verified tips (commit-seals.md section 6).

    ``fingerprint`` tells a wrong key without reading the repository; ``synced`` is when the remote was last
    met; ``coming`` is a key's fingerprint and the commit with which it is about to take over; ``purged`` is
    the purge after which this clone is still to be cleaned.
    """

    vault: str = ""
    branch: str = "refs/heads/main"
    local: str = ""
    remote: str = ""
    fingerprint: str = ""
    synced: str = ""
    coming: str = ""
    purged: str = ""


class StateFile:
    """``<common git dir>/gitmem/state.json``, and the copy of ``remote`` that outlives a deleted clone."""

    def __init__(self, folder: str, machine_dir: str) -> None:
        self._path = os.path.join(folder, "state.json")
        self._machine_dir = machine_dir

    def read(self) -> State:
        """The state, empty when the file is missing or damaged (then this counts as a first clone)."""
        try:
            with open(self._path, encoding="utf-8") as file:
                found = json.load(file)
            state = State(**{name: str(found.get(name, "")) for name in State._fields})
        except (OSError, ValueError, AttributeError):
            return State()
        return state if re.fullmatch(_SOUND, "\0".join(state[:5])) else State()

    def remembered(self, vault: str) -> str:
        """The remote tip that this machine accepted for a vault, in whatever clone."""
        try:
            with open(os.path.join(self._machine_dir, vault), encoding="ascii") as file:
                return file.read().strip()
        except (OSError, ValueError):
            return ""

    def write(self, state: State, **changes: str) -> State:
        """Replace the file, and return what it says now; the caller holds the lock and moves only forward."""
        new = state._replace(**changes)
        swap(self._path, json.dumps(new._asdict()).encode(), "new")
        if new.remote and new.remote != state.remote:
            os.makedirs(self._machine_dir, mode=0o700, exist_ok=True)
            swap(os.path.join(self._machine_dir, new.vault), new.remote.encode() + b"\n")
        return new


def make_folder(path: str) -> None:
    """Make gitmem's own folder in a repository; where it cannot be made, only writers mind."""
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
    except OSError:
        return


def branch_of(repo: Repo, state: State) -> str:
    """The full name of the vault's branch: as fixed at init or join, else the one checked out."""
    if state.vault:
        return state.branch
    return read_text(os.path.join(repo.git_dir, "HEAD")).strip().removeprefix("ref: ")


def arrived(repo: Repo, state: State) -> State:
    """The state after a change of keys that was cut off behind the move of the branch."""
    mark, _, anchor = state.coming.partition(" ")
    tip = repo.tip(state.branch) if anchor else ""
    if not tip or (tip != anchor and repo.git.status("merge-base", "--is-ancestor", anchor, tip)[0]):
        return state
    return state._replace(fingerprint=mark, local=anchor, coming="")


def swap(path: str, content: bytes, part: str = "") -> None:
    """Write a private file whole or not at all.

    ``part`` ends the temporary name: a fixed one where a lock is held, so that kills do not pile files up.
    """
    temporary = f"{path}.{part or os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.replace(temporary, path)

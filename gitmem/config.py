"""What this machine knows: folders, settings, the vaults made or joined here, and their key files.

Everything here is per user and per machine; nothing of it is in a vault. Folders follow the XDG base
directory specification on Linux, ``~/Library/Application Support`` on macOS, and AppData on Windows.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from gitmem.errors import ConfigError, LockedError
from gitmem.settings import SETTINGS, Setting, Value

MARK_DIGITS = 16  # of a key's fingerprint
SECRET_VARIABLES = ("GITMEM_KEY", "GITMEM_JOIN")  # never handed to a child that is not gitmem itself

# Folders.


def _folder_of(variable: str, linux: str, windows: str) -> str:
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get(windows) or os.path.join(home, "AppData", "Local")
    elif sys.platform == "darwin" and not os.environ.get(variable):
        base = os.path.join(home, "Library", "Application Support")
    else:
        base = os.environ.get(variable, "")
        if not os.path.isabs(base):  # the specification: a relative value counts as unset
            base = os.path.join(home, linux)
    return os.path.join(base, "gitmem")


def config_dir() -> str:
    """Where settings, keys and tokens lie."""
    return _folder_of("XDG_CONFIG_HOME", ".config", "APPDATA")


def data_dir() -> str:
    """Where vaults lie that gitmem cloned on its own, and the model that finds by meaning."""
    return _folder_of("XDG_DATA_HOME", os.path.join(".local", "share"), "LOCALAPPDATA")


def model_dir() -> str:
    """Where the model lies that finds by meaning, whether there is one or not."""
    return os.path.join(data_dir(), "model")


def state_dir() -> str:
    """Where gitmem remembers vaults and leaves reports of its own failures."""
    return _folder_of("XDG_STATE_HOME", os.path.join(".local", "state"), "LOCALAPPDATA")


def key_path(vault_id: str) -> str:
    """The key file of that vault, whether it exists or not."""
    return os.path.join(config_dir(), "keys", f"{vault_id}.txt")


def other_key_path(vault_id: str, fingerprint: str) -> str:
    """The file of a further key of that vault: a retired one, or one that is about to take over."""
    return os.path.join(config_dir(), "keys", f"{vault_id}.{fingerprint}.txt")


def other_keys(vault_id: str) -> dict[str, str]:
    """The further keys of that vault which this machine keeps: fingerprint → path."""
    folder, start, end = os.path.join(config_dir(), "keys"), f"{vault_id}.", ".txt"
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return {}
    found = {name[len(start) : -len(end)]: name for name in names if name.startswith(start)}
    return {mark: os.path.join(folder, name) for mark, name in found.items() if len(mark) == MARK_DIGITS}


def token_path(vault_id: str) -> str:
    """The file with the access token that came in a join code."""
    return os.path.join(config_dir(), "tokens", vault_id)


# Private files: one owner, replaced as a whole, never half written.


def write_private(path: str, content: str | bytes) -> None:
    """Puts ``content`` into a file that only its owner can read (0600, in folders of 0700).

    Raises:
        ConfigError: the folder or the file cannot be written.
    """
    part = f"{path}.{os.getpid()}.part"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        flags = (
            os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        )
        with open(os.open(part, flags, 0o600), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        remove(part)
        raise ConfigError(f"{path} cannot be written: {error.strerror}.", "Nothing was changed.") from error


def read_private(path: str) -> str | None:
    """The text of a private file, or None when there is none.

    Raises:
        ConfigError: it is there but cannot be read.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigError(
            f"{path} cannot be read: {why}.", "Nothing was changed; mend that file first."
        ) from error


def is_shared(path: str) -> bool:
    """Whether other users of this machine may read or change that file (Windows has no mode bits: never)."""
    return os.name == "posix" and bool(stat.S_IMODE(os.stat(path).st_mode) & 0o077)


def make_private(path: str) -> None:
    """Takes every right to that file from others.

    Raises:
        ConfigError: the file belongs to somebody else.
    """
    try:
        os.chmod(path, 0o600)
    except OSError as error:
        raise ConfigError(
            f"Others can read {path}, and its mode cannot be changed: {error.strerror}.",
            "Nothing was read from it. Copy it to a file of your own with mode 0600.",
        ) from error


def remove(path: str) -> None:
    """Removes a file, if it is there."""
    try:
        os.unlink(path)
    except OSError:
        pass  # it was never made, or its folder is gone: nothing is left behind either way


@contextmanager
def hold(name: str, wait: bool = True) -> Iterator[bool]:
    """Holds the machine-wide lock ``name``; False when ``wait`` is off and another process has it.

    The system frees it when its holder dies, so it never goes stale.

    Raises:
        ConfigError: the state folder cannot be written.
    """
    path = os.path.join(state_dir(), f"{name}.lock")
    try:
        os.makedirs(state_dir(), mode=0o700, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.", "Nothing was changed.") from error
    try:
        yield _lock(handle, wait)
    finally:
        os.close(handle)


def _lock(handle: int, wait: bool) -> bool:
    # One of the two modules exists on each system, and neither is needed by a plain read or search.
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        if wait:
            raise LockedError("Another gitmem is busy with this for too long.", "Try again.") from error
        return False
    return True


# Settings and vaults: two small JSON files.


def _read_json(name: str, folder: str) -> dict[str, object]:
    path = os.path.join(folder, name)
    text = read_private(path)
    try:
        found = json.loads(text) if text else {}
    except ValueError as error:
        raise ConfigError(f"{path} is not valid JSON.", "Mend or delete it; your vaults are safe.") from error
    return found if isinstance(found, dict) else {}


def _write_json(name: str, folder: str, content: dict[str, object]) -> None:
    write_private(os.path.join(folder, name), json.dumps(content, indent=2, sort_keys=True) + "\n")


def _setting(name: str) -> Setting:
    if name in SETTINGS:
        return SETTINGS[name]
    from difflib import get_close_matches  # only for a mistyped name, and slow to import

    near = get_close_matches(name, SETTINGS, n=2, cutoff=0.6) or list(SETTINGS)
    raise ConfigError(
        "There is no such setting.", f"Did you mean {' or '.join(near)}? `gitmem config list` shows all."
    )


def get(name: str) -> Value:
    """The value of a setting: what was set on this machine, else its default.

    Raises:
        ConfigError: no setting has that name, or the settings file is broken.
    """
    default = _setting(name).default
    value = _read_json("config.json", config_dir()).get(name, default)
    return value if isinstance(value, type(default)) else default


def put(name: str, text: str) -> Value:
    """Sets a setting from its text and returns what was stored.

    Raises:
        ConfigError: no setting has that name, or the text does not fit it.
    """
    value = _setting(name).parse(text)
    with hold("config"):
        _write_json("config.json", config_dir(), {**_read_json("config.json", config_dir()), name: value})
    return value


def changed() -> frozenset[str]:
    """The names of the settings that were set on this machine."""
    return frozenset(_read_json("config.json", config_dir())) & SETTINGS.keys()


def vaults() -> dict[str, str]:
    """The vaults that this machine made or joined: vault id → real path."""
    known = _read_json("vaults.json", state_dir())
    paths = {key: value.get("path") for key, value in known.items() if isinstance(value, dict)}
    return {key: path for key, path in paths.items() if isinstance(path, str)}


def above(folder: str, known: dict[str, str]) -> str:
    """The one of the ``known`` vaults that ``folder`` lies in, or is; "" when it is none."""
    places = set(known.values())
    while folder not in places:
        parent = os.path.dirname(folder)
        if parent == folder:
            return ""
        folder = parent
    return folder


def remember(vault_id: str, path: str) -> None:
    """Notes that this machine made or joined the vault, at that path (the newest path counts)."""
    with hold("vaults"):
        known = _read_json("vaults.json", state_dir())
        before = known.get(vault_id)
        known[vault_id] = {**(before if isinstance(before, dict) else {}), "path": os.path.realpath(path)}
        _write_json("vaults.json", state_dir(), known)


def forget(vault_id: str) -> None:
    """Drops a vault from this machine's list; the vault itself and its key stay."""
    with hold("vaults"):
        known = _read_json("vaults.json", state_dir())
        known.pop(vault_id, None)
        _write_json("vaults.json", state_dir(), known)

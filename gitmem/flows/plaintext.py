"""How plaintext leaves the vault: never into the vault's own folders, each file whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from gitmem.errors import ConfigError
from gitmem.store import Store


def refuse_inside(store: Store, path: str) -> None:
    """See that ``path`` lies outside the vault's work tree and git folders: git must never get plaintext.

    Raises:
        ConfigError: it lies inside.
    """
    place = os.path.realpath(path)
    repo = store.repo
    for folder in filter(None, (repo.work_tree, repo.git_dir, repo.common_dir)):
        inside = os.path.join(os.path.realpath(folder), "")
        if os.path.join(place, "").startswith(inside):
            raise ConfigError(
                "That place lies inside the vault's own folder, and git must never get readable memories.",
                "Nothing was written; choose a folder outside the vault.",
            )


def make_folder(path: str, mode: int) -> None:
    """Makes ``path`` and the folders above it, with that mode where they are new.

    Raises:
        ConfigError: it cannot be made.
    """
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        os.makedirs(path, mode=mode, exist_ok=True)
    except OSError as error:
        raise cannot_write(error) from error


@contextmanager
def new_file(path: str, mode: int) -> Iterator[BinaryIO]:
    """A file to write, beside its place; it is moved there when the block ends well, so never half there.

    Raises:
        ConfigError: the folder is read-only, the disk full, or something else is in the way.
    """
    beside = f"{path}.{os.urandom(6).hex()}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(beside, flags, mode), "wb") as file:
            yield file
        os.replace(beside, path)
    except OSError as error:
        raise cannot_write(error) from error
    finally:
        if os.path.lexists(beside):
            os.unlink(beside)


def write_file(path: str, data: bytes, mode: int) -> None:
    """Writes a whole file, as :func:`new_file` does."""
    with new_file(path, mode) as file:
        file.write(data)


def cannot_write(error: OSError) -> ConfigError:
    """What the operating system said, as one of our errors."""
    return ConfigError(
        f"That place cannot be written: {error.strerror}.", "The vault is safe; choose another place."
    )

"""The digest's files in a folder: only over files that a former digest left there, and without leftovers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from gitmem.errors import ConfigError
from gitmem.flows.plaintext import cannot_write, make_folder, write_file
from gitmem.site.build import is_digest
from gitmem.vault.capability import is_path

_BEGINNING = 4096  # bytes of a file in which a digest has its mark
# The second part is what a run that was killed while it wrote a file leaves beside it.
_OURS = re.compile(r"\.(?:html|txt|css)(?:\.[0-9a-f]{12}\.part)?")


def lay_out(folder: str, files: Mapping[str, bytes]) -> int:
    """Writes ``files`` (by their paths below ``folder``) and removes what a former digest left beside them.

    How many files were removed comes back.

    Raises:
        ConfigError: the folder cannot be written, or holds a foreign file in one of our places.
    """
    make_folder(folder, 0o755)
    former = set(_former(folder))
    foreign = [name for name in files if name not in former and os.path.lexists(os.path.join(folder, name))]
    if foreign:
        raise ConfigError(
            f"There is a file {os.path.basename(foreign[0])} in that folder which gitmem did not make.",
            "Nothing was written; name a folder of its own for the digest.",
        )
    for below in {os.path.dirname(name) for name in files} - {""}:
        make_folder(os.path.join(folder, below), 0o755)
    for name, data in files.items():
        write_file(os.path.join(folder, name), data, 0o644)
    return _remove(folder, former - set(files))


def clear(folder: str) -> int:
    """Removes every file of a digest from ``folder``; how many there were.

    Raises:
        ConfigError: the folder cannot be written.
    """
    return _remove(folder, set(_former(folder))) if os.path.isdir(folder) else 0


def _remove(folder: str, names: set[str]) -> int:
    try:
        for name in names:
            os.unlink(os.path.join(folder, name))
        for below in {os.path.dirname(name) for name in names} - {""}:
            if not os.listdir(os.path.join(folder, below)):
                os.rmdir(os.path.join(folder, below))
    except OSError as error:
        raise cannot_write(error) from error
    return len(names)


def _former(folder: str) -> Iterator[str]:
    """The paths of the files that a former digest wrote: they bear its mark, here or below a secret path."""
    try:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False) and is_path(entry.name):
                yield from (f"{entry.name}/{name}" for name in _marked(entry.path))
        yield from _marked(folder)
    except OSError as error:
        raise cannot_write(error) from error


def _marked(folder: str) -> Iterator[str]:
    for entry in os.scandir(folder):
        _, dot, ending = entry.name.partition(".")
        if _OURS.fullmatch(dot + ending) and entry.is_file(follow_symlinks=False):
            with open(entry.path, "rb") as file:
                if is_digest(file.read(_BEGINNING)):
                    yield entry.name

"""Publish: the digest of the memories marked to share, as files in a folder."""

from __future__ import annotations

import os
from dataclasses import dataclass

from gitmem.errors import ConfigError
from gitmem.flows.plaintext import cannot_write, make_folder, refuse_inside, write_file
from gitmem.index.filters import Filters
from gitmem.memory.digest import select
from gitmem.site.build import build, is_digest
from gitmem.store import Store

BUDGET = 8000  # characters
_BEGINNING = 4096  # bytes of a file in which a digest has its mark


@dataclass(frozen=True, slots=True)
class Published:
    """What was done: files written and removed, memories shown, and those left out for want of room."""

    folder: str
    files: tuple[str, ...]
    removed: tuple[str, ...]
    shown: int
    left_out: int


def publish(store: Store, folder: str, budget: int = BUDGET) -> Published:
    """Writes ``index.html`` and ``digest.txt`` into ``folder``: nothing but memories marked to share.

    Files of former digests in that folder are replaced or removed; a file that is not a digest's stays, and
    if it stands where ours must go, nothing is written.

    Raises:
        ConfigError: the folder lies in the vault, cannot be written, or holds a foreign file of our names.
    """
    refuse_inside(store, folder)
    now = store.now()
    # The index hides what was superseded, by shared memories or not; `select` asks for the mark again.
    shared = [row.id for row in store.rows(Filters(now=now)) if row.share]
    digest = select(store.memories(shared), budget, now)
    files = build(digest)
    make_folder(folder, 0o755)
    former = _former(folder)
    foreign = [name for name in files if name not in former and os.path.lexists(os.path.join(folder, name))]
    if foreign:
        raise ConfigError(
            f"There is a file {foreign[0]} in that folder which gitmem did not make.",
            "Nothing was written; name a folder of its own for the digest.",
        )
    for name, data in files.items():
        write_file(os.path.join(folder, name), data, 0o644)
    removed = tuple(sorted(former - set(files)))
    for name in removed:
        os.unlink(os.path.join(folder, name))
    return Published(folder, tuple(files), removed, digest.shown, digest.left_out)


def _former(folder: str) -> set[str]:
    """The names of the files in ``folder`` that a former digest wrote: they bear its mark."""
    found = set()
    try:
        for entry in os.scandir(folder):
            if entry.name.endswith((".html", ".txt")) and entry.is_file(follow_symlinks=False):
                with open(entry.path, "rb") as file:
                    if is_digest(file.read(_BEGINNING)):
                        found.add(entry.name)
    except OSError as error:
        raise cannot_write(error) from error
    return found

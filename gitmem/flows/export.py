"""Export: memories as readable markdown files or JSON lines that `import` reads back.

Files are for their owner alone (mode 0600, folders 0700) and never lie inside the vault.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

from gitmem.errors import ConfigError
from gitmem.flows.plaintext import make_folder, new_file, refuse_inside, write_file
from gitmem.memory.document import UNSET, dump
from gitmem.memory.memory import FIELDS, Memory, short
from gitmem.memory.text import derive_title
from gitmem.store import Progress, Store

_SLUG = 48  # bytes
# Names that Windows keeps for devices, whatever follows the dot.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)


class Exported(NamedTuple):
    """How many memories were written, and the ids of those that could not be opened."""

    written: int
    damaged: tuple[str, ...]


def export_folder(
    store: Store, folder: str, wanted: Iterable[str] | None = None, progress: Progress | None = None
) -> Exported:
    """Writes each memory (or each of the ids ``wanted``) as markdown into a new or empty folder.

    A file is the memory's document, named ``<date>-<title>-<short id>.md``, in a folder of its project.

    Raises:
        ConfigError: the folder lies in the vault, is not empty, or cannot be written.
    """
    refuse_inside(store, folder)
    make_folder(folder, 0o700)
    if os.listdir(folder):
        raise ConfigError("That folder is not empty.", "Nothing was written; name a new or empty folder.")
    taken: set[str] = set()
    damaged: list[str] = []
    for memory, number, total in _each(store, wanted, damaged):
        name = _place(memory, taken)
        if os.path.dirname(name):
            make_folder(os.path.join(folder, os.path.dirname(name)), 0o700)
        write_file(os.path.join(folder, name), dump(memory), 0o600)
        if progress:
            progress(number, total)
    return Exported(len(taken), tuple(damaged))


def export_lines(
    store: Store,
    target: str | BinaryIO,
    wanted: Iterable[str] | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Writes each memory (or each of the ids ``wanted``) as a line of JSON, to a file or stream.

    Raises:
        ConfigError: the file lies in the vault or cannot be written.
    """
    if not isinstance(target, str):
        return _stream(store, wanted, target, progress)
    refuse_inside(store, os.path.dirname(os.path.abspath(target)))
    make_folder(os.path.dirname(os.path.abspath(target)), 0o700)
    with new_file(target, 0o600) as file:
        return _stream(store, wanted, file, progress)


def as_object(memory: Memory) -> dict[str, Any]:
    """What is set of a memory, by name, as JSON holds it; id, created, trust and body are always there."""
    always = {"id": memory.id, "title": memory.title, "created": memory.created, "trust": memory.trust}
    rest = {name: getattr(memory, name) for name in sorted((*FIELDS, "extra")) if name not in always}
    set_ones = {name: value for name, value in rest.items() if value != UNSET.get(name, "")}
    return {**always, **set_ones, "body": memory.body}


def slug(text: str) -> str:
    """``text`` as a part of a file name on any system: letters and digits of any script, and hyphens."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).lower())
    name = "-".join(words)
    if len(name.encode()) > _SLUG:
        cut = name.encode()[:_SLUG].decode(errors="ignore")
        name = cut.rpartition("-")[0] or cut
    return f"{name}-" if _DEVICE.fullmatch(name) else name


def _stream(
    store: Store, wanted: Iterable[str] | None, stream: BinaryIO, progress: Progress | None
) -> Exported:
    written = 0
    damaged: list[str] = []
    for memory, number, total in _each(store, wanted, damaged):
        stream.write(json.dumps(as_object(memory), ensure_ascii=False).encode() + b"\n")
        written = number
        if progress:
            progress(number, total)
    return Exported(written, tuple(damaged))


def _each(
    store: Store, wanted: Iterable[str] | None, damaged: list[str]
) -> Iterator[tuple[Memory, int, int]]:
    """Each memory with its number and how many there are, in order of their ids."""
    there = store.between("", store.repo.tree(store.tip()))[1]  # not from the index, which lacks damaged ones
    ids = sorted(there) if wanted is None else list(wanted)
    for number, memory in enumerate(store.memories(ids, damaged=damaged), 1):
        yield memory, number, len(ids)


def _place(memory: Memory, taken: set[str]) -> str:
    title = slug(memory.title or derive_title(memory.body)) or "untitled"
    folder = slug(memory.project)
    path = os.path.join(folder, f"{memory.created[:10]}-{title}-{short(memory.id)}.md")
    if path.casefold() in taken:
        path = os.path.join(folder, f"{memory.created[:10]}-{title}-{memory.id}.md")
    taken.add(path.casefold())
    return path

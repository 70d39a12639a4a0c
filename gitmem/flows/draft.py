"""The form in which a memory is edited, and the sealed drafts that keep a half-edited one."""

from __future__ import annotations

import os
from typing import Any

from gitmem import config
from gitmem.errors import InvalidMemoryError, NotFoundError
from gitmem.memory.document import parse_foreign, quote
from gitmem.memory.frontmatter import field_value
from gitmem.memory.memory import Memory
from gitmem.repo.repo import Repo
from gitmem.store import Store

NEW = "new"  # the draft of a memory that has no id yet
_FOLDER, _SUFFIX = "drafts", ".age"
_MARK = "---\n"
_EMPTY: dict[str, object] = {
    "title": "", "kind": "note", "project": "", "tags": (), "importance": None, "expires": "", "share": False,
}  # fmt: skip


def form(memory: Memory) -> str:
    """A memory as the text that a person edits: the fields that may change, then the body."""
    fields = {
        "title": quote(memory.title) if memory.title else "",
        "kind": memory.kind,
        "project": quote(memory.project) if memory.project else "",
        "tags": f"[{', '.join(quote(tag) for tag in memory.tags)}]",
        "importance": "" if memory.importance is None else str(memory.importance),
        "expires": memory.expires,
        "share": "true" if memory.share else "false",
    }
    lines = "".join(f"{name}: {value}".rstrip() + "\n" for name, value in fields.items())
    return f"{_MARK}{lines}{_MARK}{memory.body}\n"


def parse(text: str, memory: Memory) -> Memory:
    """``memory`` as the edited form says; a field whose line was deleted keeps its value.

    Raises:
        InvalidMemoryError: the form cannot be read, or a field is out of bounds.
    """
    fields, body = parse_foreign(text)
    unknown = sorted(fields.keys() - _EMPTY.keys())
    if unknown:
        raise InvalidMemoryError("There is a field that cannot be edited.", f"Only {', '.join(_EMPTY)} can.")
    changes = {name: _value(name, value) for name, value in fields.items()}
    return memory._replace(**changes, body=body.strip("\n"))


def _value(name: str, value: Any) -> Any:
    if value is None or value == "":
        return _EMPTY[name]
    if name == "expires" and isinstance(value, str) and len(value.strip()) == 10:
        value = f"{value.strip()}T23:59:59Z"  # through that day, as --expires has it
    return field_value(name, value)


# Drafts: sealed, in the git folder, so that plaintext never rests on the disk.


def waiting(repo: Repo) -> list[str]:
    """The names of the drafts that are kept: ids of memories, and :data:`NEW`."""
    folder = os.path.join(repo.folder, _FOLDER)
    found = os.listdir(folder) if os.path.isdir(folder) else []
    return [name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX)]


def _place(store: Store, name: str) -> str:
    return os.path.join(store.repo.folder, _FOLDER, name + _SUFFIX)


def keep(store: Store, name: str, text: str) -> None:
    """Keeps a half-edited text, sealed; ``name`` is the memory's id, or :data:`NEW`.

    Raises:
        ConfigError: the disk is full or read-only.
        InvalidMemoryError: the text is too large to be sealed.
    """
    config.write_private(_place(store, name), store.vault.seal(text.encode("utf-8", "surrogateescape")))


def kept(store: Store, name: str) -> str:
    """The text that :func:`keep` kept.

    Raises:
        NotFoundError: there is none.
    """
    try:
        with open(_place(store, name), "rb") as file:
            sealed = file.read()
    except FileNotFoundError as error:
        raise NotFoundError("No draft was kept of that.", "`gitmem edit ID` begins a new one.") from error
    return store.vault.open(sealed).decode("utf-8", "surrogateescape").rstrip("\n") + "\n"


def drop(store: Store, name: str) -> None:
    """Removes the draft, if there is one."""
    config.remove(_place(store, name))

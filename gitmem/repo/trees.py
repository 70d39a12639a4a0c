"""Git trees: parsed, looked up, compared and edited, touching only the folders that matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from gitmem.errors import TamperedError
from gitmem.repo.objects import Objects

BLOB_MODE = b"100644"
_TREE_MODE = b"40000"

Changes = dict[str, tuple[bytes, str] | None]  # path → (mode, blob id), or None where it is gone


class Entry(NamedTuple):
    """One line of a tree."""

    mode: bytes
    name: bytes
    oid: str


def entries(tree: bytes) -> list[Entry]:
    """The lines of a raw tree object, as they stand.

    Raises:
        TamperedError: not a tree.
    """
    found, at = [], 0
    try:
        while at < len(tree):
            space = tree.index(b" ", at)
            end = tree.index(b"\0", space)
            found.append(Entry(tree[at:space], tree[space + 1 : end], tree[end + 1 : end + 21].hex()))
            at = end + 21
    except ValueError as error:
        raise TamperedError("A git tree is damaged.", "Run 'git fsck'.") from error
    return found


def lookup(objects: Objects, tree: str, path: str) -> Entry | None:
    """The entry at ``path`` below the tree with that id, or None."""
    *folders, name = path.encode("utf-8", "surrogateescape").split(b"/")
    for folder in folders:
        entry = _named(objects, tree, folder)
        if entry is None or entry.mode != _TREE_MODE:
            return None
        tree = entry.oid
    return _named(objects, tree, name)


def edit_tree(objects: Objects, tree: str, changes: Changes, store: Callable[[str, bytes], str]) -> str:
    """The id of ``tree`` with ``changes`` made: path → (mode, blob id), or None to remove it.

    Reads and writes touched folders only; a folder left empty goes, and "" means that nothing is left.
    ``store(kind, content)`` returns an object's id and decides whether it is written:
    ``Objects.write``, or ``tree_id``.
    ``tree`` may be "" (nothing yet).
    """
    here = edit_entries(objects, tree, changes, store)
    if not here:
        return ""
    return store(
        "tree", b"".join(b"%b %b\0%b" % (mode, name, bytes.fromhex(oid)) for mode, name, oid in here)
    )


def edit_entries(
    objects: Objects, tree: str, changes: Changes, store: Callable[[str, bytes], str]
) -> list[Entry]:
    """Like ``edit_tree``, but the lines of the top folder, in git's order.

    That folder itself is not stored.
    """
    here: dict[bytes, Entry] = {entry.name: entry for entry in entries(objects.read(tree))} if tree else {}
    below: dict[bytes, Changes] = {}
    for path, value in changes.items():
        head, slash, rest = path.partition("/")
        name = head.encode("utf-8", "surrogateescape")
        if slash:
            below.setdefault(name, {})[rest] = value
        elif value is None:
            here.pop(name, None)
        else:
            here[name] = Entry(value[0], name, value[1])
    for name, inner in below.items():
        old = here.get(name)
        subtree = edit_tree(objects, old.oid if old and old.mode == _TREE_MODE else "", inner, store)
        if subtree:
            here[name] = Entry(_TREE_MODE, name, subtree)
        else:
            here.pop(name, None)
    return sorted(here.values(), key=lambda entry: entry.name + (b"/" if entry.mode == _TREE_MODE else b""))


class Difference(NamedTuple):
    """One file that two trees do not share."""

    path: str
    old: Entry | None
    new: Entry | None


def differences(objects: Objects, before: str, after: str, top: bytes = b"") -> Iterator[Difference]:
    """The files in which two trees (ids, or "" for none) differ, in path order.

    Reads only folders that differ.

    With ``top``, only below that top-level folder.
    """
    yield from _differences(objects, before, after, "", top)


def _differences(
    objects: Objects, before: str, after: str, prefix: str, top: bytes = b""
) -> Iterator[Difference]:
    if before == after:
        return
    old = {entry.name: entry for entry in entries(objects.read(before))} if before else {}
    new = {entry.name: entry for entry in entries(objects.read(after))} if after else {}
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if was == now or (top and name != top):
            continue
        path = prefix + name.decode("utf-8", "surrogateescape")
        folders = [entry.oid if entry and entry.mode == _TREE_MODE else "" for entry in (was, now)]
        if any(folders):
            yield from _differences(objects, folders[0], folders[1], f"{path}/")
        files = [entry if entry and entry.mode != _TREE_MODE else None for entry in (was, now)]
        if any(files):
            yield Difference(path, *files)


def _named(objects: Objects, tree: str, name: bytes) -> Entry | None:
    if not tree:
        return None
    return next((entry for entry in entries(objects.read(tree)) if entry.name == name), None)

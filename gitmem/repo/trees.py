"""Git trees: parsed, looked up, compared and edited, touching only the folders that matter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from gitmem.errors import TamperedError
from gitmem.repo.objects import Objects

PROTECTED = ("memories", ".gitmem")  # the top-level entries of which a commit seal speaks
PROTECTED_NAMES = frozenset(name.encode() for name in PROTECTED)
BLOB_MODE = b"100644"
_TREE_MODE = b"40000"
_DEEPEST = 100  # folders; a memory lies three deep

Changes = dict[str, tuple[bytes, str] | None]  # path → (mode, blob id), or None where it is gone


class Entry(NamedTuple):
    """One line of a tree."""

    mode: bytes
    name: bytes
    oid: str


def is_protected(path: str) -> bool:
    """Whether a commit seal speaks of that path."""
    return path.partition("/")[0] in PROTECTED


def entries(tree: bytes) -> list[Entry]:
    """The lines of a raw tree object, as they stand.

    Raises:
        TamperedError: not a tree.
    """
    return [Entry(mode, name, oid.hex()) for mode, name, oid in _lines(tree)]


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
    ``tree`` may be "" (nothing yet). ``store(kind, content)`` returns an object's id and decides whether the
    object is written: ``Objects.write``, or ``tree_id``.
    """
    here = edit_entries(objects, tree, changes, store)
    return store("tree", _raw(here)) if here else ""


def edit_entries(
    objects: Objects, tree: str, changes: Changes, store: Callable[[str, bytes], str]
) -> list[Entry]:
    """Like ``edit_tree``, but the lines of the top folder, in git's order; that folder is not stored."""
    here: dict[bytes, Entry] = {entry.name: entry for entry in entries(objects.read(tree))} if tree else {}
    files, below = _by_name(changes)
    for name in (name for name, value in files.items() if value is None):
        if name in here and here[name].mode != _TREE_MODE:
            del here[name]
    for name, inner in below.items():
        old = here.get(name)
        folder = old is not None and old.mode == _TREE_MODE
        subtree = edit_tree(objects, old.oid if old and folder else "", inner, store)
        if subtree:
            here[name] = Entry(_TREE_MODE, name, subtree)
        elif folder:
            del here[name]
    for name, value in files.items():
        if value is not None:
            here[name] = Entry(value[0], name, value[1])
    return sorted(here.values(), key=_order)


def _by_name(changes: Changes) -> tuple[dict[bytes, tuple[bytes, str] | None], dict[bytes, Changes]]:
    """The changes of files in the top folder, and those below each of its folders."""
    files: dict[bytes, tuple[bytes, str] | None] = {}
    below: dict[bytes, Changes] = {}
    for path, value in changes.items():
        if path.count("/") > _DEEPEST:
            raise TamperedError(
                "A path in this repository is too deep to be followed.", "Nothing of it was used."
            )
        head, slash, rest = path.partition("/")
        name = head.encode("utf-8", "surrogateescape")
        if slash:
            below.setdefault(name, {})[rest] = value
        else:
            files[name] = value
    return files, below


def mixed_tree(objects: Objects, others: str, protected: str) -> str:
    """A root tree with the protected entries of one tree and all other entries of another; written."""
    roots = [entries(objects.read(tree)) if tree else [] for tree in (others, protected)]
    kept = [entry for entry in roots[0] if entry.name not in PROTECTED_NAMES]
    kept += [entry for entry in roots[1] if entry.name in PROTECTED_NAMES]
    return objects.write("tree", _raw(sorted(kept, key=_order)))


class Difference(NamedTuple):
    """One file that two trees do not share."""

    path: str
    old: Entry | None
    new: Entry | None


def differences(objects: Objects, before: str, after: str, top: bytes = b"") -> Iterator[Difference]:
    """The files in which two trees (ids, or "" for none) differ; a folder's own before those below it.

    Reads only folders that differ. With ``top``, only below that top-level folder.
    """
    pending = [("", before, after)]  # not recursion: a stranger's folders may be nested without end
    while pending:
        prefix, old, new = pending.pop()
        deeper = []
        for name, was, now in _unequal(objects, old, new):
            if top and not prefix and name != top:
                continue
            path = prefix + name.decode("utf-8", "surrogateescape")
            folders = [entry.oid if entry and entry.mode == _TREE_MODE else "" for entry in (was, now)]
            if any(folders):
                deeper.append((f"{path}/", folders[0], folders[1]))
            files = [entry if entry and entry.mode != _TREE_MODE else None for entry in (was, now)]
            if any(files):
                yield Difference(path, *files)
        pending.extend(reversed(deeper))


def _unequal(objects: Objects, before: str, after: str) -> Iterator[tuple[bytes, Entry | None, Entry | None]]:
    """The lines in which two folders differ, by name."""
    if before == after:
        return
    old, new = (
        {line[1]: line for line in _lines(objects.read(tree))} if tree else {} for tree in (before, after)
    )
    for name in sorted({name for name, _ in old.items() ^ new.items()}):
        yield name, _entry(old.get(name)), _entry(new.get(name))


def _lines(tree: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """Mode, name and raw id of every line: cheaper than entries, of which a folder may have thousands."""
    found = re.findall(rb"([0-7]+) ([^\0]+)\0(.{20})", tree, re.DOTALL)
    if sum(len(mode) + len(name) for mode, name, _ in found) + 22 * len(found) != len(tree):
        raise TamperedError("A git tree is damaged.", "Nothing of it was used; `git fsck` names it.")
    return found


def _entry(line: tuple[bytes, bytes, bytes] | None) -> Entry | None:
    return Entry(line[0], line[1], line[2].hex()) if line else None


def _order(entry: Entry) -> bytes:
    """Git sorts folders as if their names ended in a slash."""
    return entry.name + (b"/" if entry.mode == _TREE_MODE else b"")


def _raw(lines: list[Entry]) -> bytes:
    return b"".join(b"%b %b\0%b" % (mode, name, bytes.fromhex(oid)) for mode, name, oid in lines)


def _named(objects: Objects, tree: str, name: bytes) -> Entry | None:
    if not tree:
        return None
    raw, line = objects.read(tree), b" %b\0" % name
    found = raw.find(line)
    if found < 0:
        return None
    at, end = 0, found + len(line) - 1
    while (stop := raw.find(b"\0", at)) < end:  # an id may hold any bytes, even a line's
        at = stop + 21
    if stop == end and raw.find(b" ", at) == found:
        return Entry(raw[at:found], name, raw[end + 1 : end + 21].hex())
    return next((entry for entry in entries(raw) if entry.name == name), None)

"""Git objects by id: read loose or through one cat-file, written loose; trees parsed and edited."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha1
from typing import NamedTuple

from gitmem.errors import GitmemError, NotFoundError, TamperedError
from gitmem.repo.git import Batch, Git

MAX_BLOB = 2 << 20  # larger objects are never opened (commit-seals.md section 10)
BLOB_MODE = b"100644"
_TREE_MODE = b"40000"
_RECENT = 256
_WINDOW = 64  # ids in flight to cat-file: 3 kB, below the smallest pipe anywhere


Changes = dict[str, tuple[bytes, str] | None]  # path → (mode, blob id), or None where it is gone


class Entry(NamedTuple):
    """One line of a tree."""

    mode: bytes
    name: bytes
    oid: str


class Objects:
    """The object store of one repository."""

    def __init__(self, git: Git, directory: str, fsync: bool = True) -> None:
        self._git = git
        self._directory = directory
        self._fsync = fsync
        self._batch: Batch | None = None
        self._recent: dict[
            str, bytes
        ] = {}  # trees and commits of this command: each is asked for several times

    def read(self, oid: str, limit: int = 0) -> bytes:
        """The content of one object; with ``limit``, of at most that many bytes.

        Raises:
            NotFoundError: the object is not there.
            TamperedError: it is larger than ``limit`` or damaged.
        """
        if oid in self._recent:
            return self._recent[oid]
        found = self._read_loose(oid, limit)
        if found is None:
            found = next(self.read_many([oid], limit))
        if not limit and len(self._recent) < _RECENT:
            self._recent[oid] = found
        return found

    def read_many(self, oids: Iterable[str], limit: int = 0) -> Iterator[bytes]:
        """The contents of many objects in order, through one cat-file. Raises as ``read`` does."""
        pending: list[str] = []
        for oid in oids:
            pending.append(oid)
            if len(pending) == _WINDOW:
                yield from self._ask(pending, limit)
                pending = []
        if pending:
            yield from self._ask(pending, limit)

    def has(self, oid: str) -> bool:
        """Whether the object is in the store."""
        return os.path.exists(self._path(oid)) or self._git.status("cat-file", "-e", oid)[0] == 0

    def write(self, kind: str, content: bytes) -> str:
        """Store a loose object and return its id; on disk before this returns."""
        raw, oid = _encode(kind, content)
        path = self._path(oid)
        try:
            os.utime(path)  # freshened, so that a gc running now does not take it
            return oid
        except OSError:
            pass
        folder = os.path.dirname(path)
        temporary = os.path.join(self._directory, f"tmp_obj_gitmem_{os.getpid()}_{oid}")
        try:
            descriptor = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o444
            )
            with os.fdopen(descriptor, "wb") as file:
                file.write(zlib.compress(raw, 1))
                file.flush()
                if self._fsync:
                    os.fsync(file.fileno())
            os.makedirs(folder, exist_ok=True)
            os.replace(temporary, path)
        except OSError as error:
            _remove(temporary)
            raise GitmemError(
                f"Could not write to the repository: {error.strerror}.",
                "Nothing was changed; make room or fix the permissions, then try again.",
            ) from error
        return oid

    def close(self) -> None:
        """End the cat-file process, if one was needed."""
        if self._batch is not None:
            self._batch.close()
            self._batch = None

    def _path(self, oid: str) -> str:
        return os.path.join(self._directory, oid[:2], oid[2:])

    def _read_loose(self, oid: str, limit: int) -> bytes | None:
        try:
            with open(self._path(oid), "rb") as file:
                packed = file.read()
        except OSError:
            return None
        bound = limit + 64 if limit else 0
        try:
            raw = zlib.decompressobj().decompress(packed, bound)
        except zlib.error as error:
            raise TamperedError(
                f"Git object {oid} is damaged.", "Run 'git fsck'; a copy on the remote may be whole."
            ) from error
        content = raw[raw.index(b"\0") + 1 :]
        if limit and len(content) > limit:
            raise _too_large(oid)
        return content

    def _ask(self, oids: list[str], limit: int) -> list[bytes]:
        """The answers to one window, read whole.

        A generator would leave some in the pipe for the next caller.
        """
        batch = self._batch = self._batch or self._git.batch()
        batch.stdin.write("".join(f"{oid}\n" for oid in oids).encode())
        batch.stdin.flush()
        answers = []
        for oid in oids:
            header = batch.stdout.readline().split()
            if len(header) != 3:
                self.close()
                raise NotFoundError(
                    f"Git object {oid} is missing from this repository.", "Run 'gitmem sync' to fetch it."
                )
            size = int(header[2])
            if limit and size > limit:
                self.close()  # the unread rest goes with the process
                raise _too_large(oid)
            content = batch.stdout.read(size)
            batch.stdout.read(1)
            answers.append(content)
        return answers


def blob_id(content: bytes) -> str:
    """The id that git gives to a file of that content."""
    return _encode("blob", content)[1]


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


def tree_id(kind: str, content: bytes) -> str:
    """The id of an object that is not stored."""
    return _encode(kind, content)[1]


def _named(objects: Objects, tree: str, name: bytes) -> Entry | None:
    if not tree:
        return None
    return next((entry for entry in entries(objects.read(tree)) if entry.name == name), None)


def _encode(kind: str, content: bytes) -> tuple[bytes, str]:
    raw = b"%b %d\0%b" % (kind.encode(), len(content), content)
    return raw, sha1(raw, usedforsecurity=False).hexdigest()


def _too_large(oid: str) -> TamperedError:
    return TamperedError(
        f"Git object {oid} is too large to be a memory and was not opened.", "Run 'gitmem doctor'."
    )


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass

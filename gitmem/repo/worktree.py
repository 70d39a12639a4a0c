"""Keeps git's index and the checkout in step with our commits, and the user's own edits out of harm."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable

from gitmem.errors import ConflictError
from gitmem.repo.git import Git, GitFailed
from gitmem.repo.history import PROTECTED
from gitmem.repo.journal import Step
from gitmem.repo.objects import MAX_BLOB, Objects, blob_id
from gitmem.repo.trees import Changes, differences, lookup

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # known to every git
_FEW = 8  # up to here looking paths up one by one beats a git process
_PATIENCE = 10.0  # seconds that a live index.lock of the user's own git is waited for


class WorkTree:
    """The checkout of one work tree. All methods expect the repository lock to be held."""

    def __init__(self, git: Git, objects: Objects, path: str, git_dir: str) -> None:
        self._git = git
        self._objects = objects
        self._path = path
        self.git_dir = git_dir

    @property
    def sparse(self) -> bool:
        """Whether ``memories/`` is kept out of the checkout."""
        for name in ("config.worktree", "config"):
            try:
                with open(os.path.join(self.git_dir, name), encoding="utf-8", errors="replace") as file:
                    text = file.read().lower()
                    if "sparsecheckout" in text and re.search(r"(?m)^\s*sparsecheckout\s*=\s*true", text):
                        return True
            except OSError:
                continue
        return False

    def step(self, before: str, after: str, changes: Changes) -> Step:
        """What ``follow`` would move: the blob ids at the changed paths in tree ``before`` and after."""
        if len(changes) <= _FEW:
            return {
                path: (self._blob(before, path), value[1] if value else "") for path, value in changes.items()
            }
        return {
            change.path: (change.old.oid if change.old else "", change.new.oid if change.new else "")
            for change in differences(self._objects, before, after)
        }

    def follow(self, before: str, after: str, step: Step) -> bool:
        """Bring index and files from tree ``before`` to ``after``.

        False when git's index is busy and must be mended later.

        Called before the ref moves: a crash in between leaves a staged file, which ``mend`` takes back, and
        never a staged deletion that the user's next commit would carry out.

        Raises:
            ConflictError: the user's own edits of other files are in the way.
        """
        own = all(path.split("/", 1)[0] in PROTECTED for path in step)
        try:
            if not own or self.sparse:
                self._git.run("read-tree", "-m", "-u", before or EMPTY_TREE, after)
            else:
                self._move(step)
        except GitFailed as error:
            if b"index.lock" in error.stderr:
                return False
            if own:
                raise
            raise ConflictError(
                "Your own uncommitted edits in the vault's folder are in the way of incoming changes.",
                "Memories are safe; commit or stash them ('git status' shows which), then run 'gitmem sync'.",
            ) from error
        return True

    def mend(self, tip: str, step: Step) -> bool:
        """Finish or take back a step that was cut off, so that index and files show tree ``tip``.

        False while busy.
        """
        here = self._blobs(tip, step)
        try:
            self._move(
                {path: (new if here[path] == old else old, here[path]) for path, (old, new) in step.items()}
            )
        except GitFailed:
            return False
        return True

    def _blobs(self, tree: str, paths: Iterable[str]) -> dict[str, str]:
        wanted = list(paths)
        if len(wanted) <= _FEW:
            return {path: self._blob(tree, path) for path in wanted}
        every = {change.path: change.new.oid for change in differences(self._objects, "", tree) if change.new}
        return {path: every.get(path, "") for path in wanted}

    def _blob(self, tree: str, path: str) -> str:
        entry = lookup(self._objects, tree, path) if tree else None
        return entry.oid if entry else ""

    def _move(self, step: Step) -> None:
        """Move index entries and files that stand as ``before`` says; what the user changed is left alone."""
        if not step:
            return
        staged = self._staged([path for path, (old, _) in step.items() if old])
        moved = {path: new for path, (old, new) in step.items() if staged.get(path, "") in (old, new)}
        for path, new in moved.items():
            self._write_file(path, step[path][0], new)
        lines = [f"100644 {new}\t{path}" if new else f"0 {'0' * 40}\t{path}" for path, new in moved.items()]
        self._index("\0".join([*lines, ""]).encode())

    def _index(self, info: bytes) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self._git.run("update-index", "-z", "--index-info", data=info)
                return
            except GitFailed as error:
                if b"index.lock" not in error.stderr or time.monotonic() > deadline:
                    raise
            time.sleep(0.05)

    def _staged(self, paths: list[str]) -> dict[str, str]:
        """What the index holds at those paths; those not asked for count as absent, as a new path is."""
        if not paths:
            return {}
        out = self._git.run("ls-files", "-s", "-z", "--", *(paths if len(paths) <= 50 else PROTECTED))
        found = {}
        for line in out.split(b"\0"):
            meta, _, name = line.partition(b"\t")
            if name:
                found[name.decode("utf-8", "surrogateescape")] = meta.split()[1].decode()
        return found

    def _write_file(self, path: str, old: str, new: str) -> None:
        """Replace or remove one checked-out file, unless the user changed it or a link stands in the way."""
        full = os.path.join(self._path, *path.split("/"))
        if not self._plain_folders(path) or self._file_id(full) not in (old, new):
            return
        if not new:
            _remove(full)
            return
        temporary = full + ".tmp"
        try:
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(temporary, "wb") as file:
                file.write(self._objects.read(new, MAX_BLOB))
            os.replace(temporary, full)
        except OSError:
            _remove(temporary)  # the checkout is a convenience: the memory is in the commit

    def _plain_folders(self, path: str) -> bool:
        """False when a folder on the way is a symbolic link: it may lead out of the vault."""
        folder = self._path
        for part in path.split("/")[:-1]:
            folder = os.path.join(folder, part)
            if os.path.islink(folder):
                return False
        return True

    @staticmethod
    def _file_id(path: str) -> str:
        if os.path.islink(path):
            return "link"
        try:
            with open(path, "rb") as file:
                return blob_id(file.read())
        except FileNotFoundError:
            return ""
        except OSError:
            return "unreadable"


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass

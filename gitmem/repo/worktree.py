"""Keeps git's index and the checkout in step with our commits, and the user's own edits out of harm."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from gitmem.errors import ConflictError
from gitmem.repo.git import Git, GitFailed
from gitmem.repo.journal import Step
from gitmem.repo.objects import MAX_BLOB, Objects, blob_id
from gitmem.repo.staging import Staging
from gitmem.repo.trees import Changes, differences, is_protected, lookup, mixed_tree

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # known to every git
_FEW = 8  # up to here looking paths up one by one beats a git process
PATIENCE = 10.0  # seconds that a live index.lock of the user's own git is waited for
_FILE, _PROGRAM = "100644", "100755"
_NOTHING = ("0", "")

Entries = dict[str, tuple[str, str]]  # path → mode and blob id, "0" and "" where there is none


class WorkTree:
    """The checkout of one work tree. All methods expect the repository lock to be held."""

    def __init__(self, git: Git, objects: Objects, path: str, git_dir: str) -> None:
        self._git = git
        self._objects = objects
        self._path = path
        self.git_dir = git_dir
        self.staging = Staging(git, git_dir)

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
                path: (self._entry(before, path)[1], value[1] if value else "")
                for path, value in changes.items()
            }
        return {
            change.path: (change.old.oid if change.old else "", change.new.oid if change.new else "")
            for change in differences(self._objects, before, after)
        }

    def follow(self, before: str, after: str, step: Step) -> bool:
        """Bring files and index from tree ``before`` to ``after``; the index stays locked until ``let_go``.

        False when git's index is busy and must be mended later; then nothing was touched.

        Raises:
            ConflictError: the user's own edits of other files are in the way; nothing was moved.
            GitFailed, OSError: the disk is full or the like; ``mend`` takes back what was moved.
        """
        if not self.staging.take(PATIENCE):
            return False
        mine = {path: ids for path, ids in step.items() if is_protected(path)}
        target = {path: (_FILE, ids[-1]) if ids[-1] else _NOTHING for path, ids in mine.items()}
        own = len(mine) == len(step)
        if own and not self.sparse:
            self._move(mine, target)
            self.staging.place()
            return True
        try:
            # ours by ourselves: git does not know the file times of entries that we made, and would refuse
            moved = [] if self.sparse else self._stage(mine, target)
            start = before if self.sparse else mixed_tree(self._objects, before, after)
            self.staging.run("read-tree", "-m", "-u", start or EMPTY_TREE, after)
            self._write_files(mine, target, moved)
        except GitFailed as error:
            if own:
                raise
            raise ConflictError(
                "Your own uncommitted edits in the vault's folder are in the way of incoming changes.",
                "Memories are safe; commit or stash them (`git status` shows which), then run `gitmem sync`.",
            ) from error
        self.staging.place()
        return True

    def mend(self, tip: str, step: Step, patience: float = PATIENCE) -> bool:
        """Finish or take back steps that were cut off, so that index and files show tree ``tip``.

        False while git's index is busy for longer than ``patience`` seconds, or nothing can be written.
        """
        mended = False
        try:
            if self.staging.take(patience):
                self._move(step, self._entries(tip, step))
                if self.sparse:  # entries that were just put there would count as missing files
                    self.staging.run("sparse-checkout", "reapply")
                mended = True
        except (GitFailed, OSError):
            pass
        self.staging.let_go(keep=mended)
        return mended

    def _entries(self, tree: str, paths: Iterable[str]) -> Entries:
        wanted = list(paths)
        if len(wanted) <= _FEW:
            return {path: self._entry(tree, path) for path in wanted}
        every = {change.path: change.new for change in differences(self._objects, "", tree) if change.new}
        return {
            path: (every[path].mode.decode(), every[path].oid) if path in every else _NOTHING
            for path in wanted
        }

    def _entry(self, tree: str, path: str) -> tuple[str, str]:
        entry = lookup(self._objects, tree, path) if tree else None
        return (entry.mode.decode(), entry.oid) if entry else _NOTHING

    def _move(self, step: Step, target: Entries) -> None:
        """Bring index entries and files to ``target`` where they stand as the step knows them.

        What the user changed is left alone.
        """
        if step:
            self._write_files(step, target, self._stage(step, target))

    def _stage(self, step: Step, target: Entries) -> list[str]:
        """Bring index entries to ``target``; the paths at which the user had staged nothing else."""
        staged = self._staged([path for path, ids in step.items() if any(ids[:-1])])
        moved = [path for path, ids in step.items() if staged.get(path, "") in (*ids, target[path][1])]
        lines = [f"{target[path][0]} {target[path][1] or '0' * 40}\t{path}" for path in moved]
        # Into a folder that a sparse index holds as one line, git would put a file beside that line.
        whole = ("-c", "index.sparse=false") if self.sparse else ()
        data = "\0".join([*lines, ""]).encode("utf-8", "surrogateescape")
        self.staging.run(*whole, "update-index", "-z", "--index-info", data=data)
        return moved

    def _write_files(self, step: Step, target: Entries, paths: list[str]) -> None:
        for path in paths if not self.sparse else ():
            self._write_file(path, (*step[path], target[path][1]), target[path])

    def _staged(self, paths: list[str]) -> dict[str, str]:
        """What the index holds at those paths; those not asked for count as absent, as a new path is."""
        if not paths:
            return {}
        out = self._git.run("ls-files", "-s", "-z", "--", *(paths if len(paths) <= 50 else ()))
        found = {}
        for line in out.split(b"\0"):
            meta, _, name = line.partition(b"\t")
            if name:
                found[name.decode("utf-8", "surrogateescape")] = meta.split()[1].decode()
        return found

    def _write_file(self, path: str, known: tuple[str, ...], new: tuple[str, str]) -> None:
        """Replace or remove one checked-out file or link, unless the user changed it."""
        full, (mode, oid) = os.path.join(self._path, *path.split("/")), new
        if not self._plain_folders(path) or self._file_id(full) not in known:
            return
        if not oid:
            _remove(full)
        elif mode in (_FILE, _PROGRAM):
            own = is_protected(path)
            content = self._objects.read(oid, MAX_BLOB if own else 0)
            # Half a file must not lie where `git add -A` finds it, unless .git is on another disk.
            for part in (os.path.join(self.git_dir, "checkout.part"), full + ".part"):
                if _put(content, part, full, mode == _PROGRAM):
                    return  # where neither works: the checkout is a convenience, the memory is in the commit

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
        try:
            if os.path.islink(path):
                return blob_id(os.fsencode(os.readlink(path)))  # as git sees a link

            with open(path, "rb") as file:
                return blob_id(file.read())
        except FileNotFoundError:
            return ""
        except OSError:
            return "unreadable"


def _put(content: bytes, part: str, path: str, program: bool) -> bool:
    """Write a file by way of ``part``; False where that cannot be."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(part, "wb") as file:
            file.write(content)
        if program:
            readable = os.stat(part).st_mode & 0o444
            os.chmod(part, 0o200 | readable | readable >> 2)
        os.replace(part, path)
    except OSError:
        _remove(part)
        return False
    return True


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass

"""Git's index under a lock of our own: changed aside, placed before the branch moves, unlocked after it.

Who commits meanwhile never takes along, or drops, what we were about to commit.
"""

from __future__ import annotations

import os
import time

from gitmem.repo.git import Git, GitFailed
from gitmem.repo.state import swap

_MARK = b"gitmem"  # a lock file of git's begins with other bytes
_EDITOR = 3.0  # seconds; an older lock is a `git commit -a` that waits for its message


class Staging:
    """The index of one work tree; the repository lock is held."""

    def __init__(self, git: Git, git_dir: str) -> None:
        self._git = git
        self._index = os.path.join(git_dir, "index")
        self._lock = os.path.join(git_dir, "index.lock")
        self._aside = os.path.join(git_dir, "index.gitmem")
        self._before = os.path.join(git_dir, "index.gitmem.before")
        self._mark = os.path.join(git_dir, "index.gitmem.mark")
        self._held = False
        self._placed = False

    def take(self, patience: float) -> bool:
        """Lock the index, waiting so many seconds for the user's own git but not for an editor.

        False when it is busy; True also when it is held already.

        Raises:
            OSError: nothing can be written there.
        """
        deadline = time.monotonic() + patience
        while not self._held:
            if self._took():
                self._held = True
                self._copy()
            elif time.monotonic() > deadline or self._age() > _EDITOR:
                return False
            else:
                time.sleep(0.02)
        return True

    def run(self, *args: str, data: bytes = b"") -> None:
        """Run a git command on the index aside.

        Raises:
            GitFailed: it did not succeed.
        """
        status, _, err = self._git.status(*args, data=data, env={"GIT_INDEX_FILE": self._aside})
        if status:
            raise GitFailed(args[0], status, err)

    def place(self) -> None:
        """Give the changed index its name; the lock stays, and the branch is to move next.

        In the other order a `git commit` that reads the new branch and the old index would drop the memory.

        Raises:
            OSError: nothing can be written there.
        """
        if not self._held or self._placed or not os.path.exists(self._aside):
            return
        if os.path.exists(self._index):
            os.link(self._index, self._before)
        os.replace(self._aside, self._index)
        self._placed = True

    def let_go(self, *, keep: bool) -> None:
        """Unlock the index; with ``keep`` it is as changed, else as before."""
        if not self._held:
            return
        if keep:
            self.place()
        elif self._placed and os.path.exists(self._before):
            os.replace(self._before, self._index)
        elif self._placed:
            _remove(self._index)
        self._clear()
        _remove(self._lock)
        self._held = self._placed = False

    def _took(self) -> bool:
        try:
            os.link(self._mark, self._lock)  # with its content at once: a kill leaves a lock known as ours
        except FileNotFoundError:
            swap(self._mark, _MARK, "new")
            return self._took()
        except FileExistsError:
            return False
        return True

    def _copy(self) -> None:
        self._clear()  # of a writer that was killed
        if os.path.exists(self._index):
            os.link(self._index, self._aside)  # git never changes a file in place

    def _clear(self) -> None:
        for path in (f"{self._aside}.lock", self._aside, self._before):
            _remove(path)

    def _age(self) -> float:
        try:
            return time.time() - os.stat(self._lock).st_mtime
        except OSError:
            return 0.0


def is_ours(lock: str) -> bool:
    """Whether an ``index.lock`` was made here, and not by git."""
    try:
        with open(lock, "rb") as file:
            return file.read(len(_MARK) + 1) == _MARK
    except OSError:
        return False


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass

"""The note that a writer leaves before it touches git's files: the next one tidies up after a kill."""

from __future__ import annotations

import json
import os
import time
from typing import NamedTuple

from gitmem.repo.staging import is_ours
from gitmem.repo.state import swap

Step = dict[str, tuple[str, ...]]  # path → blob ids that it had in turn, "" where there was none


class Left(NamedTuple):
    """What a dead writer was about to do."""

    began: float
    step: Step
    locks: tuple[str, ...]


class Journal:
    """One file in ``<common git dir>/gitmem/``; only touched under the lock that its steps need."""

    def __init__(self, folder: str, name: str) -> None:
        self._path = os.path.join(folder, name)

    def begin(self, step: Step, locks: tuple[str, ...]) -> None:
        """About to move these paths with git children that may take these lock files."""
        content = {"began": time.time(), "step": step, "locks": locks}
        swap(self._path, json.dumps(content).encode(), "new")

    @property
    def exists(self) -> bool:
        """Whether a step is under way, or was cut off."""
        return os.path.exists(self._path)

    def done(self) -> None:
        """The step is over."""
        try:
            os.unlink(self._path)
        except OSError:
            pass

    def left(self) -> Left | None:
        """The step of a writer that died in it (the lock is held, so nobody is in one now), or None."""
        try:
            with open(self._path, encoding="utf-8") as file:
                found = json.load(file)
            step = {str(path): tuple(map(str, ids)) for path, ids in found["step"].items()}
            return Left(float(found["began"]), step, tuple(str(lock) for lock in found["locks"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            self.done()
            return None


def unlock(left: Left) -> None:
    """Remove the lock files that the dead writer's git children left behind, and nobody else's.

    A lock made before the step began is not ours, and an ``index.lock`` only if it carries our mark: others
    are the user's `git commit`, which may wait in an editor. A child may outlive its parent by a moment: its
    lock is given a second to go away by itself.
    """
    for path in left.locks:
        try:
            made = os.stat(path).st_mtime
        except OSError:
            continue
        index = path.endswith("index.lock")
        if not is_ours(path) if index else made < left.began - 1:
            continue
        deadline = 0 if index else made + 1.0
        while os.path.exists(path) and time.time() < deadline:
            time.sleep(0.02)
        try:
            os.unlink(path)
        except OSError:
            pass

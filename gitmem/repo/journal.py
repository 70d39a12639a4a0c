"""The note that a writer leaves before it touches git's files: the next one tidies up after a kill."""

from __future__ import annotations

import json
import os
import time
from typing import NamedTuple

from gitmem.repo.state import swap

Step = dict[str, tuple[str, ...]]  # path → blob ids that it had in turn, "" where there was none
_LEFT_WITHIN = 5.0  # seconds after a step began in which a killed child of ours can have left an index.lock


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

    A lock made before the step began is not ours. An ``index.lock`` made long after it began may be
    the user's
    ``git commit`` waiting in an editor, so only a prompt one is ours. A child may outlive its parent
    by a moment:
    the lock is given a second to go away by itself.
    """
    for path in left.locks:
        try:
            made = os.stat(path).st_mtime
        except OSError:
            continue
        if made < left.began - 1 or (path.endswith("index.lock") and made > left.began + _LEFT_WITHIN):
            continue
        deadline = made + 1.0
        while os.path.exists(path) and time.time() < deadline:
            time.sleep(0.02)
        try:
            os.unlink(path)
        except OSError:
            pass

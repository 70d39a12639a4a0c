"""One writer at a time: an advisory lock that the kernel releases when its holder dies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Self

from gitmem.errors import GitmemError, LockedError

if sys.platform == "win32":
    import msvcrt

    def _try(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Lock:
    """A lock file. Use as ``with lock:``; the same object may be entered again while it is held."""

    def __init__(self, path: str, patience: float = 60.0) -> None:
        """``patience`` is how many seconds to wait for another holder."""
        self.path = path
        self._patience = patience
        self._descriptor = -1
        self._depth = 0

    def __enter__(self) -> Self:
        if self._depth == 0:
            self._wait()
        self._depth += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            os.close(self._descriptor)

    @property
    def held(self) -> bool:
        """Whether this process holds it through this object."""
        return self._depth > 0

    def attempt(self) -> bool:
        """Take the lock if it is free now; True when it was."""
        if self._depth == 0 and not self._take():
            return False
        self._depth += 1
        return True

    def if_free(self, act: Callable[[], None]) -> None:
        """Do it under the lock if that is free now, as readers may: else, and where it fails, nothing."""
        try:
            if self.attempt():
                try:
                    act()
                finally:
                    self.__exit__()
        except (GitmemError, OSError):
            return  # a read-only vault can still be read

    def _wait(self) -> None:
        deadline, pause = time.monotonic() + self._patience, 0.001
        while not self._take():
            if time.monotonic() > deadline:
                raise LockedError(
                    f"Another gitmem has been writing to this vault for {self._patience:.0f} seconds.",
                    "Nothing was changed; try again when it has finished.",
                )
            time.sleep(pause)
            pause = min(pause * 1.5, 0.02)

    def _take(self) -> bool:
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            raise GitmemError(
                f"The vault's git folder cannot be written: {error.strerror}.",
                "Nothing was changed; fix its permissions or make room.",
            ) from error
        try:
            _try(self._descriptor)
        except OSError:
            os.close(self._descriptor)
            return False
        return True

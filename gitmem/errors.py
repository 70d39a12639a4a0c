"""Every error that gitmem raises on purpose, each with its exit code.

    GitmemError                1   anything below
    ├─ ConfigError             9   a setting, a key or a code is missing or malformed
    ├─ NotSetUpError          10   there is no vault here
    ├─ LockedError            11   the vault is locked: a passphrase, or another writer
    ├─ WrongKeyError          12   the key belongs to another vault, or to an older one
    ├─ TamperedError          13   a commit or a file was not made by a key holder
    │  ├─ RewoundError        13   the history lost commits that this device has seen
    │  └─ TooShortError       13   a shallow history ends before a sealed commit
    ├─ NotFoundError          14   no such memory, commit or file
    │  └─ AmbiguousIdError    15   a short id fits several memories
    ├─ InvalidMemoryError     16   text that cannot be a memory: size, front matter, encoding
    ├─ ConflictError          17   both sides changed the same thing
    ├─ RemoteError            18   the git remote, or GitHub, cannot be reached or refuses
    │  └─ Refused             18   GitHub answered with an error
    └─ ModelError             19   Claude cannot be reached, refuses, or answers nonsense

Also used by the command line: 2 wrong usage (click's own), and those below.
"""

from __future__ import annotations

DONE_IN_PART = 3
BUG = 70
INTERRUPTED = 130


class GitmemError(Exception):
    """What happened (``message``), and what is safe and what to type next (``hint``).

    ``str(error)`` is both, as one or two sentences; neither may hold a key, a recipient or memory text.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint


class ConfigError(GitmemError):
    """A setting, a key or a join code is missing or malformed."""

    exit_code = 9


class NotSetUpError(GitmemError):
    """There is no vault here, or none on this machine."""

    exit_code = 10


class LockedError(GitmemError):
    """A passphrase is needed, or another writer holds the vault for too long."""

    exit_code = 11


class WrongKeyError(GitmemError):
    """The key is well formed but not this vault's."""

    exit_code = 12


class TamperedError(GitmemError):
    """A commit or a sealed file was not made by a key holder; nothing of it is used."""

    exit_code = 13


class RewoundError(TamperedError):
    """A tip does not contain what this device has already accepted."""


class TooShortError(TamperedError):
    """A shallow history ends before a commit that could vouch for it."""


class NotFoundError(GitmemError):
    """No memory, commit or file by that name."""

    exit_code = 14


class AmbiguousIdError(NotFoundError):
    """A short id that several memories end in."""

    exit_code = 15


class InvalidMemoryError(GitmemError):
    """Text that cannot become or be read as a memory."""

    exit_code = 16


class ConflictError(GitmemError):
    """Two sides changed the same thing and gitmem will not choose."""

    exit_code = 17


class RemoteError(GitmemError):
    """The git remote, or GitHub, cannot be reached or refuses."""

    exit_code = 18


class Refused(RemoteError):
    """GitHub answered with an error: ``status`` is HTTP's, ``reason`` GitHub's own short words for it."""

    def __init__(self, message: str, hint: str, status: int, reason: str = "") -> None:
        super().__init__(message, hint)
        self.status = status
        self.reason = reason


class ModelError(GitmemError):
    """Claude cannot be reached, refuses, or its answer is unusable."""

    exit_code = 19

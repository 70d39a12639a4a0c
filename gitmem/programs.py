"""Other programs than git that gitmem may start: `gh`, for its token, and a command that the owner named."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Ended(NamedTuple):
    """How a program ended: its exit code (127: there is no such program) and what it wrote."""

    code: int
    out: str
    err: str


def call(argv: Sequence[str], env: Mapping[str, str], seconds: float = 60) -> Ended:
    """Run a program to its end, without a terminal; ``env`` is all of its environment."""
    try:
        done = subprocess.run(
            list(argv),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Ended(124, "", f"it took longer than {seconds:.0f} seconds")
    except OSError as error:
        return Ended(127, "", error.strerror or "it cannot be started")
    return Ended(
        done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    )

"""What heavier tests need from the machine, and what happens where it is missing.

On a person's machine such a test is skipped and named at the end of the run. Under ``CI=true`` it fails,
unless the part is listed in ``GITMEM_TEST_WITHOUT`` ("data,sshd"): a green run must not hide what never ran.
"""

from __future__ import annotations

import os

import pytest

# Read once, before the guards clean the environment of each test.
DATA = os.environ.get("GITMEM_TEST_DATA", "")
IN_CI = os.environ.get("CI") == "true"
WITHOUT = frozenset(filter(None, os.environ.get("GITMEM_TEST_WITHOUT", "").replace(" ", "").split(",")))


def missing(part: str, why: str) -> None:
    """Skip the running test because ``part`` is not here, or fail it where it has to be."""
    if IN_CI and part not in WITHOUT:
        pytest.fail(f"{part} is missing, and in CI it must be there: {why}", pytrace=False)
    pytest.skip(f"needs {part}: {why}")

"""Machines with vaults, and how much is tried."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with a vault in a work tree, without a remote."""
    return Machine.new(tmp_path / "one").init()


@pytest.fixture
def another(tmp_path: Path) -> Callable[[], Machine]:
    """Makes one more machine that has nothing yet."""
    made: list[Machine] = []

    def make() -> Machine:
        made.append(Machine.new(tmp_path / f"more-{len(made)}"))
        return made[-1]

    return make

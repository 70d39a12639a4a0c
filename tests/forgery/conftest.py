"""One world per test, copied from a first one that each test process builds once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode adds no folder

from harness import World, copy_of_world

from machine import Machine


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, home: Path) -> World:
    """The vault, two devices that are up to date, and the attacker."""
    return copy_of_world(lambda: tmp_path_factory.mktemp("template") / "world", tmp_path / "world")


@pytest.fixture
def another(tmp_path: Path) -> Callable[[], Machine]:
    """Makes one more machine that has nothing yet: a home of its own, and the real command."""
    made: list[Machine] = []

    def make() -> Machine:
        made.append(Machine.new(tmp_path / f"machine-{len(made)}"))
        return made[-1]

    return make

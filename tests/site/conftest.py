"""A machine with a vault to publish from."""

from __future__ import annotations

from pathlib import Path

import pytest

from machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with an empty vault, without a remote."""
    return Machine.new(tmp_path / "one").init()

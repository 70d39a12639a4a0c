"""The vault that these tests work in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode adds no folder

from one_vault import Vault

from gitmem.flows import create
from gitmem.vault.keys import Identity


@pytest.fixture
def vault(tmp_path: Path, bare: Path) -> Vault:
    """Two memories, pushed."""
    made = Vault(tmp_path / "vault", tmp_path / "state", bare, Identity.generate(), "5" * 32)
    create.create(create.Plan(str(made.path), made.vault_id, str(made.state), made.identity, str(bare)))
    made.write("one", "two")
    made.sync()
    return made

"""The measurements lie beside the tests in a checkout; an installed package has none."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]

if not (_ROOT / "bench" / "__init__.py").exists():
    collect_ignore_glob = ["test_*.py"]
sys.path.append(str(_ROOT))  # last, so that an installed wheel stays the one that is tested

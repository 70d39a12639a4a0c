"""Carries the vault's workflows into the wheel, where `gitmem init` finds them."""

from __future__ import annotations

import glob
import os
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OURS = ("ci.yml", "release.yml")  # these run for this project, not for a vault


class Workflows(BuildHookInterface[Any]):
    """Adds ``.github/workflows/*.yml`` as ``gitmem/_workflows``, except the ones in `OURS`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":  # a checkout has the folder beside the package
            return
        for path in sorted(glob.glob(os.path.join(self.root, ".github", "workflows", "*.yml"))):
            name = os.path.basename(path)
            if name not in OURS:
                build_data["force_include"][path] = f"gitmem/_workflows/{name}"

"""Writes requirements.lock anew from pyproject.toml: `python scripts/lock.py`. It needs uv on the PATH.

The lock is for the jobs of a vault: Linux on x86_64 and aarch64, Python 3.11 to 3.14, wheels alone. It names
versions and hashes and no index, so that it says what is installed and not from where.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from typing import Any

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOCK = os.path.join(ROOT, "requirements.lock")
HEADER = (
    "# What gitmem needs in the jobs of a vault, by version and hash; written by scripts/lock.py.\n"
    "# Wheels for Linux on x86_64 and aarch64, Python 3.11 to 3.14. Nothing else may be installed there.\n"
)
_WHEEL = re.compile(
    r"-(?:py3|py2\.py3|cp31[1-4])-(?:none|cp31[1-4])-(?P<one>\S+)\.whl|-cp3\d+-abi3-(?P<any>\S+)\.whl"
)
_PLATFORM = re.compile(r"any|.*\bmanylinux\w*_(?:x86_64|aarch64)")


def main() -> int:
    """0 when the lock was written, or was right already."""
    uv = shutil.which("uv") or shutil.which("uv", path=os.path.dirname(sys.executable))
    if uv is None:
        print("lock: uv is not on the PATH; install it, then try again.", file=sys.stderr)
        return 1
    text = HEADER + "".join(_lines(_resolved(uv)))
    with open(LOCK, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return 0


def _resolved(uv: str) -> list[dict[str, Any]]:
    """The packages that uv chooses, with their files: the newest that fit, for all of our Pythons at once."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "pylock.toml")
        argv = [uv, "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--upgrade"]
        argv += ["--format", "pylock.toml", "--output-file", out, os.path.join(ROOT, "pyproject.toml")]
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        with open(out, "rb") as file:
            found: list[dict[str, Any]] = tomllib.load(file)["packages"]
    return found


def _lines(packages: list[dict[str, Any]]) -> Iterator[str]:
    for package in sorted(packages, key=lambda one: str(one["name"])):
        marker = package.get("marker", "")
        if "sys_platform == 'emscripten'" in marker:
            continue
        hashes = sorted({wheel["hashes"]["sha256"] for wheel in package.get("wheels", ()) if _fits(wheel)})
        if not hashes:
            sys.exit(f"lock: {package['name']} {package['version']} has no wheel that fits.")
        yield f"{package['name']}=={package['version']}" + "".join(
            f" \\\n    --hash=sha256:{one}" for one in hashes
        )
        yield "\n"


def _fits(wheel: dict[str, Any]) -> bool:
    name = wheel.get("name") or wheel["url"].rpartition("/")[2]
    found = _WHEEL.search(name)
    return bool(found and _PLATFORM.fullmatch(found["one"] or found["any"]))


if __name__ == "__main__":
    sys.exit(main())

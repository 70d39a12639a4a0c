"""The running gitmem as files: what the jobs of a vault run, and the workflow files that run it.

The layout is a wheel's, whether gitmem runs from a wheel, a checkout or a job.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import gitmem
from gitmem.errors import ConfigError
from gitmem.site.render import templates_dir

FOLDER = ".github/workflows"
NAMES = ("consolidate.yml", "inbox.yml", "publish.yml")
NO_TOOL = "0" * 40
USES = r"(?m)^[\s-]*uses:\s*[\"']?([\w./:-]+)@([\w./:-]+)"
_LOCK = "gitmem/_requirements.lock"
_TOOL = re.compile(r"""(?<=ref: ")[0-9a-f]{40}(?=")|(?<=')[0-9a-f]{40}(?=')""")
_MINUTE = re.compile(r'(?<=cron: ")\d+(?= )')


def package() -> dict[str, bytes]:
    """The files of the running gitmem by path, as a wheel lays them out; the same from a checkout.

    Raises:
        ConfigError: some are missing, so the installation is damaged.
    """
    home = os.path.dirname(os.path.abspath(gitmem.__file__))
    found = {f"gitmem/{name}": content for name, content in _below(home, ".py")}
    found |= {f"gitmem/_templates/{name}": content for name, content in _below(templates_dir())}
    return found | _jobs(home)


def _jobs(home: str) -> dict[str, bytes]:
    """The workflow files, fit for no vault yet, and the lock: inside the package, or beside it."""
    inside, beside = os.path.join(home, "_workflows"), os.path.join(os.path.dirname(home), FOLDER)
    installed = os.path.isdir(inside)
    folder = inside if installed else beside
    lock = os.path.join(os.path.dirname(home), _LOCK if installed else "requirements.lock")
    try:
        found = {f"gitmem/_workflows/{name}": _read(os.path.join(folder, name)) for name in NAMES}
        found[_LOCK] = _read(lock)
    except OSError as error:
        raise ConfigError(
            "gitmem's workflow files are missing.", "Your memories are safe; install gitmem again."
        ) from error
    # In a vault that gitmem runs from, they name a commit already: that of the program before this one.
    plain = {path: _fitted(text, NO_TOOL, 17) for path, text in found.items() if path != _LOCK}
    return found | plain


def _below(folder: str, ending: str = "") -> Iterator[tuple[str, bytes]]:
    """The files below a folder, by path; without hidden ones, caches, and what a wheel keeps elsewhere."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__", "_templates")))
        for name in sorted(names):
            if name.endswith(ending) and not name.startswith(".") and not name.endswith((".pyc", "~")):
                path = os.path.join(place, name)
                yield os.path.relpath(path, folder).replace(os.sep, "/"), _read(path)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _fitted(content: bytes, tool: str, minute: int) -> bytes:
    text = _TOOL.sub(tool, content.decode("utf-8"))
    return _MINUTE.sub(str(minute), text).encode()


def fitted(vault_id: str, tool: str) -> dict[str, bytes]:
    """The workflow files for one vault, by path: with the program's commit, and a minute of its own.

    Nobody's schedule is at the full hour, when GitHub is late or drops runs.
    """
    minute = 7 + int(vault_id[:8], 16) % 46
    home = os.path.dirname(os.path.abspath(gitmem.__file__))
    sources = _jobs(home)
    return {f"{FOLDER}/{name}": _fitted(sources[f"gitmem/_workflows/{name}"], tool, minute) for name in NAMES}

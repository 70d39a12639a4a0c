"""Where the digest is published and at which address: the sealed record ``site``, for every device."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from gitmem import config
from gitmem.errors import ConfigError, NotSetUpError
from gitmem.flows import records
from gitmem.site.build import HOME
from gitmem.site.names import MAX_LINK
from gitmem.store import Store
from gitmem.vault import capability

RECORD = "site"
HOSTS = ("pages", "gist", "dir", "command")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LONGEST_NAME = 64  # characters of a file name below the digest's folder, with room for a page's number


@dataclass(frozen=True, slots=True)
class Gist:
    """The gist in use: its id, its raw address, and the commit and time whose digest it holds."""

    id: str = ""
    base: str = ""
    commit: str = ""
    time: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """The record. ``host`` is "" while the digest is off; ``base`` is the address above the secret path."""

    host: str = ""
    base: str = ""
    window: str = capability.NEVER
    rotation: int = 0
    gist: Gist = field(default_factory=Gist)


@dataclass(frozen=True, slots=True)
class Address:
    """The digest's address, and the time when the next one takes its place ("": never)."""

    url: str
    until: str


def read(store: Store, at: str = "") -> Site:
    """The record as of the verified tip, or of the verified commit ``at``.

    Raises:
        TamperedError: the record is refused.
    """
    record = records.read(store, RECORD, at)
    host, rotation, gist = record.get("host"), record.get("rotation"), record.get("gist")
    window = record.get("window")
    return Site(
        host=host if host in HOSTS else "",
        base=str(record.get("base") or ""),
        window=window if window in capability.WINDOWS else capability.NEVER,
        rotation=rotation if isinstance(rotation, int) else 0,
        gist=Gist(**{name: str(gist.get(name) or "") for name in Gist.__slots__})
        if isinstance(gist, dict)
        else Gist(),
    )


def keep(store: Store, site: Site) -> str:
    """Commit the record; the commit's id, "" when nothing changed."""
    record: dict[str, Any] = {name: value for name, value in asdict(site).items() if value != _EMPTY[name]}
    return records.keep(store, RECORD, record, "change 1 record")


def place(store: Store) -> str:
    """The folder or command that the digest goes to from this machine; "" when none was named here.

    It is no part of the record: a vault must not say what another machine is to run or to overwrite.
    """
    return (config.read_private(_place_path(store)) or "").strip("\n")


def keep_place(store: Store, text: str) -> None:
    """Note that folder or command for this machine; "" drops it."""
    if text:
        config.write_private(_place_path(store), f"{text}\n")
    else:
        config.remove(_place_path(store))


def paths(store: Store, site: Site) -> capability.Paths:
    """The secret paths of this moment, from the key alone."""
    return capability.paths(store.vault.identity, store.vault.id, site.rotation, site.window, store.now())


def address(store: Store, site: Site) -> Address:
    """The address of the digest, from the key and the record alone.

    Raises:
        NotSetUpError: the digest is off, or nobody has said under which address its folder is served.
    """
    if site.host == "gist" and site.gist.base:
        from_gist = f"{site.gist.base}/digest.txt"
        return Address(from_gist, "")
    if not site.base:
        raise NotSetUpError(
            "The digest has no address yet." if site.host else "The digest is not published anywhere.",
            "`gitmem url --base URL` says where its folder is served."
            if site.host in ("dir", "command")
            else "`gitmem publish --to pages` or `--to gist` publishes it and finds its address.",
        )
    found = paths(store, site)
    return Address(f"{site.base}/{found.current}/{HOME}", found.until)


def checked_base(text: str) -> str:
    """An address as it is kept, without a slash at its end; "" is allowed and takes it away.

    Raises:
        ConfigError: it is no https address, holds a question mark, or leaves no room for the secret path.
    """
    base = text.strip().rstrip("/")
    if not base:
        return ""
    try:
        parts = urlsplit(base)
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        plain = bool(parts.hostname) and "@" not in parts.netloc and not parts.query and not parts.fragment
    except ValueError:
        secure = plain = False
    if not secure or not plain or not base.isascii() or any(char in base for char in " \"'<>\\`#?"):
        raise ConfigError(
            "That is not an address under which assistants could fetch pages.",
            "Nothing was changed; it looks like https://notes.example.org/memory.",
        )
    if len(f"{base}/{'x' * 32}/") + _LONGEST_NAME > MAX_LINK:
        raise ConfigError(
            f"That address is too long: with the secret path, links would pass {MAX_LINK} characters.",
            "Nothing was changed; assistants fetch no longer ones.",
        )
    return base


def _place_path(store: Store) -> str:
    return os.path.join(config.config_dir(), "digests", store.vault.id)


_EMPTY = asdict(Site())

"""The unguessable part of the digest's address: a token of key and time, computed without a network."""

from __future__ import annotations

import binascii
import hmac
import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from gitmem.errors import ConfigError
from gitmem.vault.keys import Identity, derive

LABEL_SITE = "site"
NEVER = "never"
# How long before a window begins and after it ends its path is published as well, so that neither a late
# run nor an address that was pasted yesterday leads nowhere.
_GRACE = {"daily": timedelta(days=1), "weekly": timedelta(days=3), "monthly": timedelta(days=7)}
WINDOWS = (NEVER, *_GRACE)
_BYTES = 24
_SHAPE = re.compile(r"[A-Za-f][A-Za-z0-9_-]{31}")


class Paths(NamedTuple):
    """The path of this moment, all that are to be published now, and when this one ends ("": never)."""

    current: str
    every: tuple[str, ...]
    until: str


def paths(identity: Identity, vault_id: str, rotation: int, window: str, now: str) -> Paths:
    """The digest's paths at ``now`` (``2026-11-20T07:00:00Z``): one segment each, 32 URL-safe characters.

    Args:
        identity: the vault's secret.
        vault_id: the vault's id.
        rotation: how often the address was changed by hand; a new number makes all paths new.
        window: ``never``, ``monthly``, ``weekly`` or ``daily``; windows begin at midnight UTC.
        now: the time.

    Raises:
        ConfigError: no such window.
    """
    key = derive(identity, vault_id, LABEL_SITE)
    if window == NEVER:
        only = _path(key, rotation, window, "")
        return Paths(only, (only,), "")
    grace = _GRACE.get(window)
    if grace is None:
        raise ConfigError(f"A window is one of {', '.join(WINDOWS)}.", "Nothing was changed.")
    moment = datetime.fromisoformat(now).astimezone(UTC)
    starts = dict.fromkeys(_start(one.date(), window) for one in (moment, moment - grace, moment + grace))
    every = tuple(_path(key, rotation, window, start.isoformat()) for start in starts)
    return Paths(every[0], every, f"{_next(next(iter(starts)), window).isoformat()}T00:00:00Z")


def is_path(name: str) -> bool:
    """Whether a folder's name has the shape of such a path."""
    return _SHAPE.fullmatch(name) is not None


def _path(key: bytes, rotation: int, window: str, start: str) -> str:
    said = f"gitmem digest\0{rotation}\0{window}\0{start}".encode()
    mac = hmac.digest(key, said, "sha256")[:_BYTES]
    # Some hosts leave out folders that begin with "_" or "-": the first bit is cleared, so it is a letter.
    mac = bytes([mac[0] & 0x7F]) + mac[1:]
    return binascii.b2a_base64(mac, newline=False).translate(bytes.maketrans(b"+/", b"-_")).decode("ascii")


def _start(day: date, window: str) -> date:
    if window == "monthly":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if window == "weekly" else day


def _next(start: date, window: str) -> date:
    if window == "monthly":
        return (start + timedelta(days=31)).replace(day=1)
    return start + timedelta(days=7 if window == "weekly" else 1)

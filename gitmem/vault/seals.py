"""The commit seal: one HMAC line by which a commit proves that a key holder made it (docs/format.md)."""

from __future__ import annotations

import re
from typing import NamedTuple

from gitmem.errors import GitmemError
from gitmem.hashing import equal, hmac_sha256

ANCHORS = ("init", "trust", "restore", "rekey", "purge")
_MAC_LABEL = b"gitmem commit v1\0"
_LEAD = b"Gitmem-Seal: v1:"
_LINE_BYTES = len(_LEAD) + 64 + 1
_OURS = b"Gitmem-"
_ANCHOR = rb"Gitmem-Anchor: ([a-z]+)"
_WAS = rb"Gitmem-Was: ([0-9a-f]{64}|[0-9a-f]{40})"


class Seal(NamedTuple):
    """What a sealed commit says of itself: the anchor it is, or "", and the commits whose place it took."""

    anchor: str = ""
    was: tuple[str, ...] = ()


def trailers(seal: Seal) -> bytes:
    """The lines that ``read`` gives back as ``seal``, to stand after the empty line that ends a message.

    Raises:
        GitmemError: an anchor that does not exist.
    """
    if seal.anchor and seal.anchor not in ANCHORS:
        raise GitmemError(f"An anchor is one of {', '.join(ANCHORS)}.")
    lines = [f"Gitmem-Was: {oid}\n" for oid in seal.was]
    if seal.anchor:
        lines.append(f"Gitmem-Anchor: {seal.anchor}\n")
    return "".join(lines).encode("ascii")


def sign(key: bytes, body: bytes) -> bytes:
    """The whole content of a commit object: ``body``, every byte of it, and its seal line.

    Raises:
        GitmemError: ``body`` does not end in a line feed, so that the seal would not have a line of its own.
    """
    if not body.endswith(b"\n"):
        raise GitmemError("A commit that does not end in a line feed cannot be sealed.")
    return b"%b%b%b\n" % (body, _LEAD, _mac(key, body))


def read(key: bytes, raw: bytes) -> Seal | None:
    """The seal of a commit object, or None when ``key`` made none: a stale seal line means nothing more."""
    body, line = raw[:-_LINE_BYTES], raw[-_LINE_BYTES:]
    if not body.endswith(b"\n") or not line.startswith(_LEAD) or not line.endswith(b"\n"):
        return None
    if not equal(_mac(key, body), line[len(_LEAD) : -1]):
        return None
    return _said(body)


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac_sha256(key, _MAC_LABEL + body).hex().encode("ascii")


def _said(body: bytes) -> Seal:
    """What the last run of our lines says; a word that this version does not know vouches for nothing."""
    anchors, was = [], []
    lines = body.split(b"\n")[:-1]
    while lines and lines[-1].startswith(_OURS):
        line = lines.pop()
        if found := re.fullmatch(_ANCHOR, line):
            anchors.append(found[1].decode("ascii"))
        elif found := re.fullmatch(_WAS, line):
            was.append(found[1].decode("ascii"))
    anchor = anchors[0] if len(anchors) == 1 and anchors[0] in ANCHORS else ""
    return Seal(anchor, tuple(reversed(was)))

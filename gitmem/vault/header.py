"""The header of an age file: text to stanzas and back, and its MAC (C2SP age, "Header")."""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from typing import NamedTuple

from gitmem.hashing import equal, hmac_sha256
from gitmem.vault.faults import HeaderError, HeaderMacError
from gitmem.vault.hkdf import hkdf

VERSION = b"age-encryption.org/v1\n"
_COLUMNS = 64
_STANZA = rb"-> ([!-~]+(?: [!-~]+)*)\n((?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63})\n"
_FOOTER = rb"--- ([A-Za-z0-9+/]{43})\n"
# The header of a memory at once, because an index rebuild reads tens of thousands.
_OWN = (
    rb"age-encryption\.org/v1\n-> X25519 ([A-Za-z0-9+/]{43})\n([A-Za-z0-9+/]{43})\n--- ([A-Za-z0-9+/]{43})\n"
)


class Stanza(NamedTuple):
    """One wrapped copy of the file key: its kind and arguments, and the wrapped bytes."""

    args: tuple[str, ...]
    body: bytes

    @property
    def kind(self) -> str:
        """The first argument, which names the way of wrapping."""
        return self.args[0]


class Header(NamedTuple):
    """A parsed header: its stanzas, the bytes that its MAC covers, the MAC, and where the payload begins."""

    stanzas: tuple[Stanza, ...]
    covered: bytes
    mac: bytes
    end: int


def encode64(raw: bytes) -> str:
    """Canonical base64 without padding, the only one that age headers use."""
    return binascii.b2a_base64(raw, newline=False).rstrip(b"=").decode("ascii")


def decode64(text: str) -> bytes:
    """The bytes of canonical, unpadded base64.

    Raises:
        HeaderError: any other spelling.
    """
    try:
        raw = binascii.a2b_base64(text + "=" * (-len(text) % 4))
    except ValueError:
        raw = b""
    if encode64(raw) != text:  # also refuses foreign characters and spare bits
        raise HeaderError("A part of the header is not canonical base64.")
    return raw


def parse(data: bytes) -> Header:
    """Split ``data`` into header and payload; the MAC is not checked yet, because that takes the file key.

    Raises:
        HeaderError: not an age v1 header in its one exact spelling.
    """
    if own := re.compile(_OWN).match(data):
        share, wrapped, mac = (part.decode("ascii") for part in own.groups())
        stanza = Stanza(("X25519", share), decode64(wrapped))
        return Header((stanza,), data[: own.start(3) - 1], decode64(mac), own.end())
    if not data.startswith(VERSION):
        raise HeaderError("This is not an age v1 file.")
    stanzas = []
    at = len(VERSION)
    while found := re.compile(_STANZA).match(data, at):
        args, body = found.groups()
        text = body.replace(b"\n", b"").decode("ascii")
        stanzas.append(Stanza(tuple(args.decode("ascii").split(" ")), decode64(text)))
        at = found.end()
    footer = re.compile(_FOOTER).match(data, at)
    if not stanzas or not footer:
        raise HeaderError("The header of this age file is malformed.")
    return Header(tuple(stanzas), data[: at + 3], decode64(footer[1].decode("ascii")), footer.end())


def build(stanzas: Sequence[Stanza], file_key: bytes) -> bytes:
    """The whole header for these stanzas, MAC included."""
    parts = [VERSION]
    for stanza in stanzas:
        body = encode64(stanza.body)
        # one more turn than there are full lines: a stanza ends in a short line, even if an empty one
        lines = [body[at : at + _COLUMNS] for at in range(0, len(body) + 1, _COLUMNS)]
        parts.append("\n".join([" ".join(("->", *stanza.args)), *lines, ""]).encode("ascii"))
    covered = b"".join([*parts, b"---"])
    return b"%b %b\n" % (covered, encode64(_mac(file_key, covered)).encode("ascii"))


def check_mac(header: Header, file_key: bytes) -> None:
    """See that the header was written by someone who had ``file_key``.

    Raises:
        HeaderMacError: it was not.
    """
    if not equal(_mac(file_key, header.covered), header.mac):
        raise HeaderMacError("The header of this age file was changed.")


def _mac(file_key: bytes, covered: bytes) -> bytes:
    return hmac_sha256(hkdf(file_key, b"", b"header"), covered)

"""The vault's one secret, and every key that is derived from it."""

from __future__ import annotations

import os

from gitmem.errors import ConfigError
from gitmem.vault import bech32, paperform
from gitmem.vault.hkdf import hkdf

SECRET_BYTES = 32
_MARK = "AGE-SECRET-KEY-"
_HINT = "Give the whole line that begins AGE-SECRET-KEY-1, or the four lines of the paper."


class Identity:
    """An age X25519 identity: 32 secret bytes. Its ``repr`` and its errors never show them.

    Raises:
        ConfigError: not 32 bytes.
    """

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes) -> None:
        if len(raw) != SECRET_BYTES:
            raise ConfigError("A key has 32 bytes.")
        self._raw = raw

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and self._raw == other._raw

    def __hash__(self) -> int:
        return hash(self._raw)

    def __repr__(self) -> str:
        return "Identity()"

    @property
    def raw(self) -> bytes:
        """The secret bytes."""
        return self._raw

    @classmethod
    def generate(cls) -> Identity:
        """A new identity from the system's random source."""
        return cls(os.urandom(SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> Identity:
        """Read an identity file (``#`` lines are comments), a bare key in any case and spacing, or a paper.

        Raises:
            ConfigError: none of these, a typing mistake, or more than one key.
        """
        lines = text.removeprefix("\ufeff").splitlines()
        kept = [line for line in lines if not line.lstrip().startswith("#")]
        key = "".join("".join(kept).split()).upper()
        if not key:
            raise ConfigError("The key is empty.", _HINT)
        if _MARK in key:
            return cls(_secret(key))
        return cls(paperform.read("\n".join(kept)))

    @property
    def text(self) -> str:
        """The secret as age writes it: ``AGE-SECRET-KEY-1…``."""
        return bech32.encode(bech32.IDENTITY, self.raw).upper()


def vault_bytes(vault_id: str) -> bytes:
    """The 16 bytes of a vault id.

    Raises:
        ConfigError: not 32 lower-case hexadecimal digits.
    """
    if len(vault_id) != 32 or vault_id.strip("0123456789abcdef"):
        raise ConfigError("A vault id must be 32 lower-case hexadecimal digits.")
    return bytes.fromhex(vault_id)


def derive(identity: Identity, vault_id: str, label: str, length: int = 32) -> bytes:
    """``length`` key bytes for one purpose in one vault (docs/format.md, "Keys").

    Raises:
        ConfigError: a malformed vault id.
    """
    return hkdf(identity.raw, vault_bytes(vault_id), b"gitmem/v1/" + label.encode("ascii"), length)


def fingerprint(identity: Identity, vault_id: str) -> str:
    """16 hexadecimal digits by which to tell keys apart; they say nothing about the key."""
    return derive(identity, vault_id, "fingerprint", 8).hex()


def paper(identity: Identity) -> str:
    """The key as four lines to write down and type back (docs/format.md, "Paper form")."""
    return paperform.write(identity.raw)


def _secret(key: str) -> bytes:
    if key.count(_MARK) > 1:
        raise ConfigError("That text holds more than one key.", "Keep the line of the one that you mean.")
    if key.startswith(f"{_MARK}PQ-"):
        raise ConfigError("A vault cannot use a post-quantum key.", "Use one that begins AGE-SECRET-KEY-1.")
    prefix, raw = bech32.decode(key)
    if prefix != bech32.IDENTITY or len(raw) != SECRET_BYTES:
        raise ConfigError("That is not an age secret key.", _HINT)
    return raw

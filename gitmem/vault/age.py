"""age v1, in memory: bytes in, bytes out (the C2SP specification, c2sp.org/age)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Protocol

from gitmem.errors import ConfigError
from gitmem.vault import bech32, stream
from gitmem.vault.faults import HeaderError, NoMatchError
from gitmem.vault.header import Stanza, build, check_mac, parse
from gitmem.vault.hkdf import hkdf
from gitmem.vault.x25519 import X25519

MAX_BYTES = 2 << 20  # of a sealed file: what decrypt reads unless told otherwise
_POST_QUANTUM = "age-secret-key-pq-"
_FILE_KEY = 16
_NONCE = 16


class Key(Protocol):
    """Something that wraps a file key and gets it back: X25519, Passphrase or Hybrid."""

    def wrap(self, file_key: bytes) -> Stanza:
        """A stanza that only this key opens."""

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """The file key, or None when the stanza is not for this key."""


def load_key(text: str) -> Key:
    """The key of one ``AGE-SECRET-KEY-1…`` or ``AGE-SECRET-KEY-PQ-1…`` line.

    Raises:
        ConfigError: anything else.
    """
    prefix, raw = bech32.decode(text)
    if prefix not in (bech32.IDENTITY, _POST_QUANTUM) or len(raw) != 32:
        raise ConfigError("That is not an age secret key.")
    if prefix == bech32.IDENTITY:
        return X25519(raw)
    # late import: post-quantum keys are rare and their modules slow to load
    from gitmem.vault.hybrid import Hybrid

    return Hybrid(raw)


def encrypt(plaintext: bytes, keys: Sequence[Key]) -> bytes:
    """A binary age file that each of ``keys`` opens.

    Raises:
        ConfigError: no key at all, or a passphrase beside another key, which would let that one forge.
    """
    file_key = os.urandom(_FILE_KEY)
    stanzas = [key.wrap(file_key) for key in keys]
    if not stanzas or (len(stanzas) > 1 and any(stanza.kind == "scrypt" for stanza in stanzas)):
        raise ConfigError("An age file needs a key, and a passphrase must be the only one.")
    nonce = os.urandom(_NONCE)
    return build(stanzas, file_key) + nonce + stream.seal(hkdf(file_key, nonce, b"payload"), plaintext)


def decrypt(data: bytes, keys: Sequence[Key], limit: int = MAX_BYTES, alone: bool = False) -> bytes:
    """The plaintext of the binary age file ``data`` (at most ``limit`` bytes), by the first key that fits.

    ``alone`` refuses a file that is also for somebody else: whoever shares one file key can forge under it.

    Raises:
        TamperedError: malformed, changed or cut (HeaderError, HeaderMacError, PayloadError).
        WrongKeyError: well formed, but for other keys (NoMatchError).
    """
    if len(data) > limit:
        raise HeaderError(f"This sealed file is larger than {limit} bytes.")
    header = parse(data)
    file_key = _unwrap(_checked(header.stanzas, alone), keys)
    check_mac(header, file_key)
    begin = header.end + _NONCE
    if len(data) < begin:
        raise HeaderError("This age file ends before its payload.")
    return stream.unseal(hkdf(file_key, data[header.end : begin], b"payload"), data[begin:])


def _checked(stanzas: tuple[Stanza, ...], alone: bool) -> tuple[Stanza, ...]:
    if len(stanzas) > 1 and any(stanza.kind == "scrypt" for stanza in stanzas):
        raise HeaderError("A passphrase must be the only way into an age file.")
    if not alone:
        return stanzas
    # other programs add stanzas that nobody opens, so that readers keep skipping what they do not know
    real = tuple(stanza for stanza in stanzas if not stanza.kind.endswith("-grease"))
    if len(real) != 1:
        raise HeaderError("This file is sealed to more than one key.")
    return real


def _unwrap(stanzas: tuple[Stanza, ...], keys: Sequence[Key]) -> bytes:
    for key in keys:
        for stanza in stanzas:
            file_key = key.unwrap(stanza)
            if file_key is not None:
                return file_key
    raise NoMatchError("This age file is sealed to another key.")

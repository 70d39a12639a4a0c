"""The payload of an age file: STREAM over 64 KiB chunks of ChaCha20-Poly1305 (C2SP age, "Payload")."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag

from gitmem.vault.faults import PayloadError
from gitmem.vault.primitives import Cipher

_CHUNK = 64 * 1024
_TAG = 16
_ONLY = (1).to_bytes(12, "big")  # the nonce of a chunk that is the first and the last


def seal(key: bytes, plaintext: bytes) -> bytes:
    """``plaintext`` under ``key``, which must be used for nothing else."""
    cipher = Cipher(key)
    starts = range(0, max(len(plaintext), 1), _CHUNK)
    last = len(starts) - 1
    return b"".join(
        cipher.encrypt(_nonce(number, number == last), plaintext[at : at + _CHUNK], None)
        for number, at in enumerate(starts)
    )


def unseal(key: bytes, sealed: bytes) -> bytes:
    """The plaintext of a whole payload; never a part of it.

    Raises:
        PayloadError: a bit of it was changed, it was cut, or something follows it.
    """
    cipher = Cipher(key)
    starts = range(0, len(sealed), _CHUNK + _TAG)
    last = len(starts) - 1
    if last > 0 and len(sealed) - starts[last] <= _TAG:
        raise PayloadError("The payload of this age file ends in an empty chunk.")
    try:
        if last <= 0:
            return cipher.decrypt(_ONLY, sealed, None)
        chunks = [
            cipher.decrypt(_nonce(number, number == last), sealed[at : at + _CHUNK + _TAG], None)
            for number, at in enumerate(starts)
        ]
    except InvalidTag:
        raise PayloadError("The payload of this age file was changed or cut.") from None
    return b"".join(chunks)


def _nonce(number: int, final: bool) -> bytes:
    return (number << 8 | final).to_bytes(12, "big")

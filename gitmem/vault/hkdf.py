"""HKDF-SHA256 (RFC 5869) on ``hmac.digest``, which starts faster than the ready-made class."""

from __future__ import annotations

import hmac

_HASH_BYTES = 32


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int = 32) -> bytes:
    """``length`` key bytes (at most 8,160) from ``secret``; an empty salt is the RFC's string of zeros."""
    key = hmac.digest(salt, secret, "sha256")
    block = hmac.digest(key, info + b"\x01", "sha256")
    if length <= _HASH_BYTES:
        return block[:length]
    out = block
    for number in range(2, -(-length // _HASH_BYTES) + 1):
        block = hmac.digest(key, block + info + bytes([number]), "sha256")
        out += block
    return out[:length]

"""HKDF-SHA256 (RFC 5869) without the ready-made class, which starts slowly."""

from __future__ import annotations

from gitmem.hashing import hmac_sha256

_HASH_BYTES = 32


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int = 32) -> bytes:
    """``length`` key bytes (at most 8,160) from ``secret``; an empty salt is the RFC's string of zeros."""
    key = hmac_sha256(salt, secret)
    block = hmac_sha256(key, info + b"\x01")
    if length <= _HASH_BYTES:
        return block[:length]
    out = block
    for number in range(2, -(-length // _HASH_BYTES) + 1):
        block = hmac_sha256(key, block + info + bytes([number]))
        out += block
    return out[:length]

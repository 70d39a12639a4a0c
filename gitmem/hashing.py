"""SHA-1, SHA-256 and HMAC from the interpreter itself.

``hashlib`` and ``hmac`` load the system's OpenSSL first, which takes 4 ms of every start, and is no faster on
texts as short as ours. A Python that was built without its own hashes has those.
"""

from __future__ import annotations

from _operator import _compare_digest as equal  # what hmac.compare_digest is without OpenSSL
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = ["equal", "hmac_sha256", "sha1", "sha256"]

New = Callable[[bytes], "_Hash"]
_BLOCK = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


def choose(name: str, *modules: str) -> New:
    """The hash ``name`` by the first of ``modules`` that this Python has; the last one is always there."""
    for module in modules[:-1]:
        try:
            return cast("New", getattr(import_module(module), name))
        except ImportError:
            continue
    return cast("New", getattr(import_module(modules[-1]), name))


sha1 = choose("sha1", "_sha1", "hashlib")
sha256 = choose("sha256", "_sha2", "_sha256", "hashlib")  # the second name until Python 3.11


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """The HMAC of ``message`` (RFC 2104)."""
    if len(key) > _BLOCK:
        key = sha256(key).digest()
    key = key.ljust(_BLOCK, b"\0")
    inner = sha256(key.translate(_INNER) + message).digest()
    return sha256(key.translate(_OUTER) + inner).digest()

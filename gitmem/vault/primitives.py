"""X25519 and ChaCha20-Poly1305 by the shortest import.

The public modules of ``cryptography`` import every cipher and key format to re-export these four names, and
take twice as long as the extension module that holds them. Every command that opens a memory would pay for
that, so the extension module comes first, and the public names stand in when a release moves it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    Names = tuple[
        Callable[[], X25519PrivateKey],
        Callable[[bytes], X25519PrivateKey],
        Callable[[bytes], X25519PublicKey],
        type[ChaCha20Poly1305],
    ]

_NONCE = bytes(12)


def short_road() -> Names:
    """The four names from the extension module of ``cryptography`` (of release 50; not public)."""
    from cryptography.hazmat.bindings._rust import openssl

    keys = openssl.x25519
    return keys.generate_key, keys.from_private_bytes, keys.from_public_bytes, openssl.aead.ChaCha20Poly1305


def public_road() -> Names:
    """The same four names from the public modules."""
    # late import: it is what short_road saves
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    private = X25519PrivateKey
    return private.generate, private.from_private_bytes, X25519PublicKey.from_public_bytes, ChaCha20Poly1305


def choose(*roads: Callable[[], Names]) -> Names:
    """The names by the first road that this release of ``cryptography`` still has."""
    for road in roads[:-1]:
        try:
            return road()
        except (ImportError, AttributeError):
            continue
    return roads[-1]()


generate_private, private_key, public_key, Cipher = choose(short_road, public_road)


def wrap_key(key: bytes, file_key: bytes) -> bytes:
    """``file_key`` under ``key``. The nonce is zero because each such key is used once, as C2SP age rules."""
    return Cipher(key).encrypt(_NONCE, file_key, None)


def unwrap_key(key: bytes, wrapped: bytes) -> bytes | None:
    """The file key inside ``wrapped``, or None when ``key`` is not the one."""
    try:
        return Cipher(key).decrypt(_NONCE, wrapped, None)
    except InvalidTag:
        return None

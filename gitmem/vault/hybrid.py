"""The post-quantum stanza: a file key wrapped by HPKE over ML-KEM-768 and X25519 (C2SP, ``mlkem768x25519``).

Imported only when a file or key of this kind is there: few need it, and its modules are slow to load.
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite

from gitmem.vault.faults import HeaderError
from gitmem.vault.header import Stanza, decode64, encode64
from gitmem.vault.primitives import generate_private, private_key, public_key

KIND = "mlkem768x25519"
_INFO = b"age-encryption.org/mlkem768x25519"
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_MLKEM_SEED = 64
_MLKEM_BYTES = 1088
_ENC = _MLKEM_BYTES + 32
_WRAPPED = 32


class Hybrid:
    """Both halves of a post-quantum age identity, made from its 32 byte seed."""

    __slots__ = ("_private", "_public")

    def __init__(self, seed: bytes) -> None:
        expanded = hashlib.shake_256(seed).digest(_MLKEM_SEED + 32)
        self._private = MLKEM768X25519PrivateKey(
            MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED]), private_key(expanded[_MLKEM_SEED:])
        )
        self._public = self._private.public_key()

    def wrap(self, file_key: bytes) -> Stanza:
        """A stanza that only this identity opens."""
        sealed = _SUITE.encrypt(file_key, self._public, _INFO)
        return Stanza((KIND, encode64(sealed[:_ENC])), sealed[_ENC:])

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """The file key, or None when the stanza is of another kind or for another identity.

        Raises:
            HeaderError: a malformed stanza of this kind, or an X25519 share of small order.
        """
        if stanza.kind != KIND:
            return None
        enc = decode64(stanza.args[1]) if len(stanza.args) == 2 else b""
        if len(enc) != _ENC or len(stanza.body) != _WRAPPED or _small_order(enc[_MLKEM_BYTES:]):
            raise HeaderError("A post-quantum stanza of this age file is malformed.")
        try:
            return _SUITE.decrypt(enc + stanza.body, self._private, _INFO)
        except InvalidTag:
            return None


def _small_order(share: bytes) -> bool:
    # HPKE reports such a share like a wrong key; X25519 with any key of ours says so
    try:
        generate_private().exchange(public_key(share))
    except ValueError:
        return True
    return False

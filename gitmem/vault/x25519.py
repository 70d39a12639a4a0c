"""The X25519 stanza: a file key wrapped for one age identity (C2SP age, "The X25519 recipient type")."""

from __future__ import annotations

from gitmem.vault.faults import HeaderError
from gitmem.vault.header import Stanza, decode64, encode64
from gitmem.vault.hkdf import hkdf
from gitmem.vault.primitives import generate_private, private_key, public_key, unwrap_key, wrap_key

KIND = "X25519"
_INFO = b"age-encryption.org/v1/X25519"
_WRAPPED = 32  # a 16 byte file key and its tag


class X25519:
    """Both halves of an age identity, made from its 32 secret bytes; the recipient exists only in here."""

    __slots__ = ("_private", "_public")

    def __init__(self, raw: bytes) -> None:
        self._private = private_key(raw)
        self._public = self._private.public_key().public_bytes_raw()

    def wrap(self, file_key: bytes) -> Stanza:
        """A stanza that only this identity opens."""
        ephemeral = generate_private()
        share = ephemeral.public_key().public_bytes_raw()
        shared = ephemeral.exchange(public_key(self._public))
        key = hkdf(shared, share + self._public, _INFO)
        return Stanza((KIND, encode64(share)), wrap_key(key, file_key))

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """The file key, or None when the stanza is of another kind or for another identity.

        Raises:
            HeaderError: a malformed stanza of this kind, or a share of small order (its key is no secret).
        """
        if stanza.kind != KIND:
            return None
        share = decode64(stanza.args[1]) if len(stanza.args) == 2 else b""
        if len(share) != 32 or len(stanza.body) != _WRAPPED:
            raise HeaderError("An X25519 stanza of this age file is malformed.")
        try:
            shared = self._private.exchange(public_key(share))
        except ValueError:
            shared = b""
        if not shared:
            raise HeaderError("An X25519 stanza of this age file holds a forbidden share.")
        return unwrap_key(hkdf(shared, share + self._public, _INFO), stanza.body)

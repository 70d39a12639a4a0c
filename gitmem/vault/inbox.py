"""The inbox identity: what the world may seal to the vault, opened by a key that opens nothing else in it."""

from __future__ import annotations

import hmac

from gitmem.errors import InvalidMemoryError
from gitmem.vault import age, armor, bech32
from gitmem.vault.keys import Identity, derive
from gitmem.vault.primitives import private_key
from gitmem.vault.x25519 import X25519

MAX_SEALED = 64 << 10  # bytes: an issue's body holds 65,536 characters, so nothing larger can come in
ARMOR = b"-----BEGIN AGE ENCRYPTED FILE-----"
_LABEL = "inbox"
_LABEL_ID = "inbox-id"
_RECIPIENT = "age"


class Inbox:
    """The inbox of one vault, derived from its identity; ``recipient`` is public, and all of its ``repr``.

    Whoever has the recipient can seal to it, so what it opens proves nothing about who wrote it.

    Raises:
        ConfigError: a malformed vault id.
    """

    __slots__ = ("_id_key", "_key", "recipient")

    def __init__(self, identity: Identity, vault_id: str) -> None:
        scalar = derive(identity, vault_id, _LABEL)
        self._key = X25519(scalar)
        self._id_key = derive(identity, vault_id, _LABEL_ID)
        self.recipient = bech32.encode(_RECIPIENT, private_key(scalar).public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"Inbox({self.recipient})"

    def open(self, sealed: bytes) -> bytes:
        """The content of an age file, binary or armored, of at most 64 KiB.

        Raises:
            InvalidMemoryError: it is larger.
            TamperedError: malformed, changed or cut.
            WrongKeyError: sealed to another key.
        """
        if len(sealed) > MAX_SEALED:
            raise InvalidMemoryError("What came in is larger than 64 KiB.", "It stays where it is.")
        binary = armor.decode(sealed) if sealed.lstrip().startswith(ARMOR) else sealed
        return age.decrypt(binary, [self._key], limit=MAX_SEALED)

    def mark(self, origin: str) -> bytes:
        """Ten bytes that stand for ``origin`` in this vault: the same on all its devices, and nowhere else.

        A memory's id is made of them, so that two devices which take the same thing in write the same memory.
        """
        return hmac.digest(self._id_key, origin.encode("utf-8", "replace"), "sha256")[:10]

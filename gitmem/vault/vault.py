"""One vault's secrets at work: documents sealed and opened, commits signed and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmem.errors import InvalidMemoryError, TamperedError
from gitmem.vault import seals
from gitmem.vault.keys import Identity, derive, fingerprint

if TYPE_CHECKING:
    from gitmem.vault.x25519 import X25519

MAX_SEALED = 2 << 20  # bytes; larger files are not opened, so none are made
LABEL_SEAL = "commit-seal"
LABEL_INDEX = "index"


class Vault:
    """An identity in one vault. ``repr`` shows the vault's id only.

    Attributes: ``id`` (32 hex digits), ``identity``, ``index_key`` (32 bytes for the search index).

    Raises:
        ConfigError: a malformed vault id.
    """

    __slots__ = ("_key", "_seal_key", "id", "identity", "index_key")

    def __init__(self, identity: Identity, vault_id: str) -> None:
        self.id = vault_id
        self.identity = identity
        self.index_key = derive(identity, vault_id, LABEL_INDEX)
        self._seal_key = derive(identity, vault_id, LABEL_SEAL)
        self._key: X25519 | None = None

    def __repr__(self) -> str:
        return f"Vault({self.id})"

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits by which to tell this vault's keys apart."""
        return fingerprint(self.identity, self.id)

    def seal(self, document: bytes) -> bytes:
        """``document``, padded with line feeds so that its size says little, as a binary age file.

        Raises:
            InvalidMemoryError: the sealed file would be larger than 2 MiB.
        """
        # late import, as in open: listing, counting and verifying need no cipher, which takes 10 ms to load
        from gitmem.vault import age

        sealed = age.encrypt(document.ljust(padme(len(document)), b"\n"), [self._own_key()])
        if len(sealed) > MAX_SEALED:
            raise InvalidMemoryError("That is too large to seal: the limit is 2 MiB.")
        return sealed

    def open(self, sealed: bytes) -> bytes:
        """The document inside an age file, padding included.

        Raises:
            TamperedError: sealed to another key or one more, malformed, changed, cut, or larger than 2 MiB.
        """
        from gitmem.vault import age, faults

        try:
            return age.decrypt(sealed, [self._own_key()], limit=MAX_SEALED, alone=True)
        except faults.NoMatchError:
            raise TamperedError("This file was not sealed with the vault's key.") from None

    def sign(self, body: bytes) -> bytes:
        """The whole content of a sealed commit object, from all of its bytes before the seal line."""
        return seals.sign(self._seal_key, body)

    def read_seal(self, raw: bytes) -> seals.Seal | None:
        """The seal of a commit object, or None when it is not sealed with this key in this vault."""
        return seals.read(self._seal_key, raw)

    def _own_key(self) -> X25519:
        if self._key is None:
            from gitmem.vault.x25519 import X25519

            self._key = X25519(self.identity.raw)
        return self._key


def padme(size: int) -> int:
    """``size`` rounded up by at most 12 %, so that only its first bits show (arxiv.org/abs/1806.03160)."""
    if size < 2:
        return size
    exponent = size.bit_length() - 1
    hidden = exponent - exponent.bit_length()
    mask = (1 << hidden) - 1
    return size + mask & ~mask

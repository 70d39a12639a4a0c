"""The scrypt stanza: a file key wrapped with a passphrase (C2SP age, "The scrypt recipient type")."""

from __future__ import annotations

import os
import re

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from gitmem.errors import ConfigError, LockedError
from gitmem.vault.faults import HeaderError
from gitmem.vault.header import Stanza, decode64, encode64
from gitmem.vault.primitives import unwrap_key, wrap_key

KIND = "scrypt"
MAX_LOG_N = 20  # 1 GiB and some seconds; a header is read before anything vouches for it
_LABEL = b"age-encryption.org/v1/scrypt"
_SALT = 16
_WRAPPED = 32
_LOG_N = re.compile(r"[1-9][0-9]?")


class Passphrase:
    """A passphrase as a key; ``log_n`` is the work factor for wrapping, each step doubling time and memory.

    Raises:
        ConfigError: an empty passphrase, one that is not Unicode text, or a work factor outside 1 to 20.
    """

    __slots__ = ("_log_n", "_secret")

    def __init__(self, text: str, log_n: int = 18) -> None:
        secret = text.encode("utf-8", "replace")
        if not text or secret.decode("utf-8") != text:
            raise ConfigError(
                "The passphrase must be text, and not empty.", "Nothing was changed; type another one."
            )
        if not 1 <= log_n <= MAX_LOG_N:
            raise ConfigError(f"The work factor must lie between 1 and {MAX_LOG_N}.")
        self._secret = secret
        self._log_n = log_n

    def wrap(self, file_key: bytes) -> Stanza:
        """A stanza that only this passphrase opens; it must be the only one of its file."""
        salt = os.urandom(_SALT)
        key = self._stretched(salt, self._log_n)
        return Stanza((KIND, encode64(salt), str(self._log_n)), wrap_key(key, file_key))

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """The file key, or None when the stanza is of another kind or for another passphrase.

        Raises:
            HeaderError: a malformed stanza of this kind, or a work factor above 20, refused before any work.
            LockedError: this machine has not enough memory for the work factor.
        """
        if stanza.kind != KIND:
            return None
        if len(stanza.args) != 3 or len(stanza.body) != _WRAPPED or not _LOG_N.fullmatch(stanza.args[2]):
            raise HeaderError("The passphrase stanza of this age file is malformed.")
        salt, log_n = decode64(stanza.args[1]), int(stanza.args[2])
        if len(salt) != _SALT:
            raise HeaderError("The passphrase stanza of this age file is malformed.")
        if log_n > MAX_LOG_N:
            raise HeaderError("The passphrase stanza of this age file asks for too much work.")
        return unwrap_key(self._stretched(salt, log_n), stanza.body)

    def _stretched(self, salt: bytes, log_n: int) -> bytes:
        try:
            return Scrypt(salt=_LABEL + salt, length=32, n=1 << log_n, r=8, p=1).derive(self._secret)
        except MemoryError:
            need = max(1, 1 << log_n >> 10)
            raise LockedError(
                f"There is not enough memory to use the passphrase: it takes {need} MiB.",
                "Use the key itself on this machine: set GITMEM_KEY or a key file.",
            ) from None

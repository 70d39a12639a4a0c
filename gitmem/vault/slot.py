"""The passphrase slot: the identity, locked with a passphrase, as it may lie in the repository."""

from __future__ import annotations

import re

from gitmem.errors import TamperedError, WrongKeyError
from gitmem.vault import age
from gitmem.vault.faults import NoMatchError
from gitmem.vault.keys import Identity, vault_bytes
from gitmem.vault.passphrase import Passphrase

PATH = ".gitmem/key.age"
_FIRST_LINE = re.compile(r"# gitmem: \.gitmem/key\.age of vault ([0-9a-f]{32})\n")
_LIMIT = 4096  # bytes
_OTHER_WAYS = "Nothing of it was used; `gitmem key restore` takes the key itself."


def lock(identity: Identity, vault_id: str, passphrase: str, log_n: int = 18) -> bytes:
    """An age file that ``age -d`` opens too, giving an identity file; its first line says where it belongs.

    Raises:
        ConfigError: an empty passphrase or a malformed vault id.
        LockedError: not enough memory for the work factor (2**18 takes 256 MiB).
    """
    vault_bytes(vault_id)
    inside = f"# gitmem: {PATH} of vault {vault_id}\n{identity.text}\n"
    return age.encrypt(inside.encode("ascii"), [Passphrase(passphrase, log_n)])


def unlock(sealed: bytes, passphrase: str, vault_id: str = "") -> Identity:
    """The identity inside a slot, which must be of ``vault_id`` when that is given.

    Raises:
        WrongKeyError: another passphrase, or the slot of another vault.
        TamperedError: malformed, changed, no slot, or a work factor above 2**20 (refused before any work).
        LockedError: not enough memory for the work factor.
    """
    try:
        inside = age.decrypt(sealed, [Passphrase(passphrase)], limit=_LIMIT)
    except NoMatchError:
        raise WrongKeyError(
            "That passphrase does not open the vault's key.", "Nothing was changed; try again."
        ) from None
    text = inside.decode("ascii", "replace")
    first = _FIRST_LINE.match(text)
    if not first:
        raise TamperedError("The passphrase slot does not hold a vault's key.", _OTHER_WAYS)
    if vault_id and first[1] != vault_id:
        raise WrongKeyError("The passphrase slot belongs to another vault.", _OTHER_WAYS)
    return Identity.parse(text)

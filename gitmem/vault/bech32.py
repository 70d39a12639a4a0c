"""Bech32 (BIP 173) as age writes its keys: any length, upper-case for secrets."""

from __future__ import annotations

from collections.abc import Iterable

from gitmem.errors import ConfigError

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUE = {char: value for value, char in enumerate(_ALPHABET)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
IDENTITY = "age-secret-key-"  # the prefix of an X25519 identity
_CHECK = 6  # characters of checksum
_HINT = "Nothing was changed; copy the whole line again."


def encode(prefix: str, raw: bytes) -> str:
    """``prefix`` (lower case) and ``raw`` as one lower-case Bech32 string."""
    number = int.from_bytes(raw, "big") << (-len(raw) * 8 % 5)
    count = -(-len(raw) * 8 // 5)
    values = [number >> 5 * place & 31 for place in reversed(range(count))]
    check = _polymod([*_expanded(prefix), *values, *[0] * _CHECK]) ^ 1
    values += [check >> 5 * place & 31 for place in reversed(range(_CHECK))]
    return f"{prefix}1" + "".join(_ALPHABET[value] for value in values)


def decode(text: str) -> tuple[str, bytes]:
    """The prefix in lower case and the bytes of a Bech32 string in one case.

    Raises:
        ConfigError: mixed case, a character outside the alphabet, a wrong checksum, or bits left over.
    """
    if text not in (text.lower(), text.upper()):
        raise ConfigError("The key mixes upper and lower case.", _HINT)
    prefix, one, data = text.lower().rpartition("1")
    values = [_VALUE.get(char, -1) for char in data]
    readable = one and prefix and prefix.isascii() and prefix.isprintable() and " " not in prefix
    if not readable or len(values) < _CHECK or -1 in values:
        raise ConfigError("That is not a key: a character in it cannot be part of one.", _HINT)
    if _polymod([*_expanded(prefix), *values]) != 1:
        raise ConfigError("The key is mistyped: its checksum does not fit.", _HINT)
    return prefix, _bytes(values[:-_CHECK])


def _bytes(values: list[int]) -> bytes:
    number = 0
    for value in values:
        number = number << 5 | value
    spare = len(values) * 5 % 8
    if spare >= 5 or number & ((1 << spare) - 1):
        raise ConfigError("The key is mistyped: bits are left over at its end.", _HINT)
    return (number >> spare).to_bytes(len(values) * 5 // 8, "big")


def _expanded(prefix: str) -> list[int]:
    codes = prefix.encode("ascii")
    return [code >> 5 for code in codes] + [0] + [code & 31 for code in codes]


def _polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate(_GENERATOR):
            if top >> bit & 1:
                check ^= term
    return check

"""A key on paper: four numbered lines of sixteen characters, each with its own check, made to be typed back.

A line is fourteen characters of key and two of check, in Crockford's base 32. The check is the number that
the line spells, with the line's own number in front of it, modulo 1021: a prime, so that one wrong character,
two swapped ones and two swapped lines always show. The last 24 bits are a checksum of the whole, so that
lines of two papers do not mix.
"""

from __future__ import annotations

from gitmem.errors import ConfigError
from gitmem.hashing import sha256

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U
_VALUE = {char: value for value, char in enumerate(_ALPHABET)}
_CONFUSED = str.maketrans("OIL", "011")
_LINES = 4
_CHARS = 16
_CHECK_CHARS = 2
_PRIME = 1021
_BITS = 5 * (_CHARS - _CHECK_CHARS)
_WHOLE_CHECK = 3  # bytes
_HINT = "Compare it with the paper, character by character, and type the key again."


def write(raw: bytes) -> str:
    """The 32 bytes ``raw`` as four lines of text."""
    number = int.from_bytes(raw + _checksum(raw), "big")
    lines = []
    for line in range(1, _LINES + 1):
        value = number >> _BITS * (_LINES - line) & ((1 << _BITS) - 1)
        text = _spelled(value, _CHARS - _CHECK_CHARS) + _spelled(_check(line, value), _CHECK_CHARS)
        lines.append(f"{line}:  " + " ".join(text[at : at + 4] for at in range(0, _CHARS, 4)) + "\n")
    return "".join(lines)


def read(text: str) -> bytes:
    """The 32 bytes that were typed back: any case, spacing and line breaks, O for 0, I or L for 1.

    Raises:
        ConfigError: names the line with the mistake, never what was typed.
    """
    number = 0
    for line, chars in enumerate(_lines(text), start=1):
        number = number << _BITS | _value(line, chars)
    raw, checksum = number.to_bytes(35, "big")[:-_WHOLE_CHECK], number & 0xFFFFFF
    if checksum.to_bytes(_WHOLE_CHECK, "big") != _checksum(raw):
        raise ConfigError("Each line of the key is right, but they do not belong together.", _HINT)
    return raw


def _lines(text: str) -> list[str]:
    typed = [_cleaned(line) for line in text.splitlines()]
    lines = [line for line in typed if line]
    if len(lines) != _LINES:  # broken elsewhere: only the whole length tells where the lines were
        joined = "".join(lines)
        width, rest = divmod(len(joined), _LINES)
        if rest or width not in (_CHARS, _CHARS + 1):
            raise ConfigError(
                "That is neither AGE-SECRET-KEY-1… nor a key on paper, which has four lines of sixteen.",
                _HINT,
            )
        lines = [joined[at : at + width] for at in range(0, len(joined), width)]
    return [_without_number(number, line) for number, line in enumerate(lines, start=1)]


def _cleaned(line: str) -> str:
    return "".join(char for char in line.upper() if char.isalnum()).translate(_CONFUSED)


def _without_number(number: int, line: str) -> str:
    if len(line) == _CHARS + 1 and line[0] == str(number):
        line = line[1:]
    if len(line) != _CHARS:
        raise ConfigError(f"Line {number} of the key does not have sixteen characters.", _HINT)
    return line


def _value(line: int, chars: str) -> int:
    value = 0
    for char in chars:
        if char not in _VALUE:
            raise ConfigError(f"Line {line} of the key holds a character that is never used.", _HINT)
        value = value << 5 | _VALUE[char]
    value, check = value >> 5 * _CHECK_CHARS, value & ((1 << 5 * _CHECK_CHARS) - 1)
    if check != _check(line, value):
        raise ConfigError(f"Line {line} of the key is mistyped.", _HINT)
    return value


def _check(line: int, value: int) -> int:
    return (line << _BITS | value) % _PRIME


def _checksum(raw: bytes) -> bytes:
    return sha256(b"gitmem paper v1\0" + raw).digest()[:_WHOLE_CHECK]


def _spelled(value: int, count: int) -> str:
    return "".join(_ALPHABET[value >> 5 * place & 31] for place in reversed(range(count)))

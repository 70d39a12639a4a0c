"""The text form of an age file (C2SP age, "ASCII armor"): strict PEM labelled ``AGE ENCRYPTED FILE``."""

from __future__ import annotations

import binascii

from gitmem.vault.faults import ArmorError

_BEGIN = b"-----BEGIN AGE ENCRYPTED FILE-----"
_END = b"-----END AGE ENCRYPTED FILE-----"
_COLUMNS = 64
_SPACE = b" \t\r\n"


def encode(data: bytes) -> bytes:
    """``data`` as armor: lines of 64 columns, each ending in one LF."""
    text = binascii.b2a_base64(data, newline=False)
    lines = [text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS)]
    return b"\n".join([_BEGIN, *lines, _END, b""])


def decode(text: bytes) -> bytes:
    """The bytes inside armor. White space around it and CRLF line ends are allowed, nothing else is.

    Raises:
        ArmorError: anything the specification does not allow.
    """
    lines = text.strip(_SPACE).replace(b"\r\n", b"\n").split(b"\n")
    if len(lines) < 2 or lines[0] != _BEGIN or lines[-1] != _END:
        raise ArmorError("The armor does not begin and end as it must.")
    body = lines[1:-1]
    if any(len(line) != _COLUMNS for line in body[:-1]) or (body and not 0 < len(body[-1]) <= _COLUMNS):
        raise ArmorError("A line of the armor has the wrong length.")
    joined = b"".join(body)
    try:
        data = binascii.a2b_base64(joined)
    except binascii.Error:
        data = b""
    if binascii.b2a_base64(data, newline=False) != joined:  # also refuses foreign characters and spare bits
        raise ArmorError("The armor is not canonical base64.")
    return data

"""Text that comes in: from arguments, a file, or standard input, as UTF-8 of at most 1 MiB."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import BinaryIO

from gitmem.errors import InvalidMemoryError, NotFoundError
from gitmem.memory.memory import MAX_BYTES

_KEPT = "Nothing was written; the input stays where it came from."


def text_of(words: Sequence[str], file: str) -> str | None:
    """The text that a command was given, or None when it was given none and somebody sits at the terminal.

    ``-`` as the only word means standard input, and so does nothing at all without a terminal.

    Raises:
        InvalidMemoryError: not UTF-8, empty, or more than 1 MiB.
        NotFoundError: there is no such file.
    """
    if file and file != "-":
        return from_file(file)
    if file == "-" or tuple(words) == ("-",) or (not words and not sys.stdin.isatty()):
        return from_stream(sys.stdin.buffer)
    if not words:
        return None
    return _checked(" ".join(words).encode("utf-8", "surrogateescape"))


def from_file(path: str) -> str:
    """The text of a file.

    Raises:
        InvalidMemoryError: not UTF-8, empty, or more than 1 MiB.
        NotFoundError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return from_stream(file)
    except OSError as error:
        raise NotFoundError(f"{path} cannot be read: {error.strerror}.", "Nothing was written.") from error


def from_stream(stream: BinaryIO) -> str:
    """The text of an open stream, at most 1 MiB of UTF-8; errors as :func:`text_of`."""
    return _checked(stream.read(MAX_BYTES + 1))


def _checked(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise InvalidMemoryError("The text is longer than 1 MiB, the most that one memory holds.", _KEPT)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        # Not chained: the decoder's error carries the text.
        raise InvalidMemoryError("The text is not UTF-8.", _KEPT) from None
    if not text.strip():
        raise InvalidMemoryError("There is no text to remember.", _KEPT)
    return text.removeprefix("\ufeff").replace("\r\n", "\n")

"""Which texts the vault holds already: a short list that spares a write from opening the search index.

A derived file like the index: records of a commit id and the keyed print of one text, appended in order.
It is complete for the commit of its last record, and for no other. A print that is not in it is new for sure;
for one that is the index is asked, which also knows what was forgotten, expired or superseded since.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from gitmem.hashing import hmac_sha256

PRINT = 8  # as much of a text's fingerprint, in bytes, as the index keeps
_COMMIT, _PRINT = 20, 16  # bytes
_RECORD = _COMMIT + _PRINT
_NOTHING = bytes(_PRINT)  # a commit that brought no text


class Seen:
    """The list of one vault; ``key`` makes the prints useless to others. Never fails: it is a shortcut."""

    def __init__(self, path: str, key: bytes) -> None:
        self._path = path
        self._key = key

    def lacks(self, fingerprint: bytes, commit: str) -> bool:
        """Whether no memory that ``commit`` holds has that text; False also means "not known"."""
        try:
            with open(self._path, "rb") as file:
                records = file.read()
        except OSError:
            return False
        if len(records) % _RECORD or records[-_RECORD:-_PRINT] != bytes.fromhex(commit):
            return False
        wanted, at = self._keyed(fingerprint), 0
        while (at := records.find(wanted, at)) >= 0:
            if at % _RECORD == _COMMIT:
                return False
            at += 1
        return True

    def add(self, before: str, commit: str, fingerprints: Iterable[bytes]) -> None:
        """``commit`` followed ``before`` and brought these texts; ignored for a list of another commit."""
        try:
            with open(self._path, "r+b") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _RECORD))
                if size % _RECORD == 0 and file.read(_COMMIT) == bytes.fromhex(before):
                    file.seek(size)
                    file.write(self._records(commit, fingerprints))
        except OSError:
            return

    def rewrite(self, commit: str, fingerprints: Iterable[bytes]) -> None:
        """Make the list anew for everything that ``commit`` holds."""
        temporary = f"{self._path}.{os.getpid()}"
        try:
            with open(temporary, "wb") as file:
                file.write(self._records(commit, fingerprints))
            os.replace(temporary, self._path)
        except OSError:
            return

    def _records(self, commit: str, fingerprints: Iterable[bytes]) -> bytes:
        oid = bytes.fromhex(commit)
        return b"".join(oid + self._keyed(one) for one in fingerprints) or oid + _NOTHING

    def _keyed(self, fingerprint: bytes) -> bytes:
        return hmac_sha256(self._key, b"seen\0" + fingerprint[:PRINT])[:_PRINT]

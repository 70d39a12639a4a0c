"""Many new objects as one pack: versions of a folder as differences, which loose they would not be.

Format: git's `gitformat-pack`. A vault of ten thousand commits holds gigabytes of trees, all but equal.
"""

from __future__ import annotations

import zlib
from hashlib import sha1

from gitmem.repo.git import Git

_KINDS = {"commit": 1, "tree": 2, "blob": 3}
_DELTA = 7  # by the id of its base
_DEEPEST = 40  # differences in a row: each is a step for whoever reads the last one
_SMALL = 200  # bytes; below, a difference saves nothing
_COPY, _INSERT = 0xFFFFFF, 0x7F  # the most that one instruction copies or inserts


class Pack:
    """Objects are added and named at once; they are in the repository after ``store``."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._bodies: list[bytes] = []
        self._names: set[str] = set()
        self._last: dict[str, tuple[str, bytes, int]] = {}  # line of versions → id, content, depth

    def add(self, kind: str, content: bytes, line: str = "") -> str:
        """Take an object in and return its id; ``line`` names the one whose next version it is."""
        oid = sha1(b"%b %d\0" % (kind.encode(), len(content)) + content, usedforsecurity=False).hexdigest()
        if oid in self._names:
            return oid
        self._names.add(oid)
        base, before, depth = self._last.get(line, ("", b"", _DEEPEST))
        if len(content) < _SMALL or depth >= _DEEPEST:
            self._bodies.append(_head(_KINDS[kind], len(content)) + zlib.compress(content, 1))
            depth = 0
        else:
            steps = difference(before, content)
            body = _head(_DELTA, len(steps)) + bytes.fromhex(base) + zlib.compress(steps, 1)
            self._bodies.append(body)
        if line:
            self._last[line] = (oid, content, depth + 1)
        return oid

    def store(self) -> None:
        """Put all of it into the repository.

        Raises:
            GitFailed: the disk is full or the like.
        """
        if not self._bodies:
            return
        data = (
            b"PACK" + (2).to_bytes(4, "big") + len(self._bodies).to_bytes(4, "big") + b"".join(self._bodies)
        )
        self._git.run("index-pack", "--stdin", data=data + sha1(data, usedforsecurity=False).digest())
        self._bodies = []


def difference(before: bytes, after: bytes) -> bytes:
    """What makes ``after`` of ``before``: what both begin and end with is copied, the rest inserted."""
    start = _alike(before, after)
    end = _alike(before[start:][::-1], after[start:][::-1])
    out = bytearray(_number(len(before)) + _number(len(after)))
    _copy(out, 0, start)
    middle = after[start : len(after) - end]
    for at in range(0, len(middle), _INSERT):
        piece = middle[at : at + _INSERT]
        out += bytes([len(piece)]) + piece
    _copy(out, len(before) - end, end)
    return bytes(out)


def _alike(one: bytes, other: bytes) -> int:
    """How many bytes two texts begin with in common."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        half = (low + high + 1) // 2
        if one[low:half] == other[low:half]:
            low = half
        else:
            high = half - 1
    return low


def _copy(out: bytearray, at: int, size: int) -> None:
    while size:
        now = min(size, _COPY)
        flags, fields = 0x80, b""
        for bit, byte in enumerate(at.to_bytes(4, "little") + now.to_bytes(3, "little")):
            if byte:
                flags |= 1 << bit
                fields += bytes([byte])
        out += bytes([flags]) + fields
        at, size = at + now, size - now


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _head(kind: int, size: int) -> bytes:
    first, size = kind << 4 | size & 0xF, size >> 4
    if not size:
        return bytes([first])
    return bytes([first | 0x80]) + _number(size)

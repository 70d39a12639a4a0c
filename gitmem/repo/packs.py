"""Single objects out of git's packs without a git process, which takes longer to start than to answer.

Formats: git's `gitformat-pack`, index version 2. Whatever is not plain (another version, a long chain of
differences, a damaged file, a system without ``pread``) is left to git, which also knows what to say of it.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator

_MAGIC = b"\xfftOc\0\0\0\x02"
_NAMES = 8 + 256 * 4  # where the names of the objects begin
_WHOLE = (1, 2, 3)  # commit, tree, blob
_BY_PLACE, _BY_NAME = 6, 7  # differences: to an object further up in the file, or to one by its id
_DEEPEST = 12  # differences in a row; git applies long chains faster
_LARGEST = 16 << 20  # bytes of one object; larger ones are left to git
_AHEAD = 1 << 10  # bytes read before an object's size is known


class Packs:
    """The packs of one object directory, opened when first needed."""

    def __init__(self, directory: str) -> None:
        self._folder = os.path.join(directory, "pack")
        self._packs: list[_Pack] | None = None

    def read(self, oid: str, limit: int = 0) -> bytes | None:
        """The content of an object, or None when git should be asked for it; also beyond ``limit`` bytes."""
        name = bytes.fromhex(oid)
        if self._packs is None:
            self._packs = list(_found(self._folder))
        try:
            found = self._object(name, _DEEPEST)
            return None if found is None or (limit and len(found) > limit) else found
        except (OSError, zlib.error, IndexError):
            return None

    def close(self) -> None:
        """Let go of the files."""
        for pack in self._packs or ():
            pack.close()
        self._packs = None

    def _object(self, name: bytes, depth: int) -> bytes | None:
        for pack in self._packs or ():
            place = pack.place(name)
            if place is not None:
                return self._at(pack, place, depth)
        return None

    def _at(self, pack: _Pack, place: int, depth: int) -> bytes | None:
        kind, size, base, body = pack.head(place)
        if size > _LARGEST or depth < 0:
            return None
        if kind in _WHOLE:
            return pack.inflated(body, size)
        if kind == _BY_PLACE:
            before = self._at(pack, place - int.from_bytes(base, "big"), depth - 1)
        elif kind == _BY_NAME:
            before = self._object(base, depth - 1)
        else:
            return None
        steps = pack.inflated(body, size) if before is not None else None
        return applied(before, steps) if before is not None and steps is not None else None


class _Pack:
    """One pack and its index."""

    def __init__(self, index: int, data: int) -> None:
        self._index = index
        self._data = data
        fanout = os.pread(index, 256 * 4, 8)
        self._fanout = [int.from_bytes(fanout[at : at + 4], "big") for at in range(0, len(fanout), 4)]
        self._count = self._fanout[-1]

    def close(self) -> None:
        os.close(self._index)
        os.close(self._data)

    def place(self, name: bytes) -> int | None:
        """Where the object begins in the pack."""
        first = self._fanout[name[0] - 1] if name[0] else 0
        names = os.pread(self._index, (self._fanout[name[0]] - first) * 20, _NAMES + first * 20)
        at = names.find(name)
        while at % 20 and at >= 0:
            at = names.find(name, at + 1)
        if at < 0:
            return None
        offsets = _NAMES + self._count * 24  # behind the names and the checksums
        place = int.from_bytes(os.pread(self._index, 4, offsets + (first + at // 20) * 4), "big")
        if place >> 31:  # of a pack beyond 2 GiB
            wide = offsets + self._count * 4 + (place & 0x7FFFFFFF) * 8
            place = int.from_bytes(os.pread(self._index, 8, wide), "big")
        return place

    def head(self, place: int) -> tuple[int, int, bytes, int]:
        """Kind, size, base (an id, or how far back it lies) and where the compressed content begins."""
        start = os.pread(self._data, 64, place)
        kind, size, shift, at = start[0] >> 4 & 7, start[0] & 15, 4, 1
        while start[at - 1] & 0x80:
            size |= (start[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
        if kind == _BY_NAME:
            return kind, size, start[at : at + 20], place + at + 20
        back = b""
        if kind == _BY_PLACE:
            value = start[at] & 0x7F
            while start[at] & 0x80:
                at += 1
                value = (value + 1) << 7 | start[at] & 0x7F
            back, at = value.to_bytes(8, "big"), at + 1
        return kind, size, back, place + at

    def inflated(self, place: int, size: int) -> bytes | None:
        """The content that is compressed there, None when it is not of that size."""
        stream, found = zlib.decompressobj(), b""
        want = size + _AHEAD
        while not stream.eof:
            raw = os.pread(self._data, want, place)
            if not raw:
                return None
            found += stream.decompress(raw, size + 1 - len(found))
            place += len(raw)
            if len(found) > size:
                return None
        return found if len(found) == size else None


def applied(before: bytes, steps: bytes) -> bytes | None:
    """What the difference ``steps`` makes of ``before``; None when it does not fit."""
    old, at = _number(steps, 0)
    new, at = _number(steps, at)
    parts, left = [], min(new, _LARGEST)
    while at < len(steps) and left >= 0:
        step = steps[at]
        at += 1
        if step & 0x80:
            fields = [0] * 7
            for bit in range(7):
                if step >> bit & 1:
                    fields[bit] = steps[at]
                    at += 1
            start, size = int.from_bytes(fields[:4], "little"), int.from_bytes(fields[4:], "little")
            parts.append(before[start : start + (size or 0x10000)])
        else:
            parts.append(steps[at : at + step])
            at += step
        left -= len(parts[-1])
    after = b"".join(parts)
    return after if (len(before), len(after)) == (old, new) else None


def _number(steps: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = steps[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at


def _found(folder: str) -> Iterator[_Pack]:
    if not hasattr(os, "pread"):
        return
    try:
        names = [name for name in os.listdir(folder) if name.endswith(".idx")]
    except OSError:
        return
    for name in names:
        path = os.path.join(folder, name)
        opened = []
        try:
            opened = [os.open(path, os.O_RDONLY), os.open(f"{path[:-4]}.pack", os.O_RDONLY)]
            if os.pread(opened[0], 8, 0) == _MAGIC:
                yield _Pack(*opened)
                continue
        except OSError:
            pass
        for descriptor in opened:
            os.close(descriptor)

"""Git objects by id: read loose or through one cat-file, written loose."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator, Sequence

from gitmem.errors import GitmemError, NotFoundError, TamperedError
from gitmem.hashing import sha1
from gitmem.repo.git import Batch, Git
from gitmem.repo.packs import Packs

MAX_BLOB = 2 << 20  # larger objects are never opened (commit-seals.md section 10)
_RECENT = 256
_TRIES = 20
_MANY = 64  # objects; above, one wait for the whole disk is shorter
_CROWD = 192  # loose objects: about 32 writes
_SAMPLE = tuple(f"{high:x}7" for high in range(16))  # of 256 folders: object names are evenly spread
_FEW = 64  # objects; more are faster through git
_WINDOW = 48  # ids; two windows in flight to cat-file are 4 kB, what the smallest pipe anywhere takes


class Objects:
    """The object store of one repository."""

    def __init__(self, git: Git, directory: str, fsync: bool = True) -> None:
        self._git = git
        self._directory = directory
        self._packs = Packs(directory)
        self._fsync = fsync
        self._unsynced: list[int] = []  # descriptors of objects perhaps not yet on the disk
        self._batch: Batch | None = None
        self._parents: Batch | None = None
        self._asked: list[str] = []  # of the batch, whose answers nobody has read
        self._recent: dict[str, bytes] = {}  # trees and commits: a command asks for each several times

    def read(self, oid: str, limit: int = 0) -> bytes:
        """The content of one object; with ``limit``, of at most that many bytes.

        Raises:
            NotFoundError: the object is not there.
            TamperedError: it is larger than ``limit`` or damaged.
        """
        if oid in self._recent:
            return self._recent[oid]
        found = self._near(oid, limit)
        if found is None:
            found = self._ask([oid], limit, gaps=False)[0]
        if not limit and len(self._recent) < _RECENT:
            self._recent[oid] = found
        return found

    def read_many(self, oids: Iterable[str], limit: int = 0, *, gaps: bool = False) -> Iterator[bytes]:
        """The contents of objects in order; of many through one cat-file.

        Raises:
            NotFoundError, TamperedError: as for ``read``; with ``gaps`` such an object is b"" instead.
        """
        oids = list(oids)
        if len(oids) <= _FEW:
            for oid in oids:
                yield self._one(oid, limit, gaps)
            return
        windows = [oids[at : at + _WINDOW] for at in range(0, len(oids), _WINDOW)]
        for window, ahead in zip(windows, [*windows[1:], []], strict=True):
            yield from self._ask(window, limit, gaps, ahead)

    @property
    def crowded(self) -> bool:
        """Whether there are enough loose objects to pack; costs sixteen looks into folders."""
        found = 0
        for name in _SAMPLE:
            try:
                found += len(os.listdir(os.path.join(self._directory, name)))
            except OSError:
                continue
        return found * (256 // len(_SAMPLE)) >= _CROWD

    def has(self, oid: str) -> bool:
        """Whether the object is in the store."""
        return os.path.exists(self._path(oid)) or self._git.status("cat-file", "-e", oid)[0] == 0

    def write(self, kind: str, content: bytes) -> str:
        """Store a loose object and return its id; on the disk for sure after ``flush``.

        Raises:
            GitmemError: it cannot be written.
        """
        raw, oid = _encode(kind, content)
        path = self._path(oid)
        try:
            os.utime(path)  # freshened, so that a gc running now does not take it
            return oid
        except OSError:
            pass
        temporary = os.path.join(self._directory, f"tmp_obj_gitmem_{os.getpid()}_{oid}")
        try:
            descriptor = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o444
            )
            with os.fdopen(descriptor, "wb") as file:
                file.write(zlib.compress(raw, 1))
                if self._fsync and len(self._unsynced) <= _MANY:
                    self._unsynced.append(os.dup(file.fileno()))
            _place(temporary, path)
        except OSError as error:
            _remove(temporary)
            raise unwritable(error) from error
        return oid

    def flush(self) -> None:
        """Wait until every object written is on the disk: before a ref says that they are there.

        All at the end, because the first wait takes the others along.

        Raises:
            GitmemError: the disk fails.
        """
        waiting, self._unsynced = self._unsynced, []
        try:
            if len(waiting) > _MANY and hasattr(os, "sync"):
                os.sync()
            else:
                for descriptor in waiting:
                    os.fsync(descriptor)
        except OSError as error:
            raise unwritable(error) from error
        finally:
            for descriptor in waiting:
                os.close(descriptor)

    def leave(self) -> None:
        """In a forked process: use a cat-file of its own from now on, and leave the parent's alone."""
        self._parents, self._batch, self._asked = (
            self._batch,
            None,
            [],
        )  # kept: an object that goes away would end it

    def close(self) -> None:
        """End the cat-file process, if one was needed, and let go of the packs."""
        self._packs.close()
        self._end()

    def _end(self) -> None:
        self._asked = []
        if self._batch is not None:
            self._batch.close()
            self._batch = None

    def _path(self, oid: str) -> str:
        return os.path.join(self._directory, oid[:2], oid[2:])

    def _one(self, oid: str, limit: int, gaps: bool) -> bytes:
        try:
            found = self._near(oid, limit)
        except TamperedError:
            if not gaps:
                raise
            return b""
        return self._ask([oid], limit, gaps)[0] if found is None else found

    def _near(self, oid: str, limit: int) -> bytes | None:
        """What can be read without git, None when it cannot."""
        found = self._read_loose(oid, limit)
        return self._packs.read(oid, limit) if found is None else found

    def _read_loose(self, oid: str, limit: int) -> bytes | None:
        try:
            with open(self._path(oid), "rb") as file:
                packed = file.read()
        except OSError:
            return None
        try:
            raw = zlib.decompressobj().decompress(packed, limit + 64 if limit else 0)
            head, _, content = raw.partition(b"\0")
            size = int(head.split(b" ")[1])
        except (zlib.error, ValueError, IndexError) as error:
            raise _damaged(oid) from error
        if limit and size > limit:
            raise _too_large(oid)
        if size != len(content):
            raise _damaged(oid)
        return content

    def _ask(self, oids: list[str], limit: int, gaps: bool, ahead: Sequence[str] = ()) -> list[bytes]:
        """The answers to one window, all read; git finds those of the window ``ahead`` meanwhile."""
        answers: list[bytes] = []
        while len(answers) < len(oids):
            try:
                self._collect(oids[len(answers) :], limit, answers, ahead)
            except (NotFoundError, TamperedError):
                if not gaps:
                    raise
                answers.append(b"")
        return answers

    def _collect(self, oids: list[str], limit: int, answers: list[bytes], ahead: Sequence[str]) -> None:
        """Add the contents of ``oids`` to ``answers``, up to the first that cannot be had; then raise."""
        if self._asked and self._asked != oids:
            self._end()  # whoever asked for those does not want them any more
        batch = self._batch = self._batch or self._git.batch()
        try:
            new = [*([] if self._asked else oids), *ahead]
            self._asked = list(ahead)
            batch.stdin.write("".join(f"{oid}\n" for oid in new).encode())
            batch.stdin.flush()
            for oid in oids:
                answers.append(_answer(batch, oid, limit))  # noqa: PERF401  (those read so far stay)
        except OSError as error:
            self._end()
            raise _damaged(oids[0]) from error
        except BaseException:
            self._end()  # the unread rest goes with the process
            raise


def _answer(batch: Batch, oid: str, limit: int) -> bytes:
    header = batch.stdout.readline().split()
    if len(header) == 2:
        raise NotFoundError(
            f"Git object {oid} is missing from this repository.",
            "Nothing was changed; `gitmem sync` fetches it.",
        )
    if not header:  # git ends at an object that it cannot read
        raise _damaged(oid)
    size = int(header[2])
    if limit and size > limit:
        raise _too_large(oid)
    content = batch.stdout.read(size)
    if len(content) < size:
        raise _damaged(oid)
    batch.stdout.read(1)
    return content


def blob_id(content: bytes) -> str:
    """The id that git gives to a file of that content."""
    return _encode("blob", content)[1]


def tree_id(kind: str, content: bytes) -> str:
    """The id of an object that is not stored."""
    return _encode(kind, content)[1]


def _encode(kind: str, content: bytes) -> tuple[bytes, str]:
    raw = b"%b %d\0%b" % (kind.encode(), len(content), content)
    return raw, sha1(raw).hexdigest()


def _damaged(oid: str) -> TamperedError:
    return TamperedError(
        f"Git object {oid} is damaged.",
        "Nothing of it was used; `git fsck` names it, and a copy on the remote may be whole.",
    )


def _too_large(oid: str) -> TamperedError:
    return TamperedError(
        f"Git object {oid} is too large to be a memory and was not opened.",
        "Nothing of it was used; `gitmem doctor` looks around.",
    )


def unwritable(error: OSError) -> GitmemError:
    """What is said when a file of the repository cannot be written."""
    return GitmemError(
        f"Could not write to the repository: {error.strerror}.",
        "Nothing was changed; make room or fix the permissions, then try again.",
    )


def _place(temporary: str, path: str) -> None:
    """Give a finished object its name, in a folder that packing may take away as soon as it is empty."""
    for _ in range(_TRIES):
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.replace(temporary, path)
            return
        except FileNotFoundError:
            continue
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.replace(temporary, path)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass

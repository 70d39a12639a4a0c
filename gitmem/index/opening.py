"""Opening the index file: encrypted, shared between processes, replaced by an empty one when it is no good.

SQLite finds the log that belongs to a file by its name. So the file is replaced only under a lock, its old
name goes before the names of its logs, and whoever opened it looks afterwards whether the name still leads to
what it opened.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, TypeAlias

from sqlcipher3 import dbapi2 as sql

from gitmem.index import schema

Identity: TypeAlias = tuple[int, int]

BUSY_MS = 30_000  # how long to wait for another process
_BUSY = "is locked"
_FULL = "disk is full"
_SURROUNDINGS = (_BUSY, _FULL, "readonly", "unable to open", "out of memory")
_LARGE_LOG = 4 << 20  # bytes
_PAGES = -16_000  # kilobytes of cache: a rebuild spills beyond it, into the encrypted log


def open_file(path: str, key: bytes, vault_id: str, bad: Identity | None = None) -> Any:
    """A connection to the index at ``path``; the file is made, or replaced by an empty one, where need be.

    ``key`` is 32 bytes. A file that cannot be read with it, is cut short, belongs to another vault, has
    another schema, or is the one known to be ``bad``, is replaced.

    Raises:
        sqlcipher3.dbapi2.Error, OSError: no file can be had here (a read-only folder, a full disk, another
            process that does not let go).
    """
    connection = _attach(path, key, vault_id, bad)
    if connection is not None:
        return connection
    os.makedirs(os.path.dirname(os.path.abspath(path)), 0o700, exist_ok=True)
    with _alone(path + ".lock"):
        connection = _attach(path, key, vault_id, bad)  # another process may have mended it meanwhile
        if connection is not None:
            return connection
        for name in (path, path + "-wal", path + "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        connection = _connect(path, key)
        connection.execute("PRAGMA journal_mode = WAL")
        schema.create(connection, vault_id)
        return connection


def open_memory(vault_id: str) -> Any:
    """A connection to an empty index that lives as long as this process."""
    connection = _connect(":memory:", b"")
    schema.create(connection, vault_id)
    return connection


def settle(connection: Any, path: str) -> None:
    """After a large change: move the log's content into the file and cut the log.

    The first process to open the file reads the whole log (60 MB after a rebuild of 100,000 memories); nobody
    would cut it before the next change. Without waiting for others: they do it when they are done.
    """
    try:
        large = os.path.getsize(path + "-wal") > _LARGE_LOG
    except OSError:
        return
    if not large:
        return
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sql.DatabaseError:
        return  # the change itself is done
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")


def identity_of(path: str) -> Identity | None:
    """What tells the file at ``path`` from one that replaces it; None when there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_damage(error: Exception) -> bool:
    """Whether ``error`` speaks against the file, and not against its surroundings."""
    return not any(reason in str(error) for reason in _SURROUNDINGS)


def _attach(path: str, key: bytes, vault_id: str, bad: Identity | None) -> Any | None:
    """A connection to a sound index, or None."""
    before = identity_of(path)
    if before is None or before == bad:
        return None
    connection = None
    try:
        connection = _connect(path, key)
        sound = _sound(connection, vault_id)
    except sql.DatabaseError as error:
        said = str(error)
        if _BUSY in said or _FULL in said:  # what waiting would mend is no reason to lose the file
            raise
        sound = False
    if sound:
        # Between looking and opening another process may have replaced the file.
        return connection if identity_of(path) == before else _attach(path, key, vault_id, bad)
    if connection is not None:
        connection.close()
    return None


def _connect(path: str, key: bytes) -> Any:
    # Doors call from several threads, one at a time.
    connection = sql.connect(path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
    # The last one to close the file copies its log into it, waits for the disk twice and removes the log by
    # name, which may belong to a new file by then. A process that ends leaves all that to a later one: the
    # connection is held by its own function, in a circle that only close() opens.
    connection.create_function("held", 0, connection.close)
    try:
        _set_up(connection, key)
    except sql.DatabaseError:
        connection.close()
        raise
    return connection


def _set_up(connection: Any, key: bytes) -> None:
    connection.execute("PRAGMA cipher_log_level = NONE")  # it would report a damaged file on standard error
    if key:
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")  # a raw key: no stretching
    for setting in (
        "temp_store = MEMORY",  # nothing in plain text may spill to disk
        "synchronous = NORMAL",
        f"cache_size = {_PAGES}",
        "journal_size_limit = 1048576",
        "wal_autocheckpoint = 250",  # pages: what the next process has to read before its first question
    ):
        connection.execute(f"PRAGMA {setting}")


def _sound(connection: Any, vault_id: str) -> bool:
    if connection.execute("PRAGMA user_version").fetchone()[0] != schema.VERSION:
        return False
    return bool(connection.execute("SELECT vault FROM head").fetchall() == [(vault_id,)])


@contextlib.contextmanager
def _alone(path: str) -> Iterator[None]:
    """Hold the lock file at ``path``; the system lets go of it when a process dies."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

"""Whatever happens to the index file, a search answers as if it had been made anew, and asks for nothing."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import sys

import pytest

from gitmem.index import opening, schema
from gitmem.index.filters import Filters
from gitmem.memory.ids import new_id
from gitmem.memory.memory import Memory

FILES = ("index.db", "index.db-wal", "index.db-shm")
WORDS = "amber birch cedar delta ember fjord gorse hazel iris juniper kelp larch".split()
QUERIES = ("amber birch", "cedar", "larch kelp juniper", "number 77", "late addition", "认证")


def _memories():
    rng = random.Random(7)
    for n in range(160):
        body = f"number {n}: " + " ".join(rng.choices(WORDS, k=rng.choice((5, 12, 300))))
        yield Memory(
            id=new_id(1_777_000_000_000 + n * 1000),
            created=f"2026-05-{1 + n % 28:02}T00:00:00Z",
            body=body + (" 用户认证" if n % 50 == 0 else ""),
            title=rng.choice(WORDS),
            project=rng.choice(("", "shop")),
            expires="2026-06-01T00:00:00Z" if n % 20 == 3 else "",
        )


def answers(store):
    shown = Filters(now=store.now())
    found = [
        [
            (hit.memory.id, hit.score, hit.relevance, hit.start, hit.end)
            for hit in store.search(query, shown, 8)
        ]
        for query in QUERIES
    ]
    return found, store.count(shown), [row.id for row in store.rows(shown)]


class Place:
    """A vault whose index can be put back as it was, with its log still to be read."""

    def __init__(self, open_store, copies):
        self.open, self.copies = open_store, copies
        store = open_store()
        store.write(list(_memories()))
        answers(store)
        store.close()  # which brings its log into the file
        store = open_store()
        store.write(
            [Memory(id=new_id(1_778_000_000_000), created="2026-05-30T00:00:00Z", body="A late addition.")]
        )
        self.expected = answers(store)  # of the file and its log
        self.folder = store.repo.folder
        for name in FILES:
            shutil.copy(self.path(name), copies / name)
        self.key, self.tip = store.vault.index_key, store.tip()

    def path(self, name=FILES[0]):
        return os.path.join(self.folder, name)

    def restore(self):
        for name in FILES:
            if os.path.isdir(self.path(name)) and not os.path.islink(self.path(name)):
                shutil.rmtree(self.path(name))
            elif os.path.lexists(self.path(name)):
                os.unlink(self.path(name))
            shutil.copy(self.copies / name, self.path(name))

    def check(self, what="", *, kept=True):
        """Two processes one after the other get the answers, and the second needs no mending (``kept``)."""
        store = self.open()
        assert answers(store) == self.expected, what
        store.close()
        store = self.open()
        if kept:
            assert store._opened_index().commit == self.tip, what
        assert answers(store) == self.expected, what
        store.close()


@pytest.fixture(scope="module")
def place(open_store, tmp_path_factory):
    return Place(open_store, tmp_path_factory.mktemp("copies"))


def test_the_log_of_the_copies_holds_what_the_file_lacks(place):
    place.restore()
    assert os.path.getsize(place.path("index.db-wal")) > 4096
    os.unlink(place.path("index.db-wal"))
    os.unlink(place.path("index.db-shm"))
    connection = opening._connect(place.path(), place.key)
    assert connection.execute("SELECT verified FROM head").fetchone()[0] != place.tip
    connection.close()
    place.check()


# --- bytes ------------------------------------------------------------------------------------------------


def _flip(path, offset, count=1):
    with open(path, "r+b") as file:
        file.seek(offset)
        was = file.read(count)
        file.seek(offset)
        file.write(bytes(byte ^ 0x55 for byte in was))


@pytest.mark.parametrize("name", FILES)
def test_flipped_bytes_in_any_region(place, name):
    size = os.path.getsize(place.copies / name)
    regions = {0, 16, 24, 100, 4090, 4120, size - 1, size // 3, size // 2, size * 4 // 5}
    for offset in sorted(one for one in regions if 0 <= one < size):
        place.restore()
        _flip(place.path(name), offset)
        place.check((name, offset))


@pytest.mark.parametrize("name", FILES[:2])
def test_a_flipped_byte_in_every_page(place, name):
    for within in (40, 3000, 4085):
        place.restore()
        for start in range(0, os.path.getsize(place.path(name)) - within, 4096):
            _flip(place.path(name), start + within)
        place.check((name, within))


def test_pages_that_changed_places(place):
    place.restore()
    with open(place.path(), "r+b") as file:
        data = file.read()
        pages = [data[at : at + 4096] for at in range(0, len(data), 4096)]
        random.Random(3).shuffle(pages)
        file.seek(0)
        file.write(b"".join(pages))
    place.check()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("left", [0, 1, 24, 100, 4095, 4096, 9000, -1, -4096])
def test_cut_short(place, name, left):
    place.restore()
    size = os.path.getsize(place.path(name))
    os.truncate(place.path(name), max(0, size + left if left < 0 else min(left, size)))
    place.check()


# --- other things in its place ----------------------------------------------------------------------------


def _garbage(path):
    with open(path, "wb") as file:
        file.write(random.Random(1).randbytes(50_000))


def _text(path):
    with open(path, "wb") as file:
        file.write(b"<<<<<<< HEAD\n" * 1000)


def _another_database(path):
    os.unlink(path)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE head (vault, verified)")
    connection.commit()
    connection.close()


def _folder(path):
    os.unlink(path)
    os.mkdir(path)


def _full_folder(path):
    _folder(path)
    with open(os.path.join(path, "file"), "wb"):
        pass


def _nowhere(path):
    os.unlink(path)
    os.symlink("/nowhere/at/all", path)


def _device(path):
    os.unlink(path)
    os.symlink(os.devnull, path)


def _forbidden(path):
    os.chmod(path, 0)


def _readonly(path):
    os.chmod(path, 0o400)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("put", [_garbage, _text, _another_database, os.unlink, _forbidden, _readonly])
def test_another_file_in_its_place(place, name, put):
    place.restore()
    put(place.path(name))
    place.check(kept=os.geteuid() == 0 or put not in {_forbidden, _readonly})


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("put", [_folder, _full_folder, _nowhere, _device])
def test_something_else_in_its_place(place, name, put):
    place.restore()
    put(place.path(name))
    place.check(kept=False)


def test_the_log_of_another_index(place, tmp_path):
    place.restore()
    other = opening.open_file(str(tmp_path / "other.db"), bytes(32), "f" * 32)
    other.execute("UPDATE head SET verified = 'elsewhere'")
    shutil.copy(tmp_path / "other.db-wal", place.path("index.db-wal"))
    other.close()
    place.check()


def test_a_file_without_its_log_and_a_log_without_its_file(place):
    place.restore()
    os.unlink(place.path("index.db-wal"))
    place.check()
    place.restore()
    os.unlink(place.path())
    place.check()


# --- schemas ----------------------------------------------------------------------------------------------


def _altered(place, *statements):
    place.restore()
    connection = opening._connect(place.path(), place.key)
    for statement in statements:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("version", [0, schema.VERSION - 1, schema.VERSION + 1, 2**31 - 1, -1])
def test_an_index_of_an_older_or_a_newer_gitmem(place, version):
    _altered(place, f"PRAGMA user_version = {version}")
    place.check()


def test_any_missing_table_or_index(place):
    place.restore()
    connection = opening._connect(place.path(), place.key)
    tables = connection.execute(
        "SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    connection.close()
    assert {"head", "memory", "passage", "vector"} <= {name for _, name in tables}
    for kind, name in tables:
        if kind == "table" and name.rpartition("_")[2] in {"data", "idx", "docsize", "config", "content"}:
            continue  # a full-text table's own
        _altered(place, f"DROP {kind} {name}")
        place.check(name)


def test_a_missing_part_of_a_full_text_table(place):
    for part in ("data", "idx", "docsize", "config"):
        _altered(
            place, "PRAGMA writable_schema = ON", f"DELETE FROM sqlite_master WHERE name = 'passage_{part}'"
        )
        place.check(part)


def test_a_head_of_another_vault_or_commit_or_none(place):
    for statement in (
        "UPDATE head SET vault = 'other'",
        "UPDATE head SET verified = ''",
        f"UPDATE head SET verified = '{'ab' * 20}'",
        "UPDATE head SET verified = 'nonsense'",
        "DELETE FROM head",
        "INSERT INTO head SELECT * FROM head",
    ):
        _altered(place, statement)
        place.check(statement)


def test_vectors_of_another_model_change_no_answer(place):
    _altered(place, "UPDATE vector_head SET embedder = 'another model', done = 999999")
    place.check()


if sys.platform == "win32":
    pytestmark = pytest.mark.skip(reason="files in use cannot be replaced there")

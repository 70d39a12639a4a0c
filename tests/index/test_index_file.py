"""The index file: encrypted, shared by processes, and never a reason for a command to fail."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlcipher3 import dbapi2 as sql

from gitmem.index import opening, schema
from gitmem.index.filters import Filters
from gitmem.index.index import Index
from gitmem.memory.text import fingerprint

KEY, VAULT = bytes(range(32)), "0123456789abcdef" * 2
ANY = Filters()
CHILD = """
import os, sys, time
from gitmem.index.filters import Filters
from gitmem.index.index import Index
from gitmem.memory.ids import new_id
from gitmem.memory.memory import Memory
KEY, VAULT = bytes(range(32)), "0123456789abcdef" * 2
def memory(number, text):
    return Memory(id=new_id(1_700_000_000_000 + number), created="2026-05-01T00:00:00Z", body=text)
path = sys.argv[1]
"""


def child(path, script, **options):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD + script, path], stdout=subprocess.PIPE, text=True, **options
    )


def ids(index):
    return {row.id for row in index.rows(Filters(everything=True))}


def on_disk(path):
    folder = os.path.dirname(path)
    return b"".join(open(os.path.join(folder, name), "rb").read() for name in sorted(os.listdir(folder)))


def test_what_was_applied_is_there_after_reopening(index, path, make):
    a, b = make("alpha"), make("beta")
    assert index.commit == ""
    assert index.apply("c1", [], [a, b])
    index.close()
    again = Index.open(path, KEY, VAULT)
    assert again.commit == "c1"
    assert ids(again) == {a.id, b.id}
    assert [hit.id for hit in again.search("beta", ANY, 5)] == [b.id]
    assert again.apply("c2", [a.id, "unknown"], [], since="c1")
    assert (again.commit, ids(again)) == ("c2", {b.id})
    again.close()


def test_a_step_from_another_commit_is_not_taken(index, make):
    a = make("alpha")
    index.apply("c1", [], [a])
    assert not index.apply("c2", [a.id], [], since="c0")
    assert (index.commit, ids(index)) == ("c1", {a.id})
    assert not index.apply("c2", [], [], since="")


def test_the_file_and_its_logs_are_for_their_owner_only(index, path, make):
    index.apply("c1", [], [make("alpha")])
    names = os.listdir(os.path.dirname(path))
    assert "index.db-wal" in names
    for name in names:
        assert stat.S_IMODE(os.stat(os.path.join(os.path.dirname(path), name)).st_mode) & 0o077 == 0, name


def test_no_byte_on_disk_shows_what_was_indexed(index, path, make):
    marked = {
        "title": "MARKERtitle",
        "project": "MARKERproject",
        "tags": ("MARKERtag",),
        "source": "MARKERsource",
    }
    memories = [make(f"MARKERbody {number} " + "MARKERword " * 300, **marked) for number in range(300)]

    def come():
        for number, memory in enumerate(memories):
            if number == 250:
                assert b"MARKER" not in on_disk(path)
            yield memory

    index.apply("MARKERcommit", [], come())
    assert len(index.search("MARKERword", ANY, 5)) == 5
    written = on_disk(path)
    index.close()
    written += on_disk(path)
    assert len(written) > 200_000
    for secret in (b"MARKER", b"marker", KEY, KEY.hex().encode(), memories[0].id.encode(), b"SQLite format"):
        assert secret not in written


def test_a_plaintext_marker_is_absent_after_a_kill_in_mid_transaction(path):
    script = """
index = Index.open(path, KEY, VAULT)
index._connection.execute("PRAGMA cache_size = 10")
def come():
    for number in range(3000):
        yield memory(number, "MARKERbody " * 100)
    print("middle", flush=True)
    time.sleep(60)
index.apply("c1", [], come())
"""
    process = child(path, script)
    assert process.stdout.readline() == "middle\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert len(on_disk(path)) > 100_000
    assert b"MARKER" not in on_disk(path)
    assert b"marker" not in on_disk(path)
    opened = Index.open(path, KEY, VAULT)
    assert (opened.commit, opened.count(ANY)) == ("", 0)
    opened.close()


def test_a_killed_step_leaves_the_former_commit(index, path, make):
    kept = make("alpha")
    index.apply("c1", [], [kept])
    script = f"""
index = Index.open(path, KEY, VAULT)
def come():
    for number in range(2500):
        yield memory(number, "beta")
    print("middle", flush=True)
    time.sleep(60)
index.apply("c2", ["{kept.id}"], come(), since="c1")
"""
    process = child(path, script)
    assert process.stdout.readline() == "middle\n"
    assert (index.commit, ids(index)) == ("c1", {kept.id})  # a reader is not held up, and sees no half
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert (index.commit, ids(index)) == ("c1", {kept.id})
    assert index.search("beta", ANY, 5) == []
    assert index.apply("c3", [], [make("gamma")], since="c1")


def test_an_error_in_what_comes_goes_through_and_changes_nothing(index, make):
    index.apply("c1", [], [make("alpha")])
    before = ids(index)

    def come():
        yield make("beta")
        raise RuntimeError("broken off")

    with pytest.raises(RuntimeError, match="broken off"):
        index.apply("c2", list(before), come())
    assert (index.commit, ids(index)) == ("c1", before)
    assert index.apply("c2", [], [])


def test_questions_may_be_asked_while_memories_come(index, make):
    first = make("alpha")
    index.apply("c1", [], [first])
    seen = []

    def come():
        seen.append(index.by_fingerprint(fingerprint(first)))
        yield make("beta")
        seen.append(len(index.search("alpha", ANY, 5)))

    assert index.apply("c2", [], come())
    assert seen == [first.id, 1]


def test_an_id_that_comes_twice_counts_once_with_its_last_text(index, make):
    memory = make("alpha")
    index.apply("c1", [], [memory, make("gamma"), make("beta", id=memory.id)])
    assert index.count(ANY) == 2
    assert index.search("alpha", ANY, 5) == []
    assert [hit.id for hit in index.search("beta", ANY, 5)] == [memory.id]


# --- files that are no good -------------------------------------------------------------------------------


def _zero(path):
    os.truncate(path, 0)


def _shorten(path):
    os.truncate(path, os.path.getsize(path) // 2)


def _garbage(path):
    with open(path, "wb") as file:
        file.write(b"not a database " * 1000)


def _plain(path):
    os.unlink(path)
    connection = sql.connect(path)
    connection.execute("CREATE TABLE memory (id)")
    connection.commit()
    connection.close()


def _first_page(path):
    with open(path, "r+b") as file:
        file.seek(100)
        file.write(os.urandom(50))


def _newer_schema(path):
    connection = opening._connect(path, KEY)
    connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()


def _no_tables(path):
    connection = opening._connect(path, KEY)
    connection.execute("DROP TABLE head")
    connection.close()


@pytest.mark.parametrize(
    "spoil", [_zero, _shorten, _garbage, _plain, _first_page, _newer_schema, _no_tables, os.unlink]
)
def test_a_file_that_is_no_good_is_replaced_by_an_empty_one(index, path, make, spoil):
    index.apply("c1", [], [make("alpha " * 50, title=f"t{n}") for n in range(300)])
    index.close()
    spoil(path)
    fresh = Index.open(path, KEY, VAULT, lambda: fresh.apply("c2", [], []))
    answers = fresh.count(ANY), fresh.search("alpha", ANY, 5)
    assert fresh.commit in ("", "c2")
    assert answers == (0, [])
    beta = make("beta")
    assert fresh.apply("c3", [], [beta])
    fresh.close()
    third = Index.open(path, KEY, VAULT)
    assert (third.commit, ids(third)) == ("c3", {beta.id})
    third.close()


@pytest.mark.parametrize(("key", "vault"), [(bytes(32), VAULT), (KEY, "f" * 32)])
def test_another_key_or_vault_gets_an_empty_index(index, path, make, key, vault):
    index.apply("c1", [], [make("alpha")])
    index.close()
    other = Index.open(path, key, vault)
    assert (other.commit, other.count(ANY)) == ("", 0)
    other.close()


def test_damage_found_by_a_question_is_mended_and_the_question_answered(path, make):
    memories = [make(f"alpha {n} " + "filler " * 60) for n in range(500)]
    index = Index.open(path, KEY, VAULT)
    index.apply("c1", [], memories)
    index.close()
    size = os.path.getsize(path)
    with open(path, "r+b") as file:  # every page but the first few
        for offset in range(40 * 4096, size, 4096):
            file.seek(offset + 1000)
            file.write(b"damage")
    refilled = []

    def refill():
        refilled.append(index.commit)
        assert index.apply("c1", [], memories)

    index = Index.open(path, KEY, VAULT, refill)
    hits = index.search("alpha filler", ANY, 1000)
    assert {hit.id for hit in hits} == {memory.id for memory in memories}
    assert refilled == [""]
    assert index.count(ANY) == 500
    index.close()


def test_damage_found_by_a_step_means_look_again(path, make):
    memories = [make(f"alpha {n} " + "filler " * 60) for n in range(500)]
    index = Index.open(path, KEY, VAULT)
    index.apply("c1", [], memories)
    index.close()
    with open(path, "r+b") as file:
        for offset in range(20 * 4096, os.path.getsize(path), 4096):
            file.seek(offset + 1000)
            file.write(b"damage")
    index = Index.open(path, KEY, VAULT)
    assert not index.apply("c2", [memory.id for memory in memories], [], since="c1")
    assert index.commit == ""
    assert index.apply("c2", [], memories[:3], since="")
    assert index.count(ANY) == 3
    index.close()


def test_where_no_file_can_be_made_the_index_lives_in_memory(tmp_path, make):
    blocked = tmp_path / "file"
    blocked.touch()
    index = Index.open(str(blocked / "index.db"), KEY, VAULT)
    assert index.commit == ""
    memory = make("alpha")
    assert index.apply("c1", [], [memory], since="")
    assert (index.commit, [hit.id for hit in index.search("alpha", ANY, 5)]) == ("c1", [memory.id])
    index.close()
    folder = tmp_path / "folder.db"
    folder.mkdir()
    assert Index.open(str(folder), KEY, VAULT).commit == ""


def test_a_full_disk_means_an_index_in_memory(index, path, make):
    index.apply("c1", [], [make("alpha")])
    pages = index._connection.execute("PRAGMA page_count").fetchone()[0]
    index._connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own word for a full disk
    memories = [make("beta " * 200) for _ in range(200)]
    assert not index.apply("c2", [], memories, since="c1")
    assert index.commit == ""
    assert index.apply("c2", [], memories, since="")
    assert index.count(ANY) == 200
    index.close()
    on_file = Index.open(path, KEY, VAULT)
    assert (on_file.commit, on_file.count(ANY)) == ("c1", 1)
    on_file.close()


def test_another_process_that_never_lets_go_means_an_index_in_memory(index, path, make, monkeypatch):
    monkeypatch.setattr(opening, "BUSY_MS", 50)
    waiting = Index.open(path, KEY, VAULT)
    index._connection.execute("BEGIN IMMEDIATE")
    assert not waiting.apply("c1", [], [make("alpha")], since="")
    assert waiting.apply("c1", [], [make("alpha")], since="")
    assert waiting.count(ANY) == 1
    index._connection.execute("ROLLBACK")
    assert (index.commit, index.count(ANY)) == ("", 0)
    waiting.close()


def test_a_process_sees_that_another_replaced_the_file(index, path, make):
    index.apply("c1", [], [make("alpha")])
    mine = index._identity
    other = Index.open(path, KEY, "f" * 32)  # another vault at the same place
    other.apply("d1", [], [make("beta")])
    assert index.commit == ""
    assert index._identity != mine
    assert index.apply("c1", [], [make("alpha")], since="")
    assert index.count(ANY) == 1
    other.close()


# --- several processes ------------------------------------------------------------------------------------


def test_many_processes_that_open_a_damaged_file_at_once_agree(path):
    os.makedirs(os.path.dirname(path))
    script = """
index = Index.open(path, KEY, VAULT)
number = int(sys.stdin.readline())
mine = memory(number, f"word{number}")
while True:
    commit = index.commit
    if index.apply(commit + "+", [], [mine], since=commit):
        break
print(index._identity is not None, flush=True)
os._exit(0)
"""
    for spoil in (b"", b"garbage" * 2000):
        with open(path, "wb") as file:
            file.write(spoil)
        processes = [child(path, script, stdin=subprocess.PIPE) for _ in range(6)]

        def run(pair):
            return pair[1].communicate(f"{pair[0]}\n")[0]

        with ThreadPoolExecutor(6) as pool:
            outs = list(pool.map(run, enumerate(processes)))
        assert outs == ["True\n"] * 6
        index = Index.open(path, KEY, VAULT)
        assert (index.commit, index.count(ANY)) == ("++++++", 6)
        index.close()


def test_readers_never_fail_while_another_process_writes(index, path):
    script = """
index = Index.open(path, KEY, VAULT)
for number in range(150):
    assert index.apply(f"c{number + 1}", [], [memory(number, "alpha " * 50)])
print("done", flush=True)
"""
    index.apply("c0", [], [])
    process = child(path, script)
    readers = [Index.open(path, KEY, VAULT) for _ in range(3)]
    looks = 0
    while process.poll() is None:
        for reader in readers:
            before = int(reader.commit[1:])
            hits = len(reader.search("alpha", ANY, 1000))
            assert before <= hits <= int(reader.commit[1:])
            looks += 1
    assert process.returncode == 0
    assert looks > 3
    assert index.count(ANY) == 150
    for reader in readers:
        assert reader._identity is not None
        reader.close()


def test_a_process_that_ends_leaves_the_log_to_the_next(path, make):
    os.makedirs(os.path.dirname(path))
    script = """
index = Index.open(path, KEY, VAULT)
index.apply("c1", [], [memory(1, "alpha")])
"""
    process = child(path, script)
    process.communicate()
    assert os.path.getsize(path + "-wal") > 0
    index = Index.open(path, KEY, VAULT)
    assert (index.commit, index.count(ANY)) == ("c1", 1)
    index.close()
    assert not os.path.exists(path + "-wal")

"""Bringing the index up: by two processes when it is much, whatever becomes of one of them."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from gitmem import worker
from gitmem.index.filters import Filters
from gitmem.indexing import LONG
from tests.store.conftest import Devices

MANY = LONG + 300  # with a second process wherever there are two cores
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no second process here")

# A process of its own: pytest's has threads, beside which gitmem does not fork.
START = """
import json, os, signal, sys, time
sys.path[:0] = json.loads(sys.argv[1])
from gitmem import indexing, worker
from gitmem.index.filters import Filters
from gitmem.store import Store
from gitmem.vault.keys import Identity

_, _, place, key, state, mode = sys.argv
identity = Identity.parse(key)
now = "2026-11-20T07:00:00Z"
store = Store.open(place, lambda _: identity, ("g", "g@localhost"), lambda: now, str, state)
forked = []
fork = os.fork

def noting():
    forked.append(fork())
    return forked[-1]

os.fork = noting
worker._cores = lambda: 2
if mode == "one":
    worker._cores = lambda: 1
told = []

def tell(done, total):
    told.append((done, total))
    if mode == "kill me" and done >= 1000:
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "kill worker" and done == 500:
        os.kill(forked[0], signal.SIGKILL)
    if mode == "stop" and done >= 1000:
        raise KeyboardInterrupt

store.indexing = tell
try:
    rows = store.count(Filters(everything=True))
except KeyboardInterrupt:
    rows, store.indexing = -1, None
hits = [hit.memory.id for hit in store.search("rareword", Filters(everything=True), 10)]
left = []
for pid in forked:
    try:
        os.kill(pid, 0)
        left.append(pid)
    except ProcessLookupError:
        pass
print(json.dumps({"rows": rows, "hits": hits, "told": told, "forks": len(forked), "left": left}))
"""


@pytest.fixture(scope="module")
def device(tmp_path_factory):
    """A vault of many memories, one of which has a word that no other has."""
    devices = Devices(tmp_path_factory.mktemp("many"))
    store = devices.first(bare=True)
    written = [devices.memory(f"Text {number} of many.") for number in range(MANY - 1)]
    written.insert(MANY // 2, devices.memory("The one with a rareword."))
    store.write(written)
    devices.rare = written[MANY // 2].id
    devices.middle = written[MANY // 2 + 1].id
    yield devices
    store.close()


def begin(device, mode):
    store = device.stores[0]
    store.drop_index()
    argv = [
        sys.executable, "-c", START, json.dumps(sys.path), store.path, device.identity.text,
        str(device.folder / "first.state"), mode,
    ]  # fmt: skip
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def result(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out)


def assert_right(device):
    """The index as this process finds it: all there, and none missing from a search."""
    store = device.open(device.folder / "first")
    assert store.count(Filters(everything=True)) == MANY
    assert [hit.memory.id for hit in store.search("rareword", Filters(everything=True), 10)] == [device.rare]
    store.close()


@needs_fork
def test_much_is_shared_with_a_second_process_that_is_gone_afterwards(device):
    done = result(begin(device, "two"))
    assert (done["rows"], done["hits"], done["forks"], done["left"]) == (MANY, [device.rare], 1, [])
    assert_right(device)


def test_one_core_does_all_of_it_alone(device):
    done = result(begin(device, "one"))
    assert (done["rows"], done["hits"], done["forks"]) == (MANY, [device.rare], 0)
    assert_right(device)


def test_a_long_way_is_told_from_its_beginning_to_its_end(device):
    told = [tuple(step) for step in result(begin(device, "two"))["told"]]
    assert told[0] == (0, MANY)
    assert told[-1] == (MANY, MANY)
    assert told == sorted(set(told))
    assert {total for _, total in told} == {MANY}


def test_a_short_way_is_not_told(device):
    store = device.open(device.folder / "first")
    assert store.count(Filters(everything=True)) == MANY
    told = []
    store.indexing = lambda done, total: told.append((done, total))
    added = device.memory("One more.")
    store.write([added])
    assert store.count(Filters(everything=True)) == MANY + 1
    store.forget([added.id])
    assert store.count(Filters(everything=True)) == MANY
    assert told == []


@needs_fork
def test_what_a_killed_worker_had_is_done_by_the_other(device):
    done = result(begin(device, "kill worker"))
    assert (done["rows"], done["hits"], done["forks"], done["left"]) == (MANY, [device.rare], 1, [])
    assert_right(device)


@needs_fork
@pytest.mark.parametrize("mode", ["kill me", "stop"])
def test_whoever_is_killed_on_the_way_leaves_nothing_that_is_wrong(device, mode):
    process = begin(device, mode)
    out, err = process.communicate(timeout=120)
    if mode == "kill me":
        assert process.returncode == -signal.SIGKILL, err
    else:
        assert json.loads(out)["left"] == []
    assert_right(device)


@needs_fork
def test_killed_at_any_moment_it_is_mended_by_the_next_search(device):
    for delay in (0.15, 0.3, 0.45, 0.6):
        process = begin(device, "two")
        time.sleep(delay)
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
    assert_right(device)


def test_two_at_once_both_end_with_a_right_index(device):
    both = [begin(device, "two")]
    both.append(begin(device, "two"))
    for done in map(result, both):
        assert (done["rows"], done["hits"]) == (MANY, [device.rare])
    assert_right(device)


def test_a_log_as_large_as_the_index_is_not_left_behind(device):
    result(begin(device, "two"))
    log = os.path.join(device.stores[0].repo.folder, "index.db-wal")
    assert not os.path.exists(log) or os.path.getsize(log) <= 1 << 20


@needs_fork
def test_one_damaged_memory_in_the_middle_hides_no_other(device):
    store = device.stores[0]
    bad = store.repo.objects.write("blob", b"age-encryption.org/v1\nbroken")
    from gitmem.memory.ids import path_of
    from gitmem.repo.repo import Draft
    from gitmem.repo.trees import BLOB_MODE

    tip = store.tip()
    changes = {path_of(device.middle): (BLOB_MODE, bad)}
    with store.repo.lock:
        broken = store.trunk.seal(Draft((tip,), store.repo.tree(tip), changes, "write 1 memory"))
        store.trunk.advance(tip, broken, changes)
    for mode in ("two", "one"):
        done = result(begin(device, mode))
        assert (done["rows"], done["hits"]) == (MANY - 1, [device.rare])


def test_beside_other_threads_nothing_is_forked(monkeypatch):
    monkeypatch.setattr(worker, "_cores", lambda: 2)
    stop = threading.Event()
    other = threading.Thread(target=stop.wait)
    other.start()
    try:
        assert not worker.can_help()
    finally:
        stop.set()
        other.join()


def test_on_one_core_a_second_process_is_no_help(monkeypatch):
    monkeypatch.setattr(worker, "_threads", lambda: 1)
    monkeypatch.setattr(worker, "_cores", lambda: 1)
    assert not worker.can_help()
    monkeypatch.setattr(worker, "_cores", lambda: 2)
    assert worker.can_help() is hasattr(os, "fork")


ASK = """
import sys, json
sys.path[:0] = json.loads(sys.argv[1])
from gitmem.worker import Worker
second = Worker(lambda task: bytes([task]) * (task * 100_000))
for task in range(1, 6):
    second.ask(task)
found = [second.answer() for _ in range(5)]
print([(answer[0], len(answer)) for answer in found], second.owes, second.wants)
second.end()
second.end()
print(second.wants, second.lost())
"""


@needs_fork
def test_a_worker_answers_in_order_however_large_the_answers_are():
    done = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(sys.path)], capture_output=True, text=True, timeout=60
    )
    first, second = done.stdout.splitlines()
    assert first == f"{[(task, task * 100_000) for task in range(1, 6)]} False True", done.stderr
    assert second == "False []"

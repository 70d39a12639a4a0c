"""Two devices and a remote: both sides end with the same verified commits, and nobody's text is lost."""

import subprocess
from dataclasses import replace

import pytest

from gitmem.errors import ConflictError, RemoteError
from gitmem.flows import history, sync
from gitmem.index.filters import Filters


def git(store, *args):
    return subprocess.run(["git", "-C", store.path, *args], capture_output=True, text=True, check=True).stdout


def meet(*stores):
    for store in (*stores, *stores):
        sync.sync(store)


@pytest.fixture
def pair(devices):
    one = devices.first()
    return one, devices.another()


def test_writes_on_both_sides_end_in_one_line_of_commits(devices, pair):
    one, two = pair
    one.write([devices.memory("from one")])
    two.write([devices.memory("from two")])
    meet(one, two)
    assert one.tip() == two.tip()
    assert sorted(memory.body for memory in two.memories()) == ["from one", "from two"]
    assert git(one, "log", "--merges", "--format=%H") == ""


def test_two_edits_of_one_memory_are_merged(devices, pair):
    one, two = pair
    memory = devices.memory("first line\n\nmiddle\n\nlast line")
    one.write([memory])
    meet(one, two)
    one.replace(replace(memory, body=memory.body.replace("first", "FIRST"), rev=2))
    two.replace(replace(memory, body=memory.body.replace("last", "LAST"), rev=2))
    meet(one, two)
    assert one.get(memory.id) == two.get(memory.id)
    assert one.get(memory.id).body == "FIRST line\n\nmiddle\n\nLAST line"


def test_a_real_conflict_keeps_both_texts_and_says_so(devices, pair):
    one, two = pair
    memory = devices.memory("tea")
    one.write([memory])
    meet(one, two)
    one.replace(replace(memory, body="coffee", rev=2))
    two.replace(replace(memory, body="water", rev=2))
    sync.sync(one)
    report = sync.sync(two)
    assert report.conflicts == (memory.id,)
    sync.sync(one)
    assert one.get(memory.id) == two.get(memory.id)
    assert {"coffee", "water"} <= set(one.get(memory.id).body.split())


@pytest.mark.parametrize("first", [0, 1])
def test_a_memory_edited_here_and_forgotten_there_stays(devices, pair, first):
    one, two = pair
    memory = devices.memory("precious")
    one.write([memory])
    meet(one, two)
    one.replace(replace(memory, body="more precious", rev=2))
    two.forget([memory.id])
    meet(*(pair if first == 0 else reversed(pair)))
    assert one.tip() == two.tip()
    assert one.get(memory.id).body == "more precious"


def test_the_users_own_commits_to_other_files_travel_along(devices, pair):
    one, two = pair
    who = ("-c", "user.name=u", "-c", "user.email=u@localhost")
    with open(f"{one.path}/notes.txt", "w") as file:
        file.write("mine\n")
    git(one, "add", "notes.txt")
    git(one, *who, "commit", "-qm", "my notes")
    two.write([devices.memory("meanwhile")])
    meet(two, one)
    report = sync.sync(two)
    assert one.tip() == two.tip()
    assert (devices.folder / "device1" / "notes.txt").read_text() == "mine\n"
    assert [memory.body for memory in one.memories()] == ["meanwhile"]
    assert report.pulled == 0
    assert {commit.verdict for commit in history.log(one)} == {"sealed", "plain"}


def test_other_files_changed_on_both_sides_stop_the_sync_and_lose_nothing(devices, pair):
    one, two = pair
    who = ("-c", "user.name=u", "-c", "user.email=u@localhost")
    for store, text in ((one, "left\n"), (two, "right\n")):
        with open(f"{store.path}/notes.txt", "w") as file:
            file.write(text)
        git(store, "add", "notes.txt")
        git(store, *who, "commit", "-qm", "mine")
    two.write([devices.memory("kept")])
    sync.sync(one)
    tip = two.tip()
    with pytest.raises(ConflictError):
        sync.sync(two)
    assert two.tip() == tip
    assert [memory.body for memory in two.memories()] == ["kept"]


def test_a_vanished_remote_loses_nothing(devices, pair):
    one, _ = pair
    devices.remote.rename(devices.remote.with_suffix(".away"))
    one.write([devices.memory("offline")])
    with pytest.raises(RemoteError):
        sync.sync(one)
    devices.remote.with_suffix(".away").rename(devices.remote)
    assert sync.sync(one).pushed == 1


def test_a_sparse_clone_keeps_memories_out_of_its_work_tree_and_loses_none(devices):
    one = devices.first()
    one.write([devices.memory("here")])
    sync.sync(one)
    thin = devices.another(sparse=True)
    thin.write([devices.memory("and there")])
    meet(thin, one)
    assert sorted(memory.body for memory in one.memories()) == ["and there", "here"]
    assert git(thin, "status", "--porcelain") == ""
    assert not (devices.folder / "device1" / "memories").exists()
    assert thin.count(Filters()) == 2

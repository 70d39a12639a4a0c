"""The store: one object over vault, branch and index."""

import io
import os
import subprocess
from dataclasses import replace

import pytest

from gitmem.errors import AmbiguousIdError, NotFoundError, TamperedError, WrongKeyError
from gitmem.flows import export, history, sync, undo
from gitmem.index.filters import Filters
from gitmem.memory.ids import path_of
from gitmem.store import Store
from gitmem.vault.keys import Identity


def bodies(store):
    return sorted(memory.body for memory in store.memories())


def test_what_is_written_is_read_listed_and_found(devices):
    store = devices.first()
    memory = devices.memory("Deploys happen on Tuesdays", title="Deploys", tags=("ops",), project="lineside")
    store.write([memory])
    assert store.get(memory.id) == memory
    assert [row.id for row in store.rows(Filters(project="lineside"))] == [memory.id]
    assert [hit.memory for hit in store.search("which day do deploys happen", Filters(), 5)] == [memory]
    assert store.count(Filters(project="other")) == 0


def test_a_fresh_process_reads_the_same(devices):
    store = devices.first()
    memory = devices.memory("kept")
    store.write([memory])
    assert devices.open(devices.folder / "first").get(memory.id) == memory


def test_writing_nothing_makes_no_commit(devices):
    store = devices.first()
    tip = store.tip()
    assert store.write([]) == ""
    assert store.write([], removed=[devices.new_id()]) == ""
    assert store.tip() == tip


def test_the_same_text_is_known_whoever_wrote_it(devices):
    store = devices.first()
    memory = devices.memory("said once")
    store.write([memory])
    again = devices.memory("said once")
    assert store.same_text(again) == memory.id
    assert store.same_text(devices.memory("said otherwise")) is None
    sync.sync(store)
    assert devices.another().same_text(again) == memory.id


def test_a_forgotten_text_is_new_again(devices):
    store = devices.first()
    memory = devices.memory("gone tomorrow")
    store.write([memory])
    store.forget([memory.id])
    assert store.same_text(devices.memory("gone tomorrow")) is None
    with pytest.raises(NotFoundError):
        store.get(memory.id)


def test_short_ids_are_the_end_and_read_any_case_and_confusion(devices):
    store = devices.first()
    memory = replace(devices.memory("x"), id="01M7W3XXDQCKPX2BJ3HQK01S1K")
    twin = replace(devices.memory("y"), id="01M7W3XXDQCKPX2BJ3HQA01S1K")
    store.write([memory])
    assert store.resolve("k0ls1k") == memory.id
    assert store.resolve(memory.id.lower()) == memory.id
    store.write([twin])
    with pytest.raises(AmbiguousIdError):
        store.resolve("01S1K")
    with pytest.raises(NotFoundError):
        store.resolve("ZZZZZZ")
    with pytest.raises(NotFoundError):
        store.resolve("../../etc")


def test_an_overtaken_edit_is_merged(devices):
    store = devices.first()
    memory = devices.memory("line one\n\nline two\n\nline three")
    store.write([memory])
    elsewhere = replace(memory, body=memory.body.replace("three", "3"), rev=2)
    store.replace(elsewhere, base=memory)
    mine = replace(memory, body=memory.body.replace("one", "1"), rev=2)
    assert store.replace(mine, base=memory).body == "line 1\n\nline two\n\nline 3"
    assert store.get(memory.id).rev == 3


def test_undo_reverts_the_last_change_and_the_undo_itself(devices):
    store = devices.first()
    memory = devices.memory("first version")
    store.write([memory])
    store.replace(replace(memory, body="second version", rev=2))
    undo.undo(store)
    assert store.get(memory.id) == memory
    undo.undo(store)
    assert store.get(memory.id).body == "second version"
    assert [commit.subject for commit in history.log(store)][:2] == ["undo 1 commit", "undo 1 commit"]


def test_undoing_an_edit_does_not_bring_a_forgotten_memory_back(devices):
    store = devices.first()
    memory = devices.memory("first version")
    store.write([memory])
    store.replace(replace(memory, body="second version", rev=2))
    edit = store.tip()
    store.forget([memory.id])
    with pytest.raises(NotFoundError):
        undo.undo(store, edit)
    assert store.count(Filters()) == 0
    undo.undo(store)
    assert store.get(memory.id).body == "second version"


def test_a_commit_message_reveals_nothing(devices):
    store = devices.first()
    store.write([devices.memory("marzipan", title="marzipan", tags=("marzipan",))])
    raw = store.repo.objects.read(store.tip())
    assert b"write 1 memory\n\nGitmem-Seal: v1:" in raw
    assert b"marzipan" not in raw


def test_a_file_moved_to_another_id_is_refused(devices):
    store = devices.first()
    memory, other = devices.memory("one"), devices.memory("two")
    store.write([memory, other])
    with pytest.raises(TamperedError, match="holds another memory"):
        store.load(other.id, store.repo.file(store.tip(), path_of(memory.id)))


def test_a_damaged_file_does_not_blind_the_search(devices):
    store = devices.first()
    good, bad = devices.memory("readable"), devices.memory("broken")
    store.write([good])
    junk = store.repo.objects.write("blob", b"age-encryption.org/v1\njunk")
    store.trunk.grow(lambda _: {path_of(bad.id): (b"100644", junk)}, "write 1 memory")
    assert [hit.memory.id for hit in store.search("readable", Filters(), 5)] == [good.id]
    with pytest.raises(TamperedError):
        store.get(bad.id)
    assert export.export_lines(store, io.BytesIO()) == (1, (bad.id,))


def test_the_key_of_another_vault_is_told_apart(devices):
    devices.first()
    place = str(devices.folder / "first")
    with pytest.raises(WrongKeyError):
        Store.open(place, lambda _: Identity.generate(), ("g", "g@l"), devices.now, devices.new_id, place)


def test_plaintext_never_enters_a_commit(devices):
    store = devices.first()
    blob = store.repo.objects.write("blob", b"in clear")
    with pytest.raises(TamperedError):
        store.trunk.grow(lambda _: {path_of(devices.new_id()): (b"100644", blob)}, "write 1 memory")


@pytest.mark.parametrize("bare", [True, False])
def test_git_sees_a_sound_repository_and_a_clean_work_tree(devices, bare):
    store = devices.first(bare=bare)
    memory = devices.memory("a")
    store.write([memory, devices.memory("b")])
    store.forget([memory.id])
    undo.undo(store)
    fsck = subprocess.run(["git", "-C", store.path, "fsck", "--strict"], capture_output=True, text=True)
    assert (fsck.returncode, fsck.stderr) == (0, "")
    if not bare:
        status = ["git", "-C", store.path, "status", "--porcelain"]
        assert subprocess.run(status, capture_output=True, text=True).stdout == ""
        assert os.path.exists(os.path.join(store.path, path_of(memory.id)))

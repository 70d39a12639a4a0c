"""A vault gets its vectors beside all else, and words go on when that is killed, fails or is removed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from machine import Machine, every

LOOK = """
import json, sys
from gitmem import app
from gitmem.index import unembedded
store = app.open_store(sys.argv[1])
state = store.index.ask(unembedded.state)
rows = store.index.ask(lambda c: c.execute("SELECT passage, hex(numbers) FROM vector ORDER BY 1").fetchall())
print(json.dumps([state.embedder, state.done, state.memories, rows]))
"""
WITHOUT_EXTRA = (
    "import sys; sys.modules.update(numpy=None, onnxruntime=None);from gitmem.__main__ import main; main()"
)
LOADED = (
    "import atexit, sys; from gitmem.__main__ import main;"
    "names = {'numpy', 'onnxruntime', 'gitmem.index.minilm'};"
    "atexit.register(lambda: print(sorted(names & set(sys.modules)), file=sys.stderr));"
    "main()"
)
LONG_LIVED = """
import sys
from gitmem import app
from gitmem.index.filters import Filters
store = app.open_store(sys.argv[1])
store.embedder = app.embedder()
for question in iter(sys.stdin.readline, ""):
    hits = store.search(question, Filters(), 1)
    print(hits[0].memory.body if hits else "nothing", flush=True)
"""
NOTES = [
    "The harbour office closes at four in the afternoon",
    "Spare keys lie with the neighbour on the second floor",
    "Her cousin plays the cello in an orchestra",
    "The soup needs more salt and less time",
]


@pytest.fixture
def machine(tmp_path):
    machine = Machine.new(tmp_path).init()
    lines = [json.dumps({"body": text}) for text in NOTES]
    machine.run("import", "-", stdin="\n".join(lines).encode())
    return machine


@pytest.fixture
def place(machine):
    """Where the model belongs."""
    return machine.home / ".local/share/gitmem/model"


def give(converted, place):
    """Put the model in place."""
    place.mkdir(parents=True)
    for file in converted.iterdir():
        os.link(file, place / file.name)


def look(machine):
    """Whose vectors there are, how many memories have theirs, how many there are, and every vector."""
    return json.loads(machine.python(LOOK, str(machine.vault)))


def wait_for(machine, done, seconds=30):
    deadline = time.monotonic() + seconds
    while look(machine)[1] < done:
        assert time.monotonic() < deadline, look(machine)[:3]
        time.sleep(0.1)


def many(machine, count):
    lines = [json.dumps({"body": f"Note {n}: {NOTES[n % 4]}, said {n} of us"}) for n in range(count)]
    machine.run("import", "-", stdin="\n".join(lines).encode())


def test_an_index_without_vectors_gets_them_beside_the_next_search(machine, place, converted):
    machine.run("search", "harbour")
    assert look(machine)[:3] == ["", 0, 4]
    give(converted, place)
    assert "harbour" in machine.run("search", "harbour").out
    wait_for(machine, 4)
    machine.write("A fifth one, written later")
    assert look(machine)[1:3] == [4, 5]
    machine.run("search", "fifth")
    wait_for(machine, 5)


def test_the_index_command_completes_it_at_once_and_says_what_is_there(machine, place, converted):
    before = machine.run("--json", "index").json
    assert (before["memories"], before["passages"], before["vectors"], before["model"]) == (4, 4, 0, "")
    assert "words alone" in machine.run("index").out
    give(converted, place)
    after = machine.run("--json", "index").json
    assert (after["embedded"], after["vectors"], after["embedder"]) == (4, 4, after["model"])
    vectors = look(machine)
    machine.run("index", "--rebuild")
    assert sorted(numbers for _, numbers in look(machine)[3]) == sorted(numbers for _, numbers in vectors[3])


def test_what_means_the_same_is_found_without_a_common_word(machine, place, converted):
    give(converted, place)
    machine.run("index")
    question = "Somebody in the family is a musician"
    assert "cello" not in machine.run("search", "--lexical", question).out
    found = machine.run("--json", "search", question).json["hits"]
    assert "cello" in found[0]["body"]


def test_a_filling_that_is_killed_goes_on_from_there(machine, place, converted):
    many(machine, 60)
    give(converted, place)
    seen = []
    for delay in (0.5, 0.6, 0.7):
        child = machine.spawn("index")
        time.sleep(delay)
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        assert machine.run("--json", "search", "--lexical", "Note 7").json["hits"]
        seen.append(look(machine)[1])
    assert seen == sorted(seen)
    assert machine.run("--json", "index").json["embedded"] == 64
    whole = sorted(numbers for _, numbers in look(machine)[3])
    machine.run("index", "--rebuild")
    assert sorted(numbers for _, numbers in look(machine)[3]) == whole


def test_writers_and_searches_go_on_while_vectors_are_made(machine, place, converted):
    many(machine, 150)
    give(converted, place)
    child = machine.spawn("index")
    took = []
    while child.poll() is None:
        began = time.monotonic()
        machine.write(f"Written at {began} meanwhile")
        machine.run("search", "--lexical", "harbour")
        took.append(time.monotonic() - began)
    assert every([child])[0].code == 0
    assert max(took, default=0) < 10
    assert machine.run("--json", "index").json["embedded"] == 154 + len(took)


def test_two_fillings_at_once_take_turns_and_both_end_with_a_whole_index(machine, place, converted):
    many(machine, 40)
    give(converted, place)
    done = every([machine.spawn("--json", "index") for _ in range(2)])
    assert [(one.code, one.err, one.json["embedded"]) for one in done] == [(0, b"", 44)] * 2


def test_a_search_by_words_needs_no_model(machine, place, converted):
    give(converted, place)
    machine.run("index")

    def look_for_it(start=("-m", "gitmem")):
        argv = [sys.executable, "-P", *start, "--vault", str(machine.vault), "search", "harbour"]
        done = subprocess.run(argv, env=machine.env, cwd=machine.home, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert "closes at four" in done.stdout

    look_for_it(["-c", WITHOUT_EXTRA])
    (place / "encoder.onnx").unlink()
    look_for_it()
    (place / "encoder.onnx").write_bytes((converted / "encoder.onnx").read_bytes()[:9999])
    look_for_it()
    machine.run("config", "set", "search.semantic", "off")
    look_for_it()
    machine.run("config", "set", "search.semantic", "auto")
    machine.run("model", "remove")
    look_for_it()


def test_a_long_lived_process_keeps_model_and_vectors_and_sees_what_is_new(machine, place, converted):
    give(converted, place)
    machine.run("index")
    argv = [sys.executable, "-P", "-c", LONG_LIVED, str(machine.vault)]
    child = subprocess.Popen(
        argv, env=machine.env, cwd=machine.home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def first(question):
        child.stdin.write(question + "\n")
        child.stdin.flush()
        return child.stdout.readline()

    assert "cello" in first("Somebody in the family is a musician")
    machine.write("We painted the fence green")
    machine.run("index")
    for file in place.iterdir():
        file.unlink()  # it is in memory
    assert "fence" in first("What colour did the garden's border get?")
    child.communicate()


def test_where_no_index_can_be_kept_no_vectors_are_made(machine, place, converted):
    give(converted, place)
    for file in machine.git_dir.glob("gitmem/index.db*"):
        file.unlink()
    (machine.git_dir / "gitmem/index.db").mkdir()  # even root cannot write a file there
    done = machine.run("search", "harbour")
    assert ("closes at four" in done.out, done.err) == (True, "")
    assert "would not stay" in machine.run("index").err
    assert machine.run("--json", "index").json["vectors"] == 0


def test_a_model_that_fails_is_named_and_not_tried_behind_every_search(machine, place, converted):
    give(converted, place)
    (place / "vocab.txt").unlink()
    said = machine.run("index").err
    assert "gitmem model status" in said
    machine.run("search", "harbour")
    time.sleep(1)
    marks = list((machine.home / ".local/state/gitmem").glob("model-failed"))
    assert len(marks) == 1
    before = marks[0].stat().st_mtime_ns
    machine.run("search", "harbour")
    time.sleep(1)
    assert marks[0].stat().st_mtime_ns == before
    found = {one["name"]: one for one in machine.run("--json", "doctor", code=None).json["findings"]}
    assert found["model"]["ok"] is False
    assert "gitmem model install" in found["model"]["mend"]


def test_nothing_of_it_is_loaded_where_no_model_is_installed(machine):
    for args in (["search", "harbour"], ["write", "x"], ["read"], ["--help"], ["list"]):
        argv = [sys.executable, "-P", "-c", LOADED, "--vault", str(machine.vault), *args]
        done = subprocess.run(argv, env=machine.env, cwd=machine.home, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stderr.splitlines()[-1] == "[]", args

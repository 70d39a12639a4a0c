"""What gitmem prints, and the text that it takes in."""

from __future__ import annotations

import io
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.doors import wire
from gitmem.doors.cli import output, typed
from gitmem.doors.cli.verb import Call
from gitmem.errors import AmbiguousIdError, InvalidMemoryError, NotFoundError
from gitmem.memory.memory import MAX_BYTES, Memory

ID = "01M7W2VQJQ36SMHDVW9KRZKRSE"
WHEN = "2026-11-20T07:00:00Z"


@given(st.text(max_size=60), st.integers(2, 40))
def test_a_cut_line_is_one_line_that_fits(text, room):
    line = output.one_line(text, room)
    assert "\n" not in line
    assert len(line) <= room


def test_wide_characters_count_as_two_columns():
    assert output.one_line("日本語のメモ", 7) == "日本語…"
    assert output.one_line("日本語", 6) == "日本語"


@given(st.lists(st.text(max_size=40), max_size=3))
def test_nothing_printed_can_steer_a_terminal(texts):
    for text in texts:
        shown = output._rendered(["a ", ("dim", text), text])
        assert not any(ord(char) < 32 and char not in "\n\t" for char in shown)
        assert not any(0x7F <= ord(char) <= 0x9F for char in shown)


@given(st.text(max_size=80))
def test_json_is_ascii_without_control_characters_and_reads_back(text):
    shown = output.as_json({"text": text})
    assert all(char == "\n" or 32 <= ord(char) < 127 for char in shown)
    assert json.loads(shown) == {"text": text}


def test_show_prints_the_lines_or_the_payload(capsys):
    call = Call()
    output.show(call, {"a": 1}, ["one", ("dim", "two"), ["three ", ("id", "four")]])
    assert capsys.readouterr().out == "one\ntwo\nthree four\n"
    call.json = True
    output.show(call, {"a": 1}, ["one"])
    assert json.loads(capsys.readouterr().out) == {"a": 1}


def test_an_error_is_two_lines_on_stderr_or_one_object_on_stdout(capsys):
    error = AmbiguousIdError("2 memories end in X.", "Type more.")
    assert output.fail(error, as_json_=False) == 15
    assert capsys.readouterr() == ("", "gitmem: 2 memories end in X.\nType more.\n")
    assert output.fail(error, as_json_=True) == 15
    shape = {
        "kind": "AmbiguousIdError",
        "message": "2 memories end in X.",
        "hint": "Type more.",
        "exit_code": 15,
    }
    assert json.loads(capsys.readouterr().out) == {"error": shape}


def test_a_memory_on_the_wire_has_what_is_set():
    memory = Memory(id=ID, body="text", created=WHEN, tags=("a",), importance=0.0, share=True)
    assert wire.memory(memory) == {
        "id": ID,
        "short_id": "RZKRSE",
        "title": "",
        "kind": "note",
        "body": "text",
        "created": WHEN,
        "rev": 1,
        "tags": ["a"],
        "trust": "self",
        "importance": 0.0,
        "share": True,
    }


def test_text_comes_from_words_a_file_or_standard_input(tmp_path, monkeypatch):
    path = tmp_path / "note.md"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb\n")
    assert typed.text_of(["two", "words"], "") == "two words"
    assert typed.text_of([], str(path)) == "a\nb\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("ü".encode())))
    assert typed.text_of(["-"], "") == "ü"


@pytest.mark.parametrize("data", [b"", b" \n\t", b"\xff", b"x" * (MAX_BYTES + 1), b"\xed\xa0\x80"])
def test_text_that_cannot_be_a_memory_is_refused_without_showing_it(data):
    with pytest.raises(InvalidMemoryError) as caught:
        typed.from_stream(io.BytesIO(data))
    assert "xxx" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_argument_that_is_not_utf8_is_refused():
    with pytest.raises(InvalidMemoryError, match="not UTF-8"):
        typed.text_of([os.fsdecode(b"caf\xe9")], "")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NotFoundError, match=r"nothing\.md"):
        typed.text_of([], str(tmp_path / "nothing.md"))

"""Export: readable, private, outside the vault, and back again the same."""

import dataclasses
import io
import json
import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmem.errors import ConfigError
from gitmem.flows.export import export_folder, export_lines, slug
from gitmem.flows.importing import Options, import_path
from gitmem.memory.document import load
from gitmem.memory.memory import Memory

CREATED = "2026-11-20T07:00:00Z"


def memory(number, **fields):
    return Memory(
        **{"id": f"01KAGFWXW0ABCDEFGHJKM{number:05d}", "created": CREATED, "body": f"text {number}", **fields}
    )


MANY = [
    memory(1, title='A: "title" / with ../ things', project="../../etc", tags=("a b", "c"), share=True),
    memory(2, title="日本語", project="CON", trust="inbox", importance=0.25, expires="2020-01-01T00:00:00Z"),
    memory(
        3,
        extra="aliases:\n  - x\n# kept",
        links=("u",),
        rev=4,
        updated=CREATED,
        kind="decision",
        trust="assistant",
    ),
    memory(
        4,
        body="text 1",
        title='A: "title" / with ../ things',
        project="../../etc",
        supersedes=(memory(1).id,),
    ),
    memory(5, body="---\r\nCRLF\n\x00\u2028", title="", source="s", session="se", path="/memories/x"),
    memory(6, body="text 6"),
    memory(7, body="text 6", title=""),
]


def test_markdown_reads_back_to_the_same_memories(new_store, tmp_path):
    here, there = new_store(), new_store()
    here.write(MANY)
    assert export_folder(here, str(tmp_path / "out")) == (len(MANY), ())
    report = import_path(there, str(tmp_path / "out"), Options(keep=True))
    assert (report.added, report.skipped) == (len(MANY), ())
    assert sorted(there.memories(), key=str) == sorted(MANY, key=str)
    back = import_path(here, str(tmp_path / "out"))
    assert (back.added, back.updated, back.unchanged) == (0, 0, len(MANY))


def test_json_lines_read_back_to_the_same_memories(new_store, tmp_path):
    here, there = new_store(), new_store()
    here.write(MANY)
    path = str(tmp_path / "out" / "all.jsonl")
    assert export_lines(here, path) == (len(MANY), ())
    report = import_path(there, path, Options(keep=True))
    assert (report.added, report.skipped) == (len(MANY), ())
    assert sorted(there.memories(), key=str) == sorted(MANY, key=str)
    assert import_path(here, path).unchanged == len(MANY)


def test_without_keep_only_trust_and_share_differ(new_store, tmp_path):
    here, there = new_store(), new_store()
    here.write(MANY)
    export_folder(here, str(tmp_path / "out"))
    import_path(there, str(tmp_path / "out"))
    least = {"self": "import", "assistant": "import", "inbox": "inbox"}
    expected = [dataclasses.replace(one, trust=least[one.trust], share=False) for one in MANY]
    assert sorted(there.memories(), key=str) == sorted(expected, key=str)


def test_files_are_private_and_stay_in_the_folder(store, tmp_path):
    store.write(MANY)
    out = tmp_path / "out"
    export_folder(store, str(out))
    export_lines(store, str(tmp_path / "all.jsonl"))
    files = [path for path in out.rglob("*") if path.is_file()]
    assert len(files) == len(MANY)
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in [*files, tmp_path / "all.jsonl"])
    folders = [out, *(path for path in out.rglob("*") if path.is_dir())]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o700 for path in folders)
    assert {path.name for path in folders} == {"out", "etc", "con-"}
    assert "2026-11-20-a-title-with-things-M00001.md" in {path.name for path in files}
    assert all(load(path.read_bytes()) in MANY for path in files)


def test_a_stream_gets_one_object_per_memory(store):
    store.write(MANY)
    stream = io.BytesIO()
    assert export_lines(store, stream, [MANY[2].id]) == (1, ())
    assert json.loads(stream.getvalue()) == {
        "id": MANY[2].id,
        "title": "",
        "created": CREATED,
        "trust": "assistant",
        "extra": MANY[2].extra,
        "kind": "decision",
        "links": ["u"],
        "rev": 4,
        "updated": CREATED,
        "body": "text 3",
    }


@pytest.mark.parametrize("inside", ["", "memories/out", ".git/out"])
def test_nothing_is_written_inside_the_vault(store, tmp_path, inside):
    store.write(MANY[:1])
    target = os.path.join(store.path, inside)
    with pytest.raises(ConfigError, match="inside the vault"):
        export_folder(store, target)
    os.symlink(store.path, tmp_path / "innocent")
    with pytest.raises(ConfigError, match="inside the vault"):
        export_folder(store, str(tmp_path / "innocent" / "out"))
    with pytest.raises(ConfigError, match="inside the vault"):
        export_lines(store, os.path.join(target, "all.jsonl"))
    assert not os.path.exists(os.path.join(store.path, "memories/out"))


def test_a_folder_with_something_in_it_is_left_alone(store, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="not empty"):
        export_folder(store, str(tmp_path))
    assert "mine.txt" in os.listdir(tmp_path)


def test_a_place_that_cannot_be_written_is_said_and_leaves_nothing(store, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="cannot be written"):
        export_folder(store, str(tmp_path / "file" / "out"))
    (tmp_path / "taken").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        export_lines(store, str(tmp_path / "taken"))
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".part")]


@settings(max_examples=300)
@given(st.text(max_size=200))
def test_any_text_makes_a_safe_file_name(text):
    name = slug(text)
    assert len(name.encode()) <= 49 and not name.startswith((".", "-"))
    assert not set(name) & set('/\\:*?"<>|\x00\n. ')
    assert name.upper() not in {"CON", "NUL", "AUX", "PRN", "COM1", "LPT9"}

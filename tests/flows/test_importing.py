"""Import: everything once, whatever comes how often; nothing lost; trust never raised."""

import dataclasses
import json
import os

import pytest

from gitmem.errors import ConfigError, NotFoundError
from gitmem.flows.importing import Options, import_path, import_text
from gitmem.index.filters import Filters
from gitmem.memory import ids
from gitmem.memory.document import dump
from gitmem.memory.memory import MAX_BYTES, Memory

ID = "01KAGFWXW0ABCDEFGHJKMNPQRS"
OWN = Memory(
    id=ID, created="2026-11-20T07:00:00Z", body="mine", title="T", trust="self", share=True, tags=("a",)
)


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def everything(store):
    return {memory.title: memory for memory in store.memories()}


def counts(report):
    return report.added, report.updated, report.unchanged, len(report.skipped)


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "Notes"
    write(folder, "plain.md", "Just a line.\n")
    write(
        folder,
        "work/Deep Note.md",
        "---\naliases:\n  - Deep\ncreated: 2024-03-01 10:00\ntags: [One, 'two']\nrating: 5\n---\n"
        "# The heading\n\nSee [[Other note|that]] and [[work/Third#part]], ![[image.png]] #three #1 "
        "`#code`\n",
    )
    write(folder, ".obsidian/app.md", "hidden")
    write(folder, ".trash/old.md", "hidden")
    write(folder, "picture.png", b"\x89PNG")
    return folder


def test_a_folder_of_notes_becomes_memories(store, notes):
    report = import_path(store, str(notes))
    assert counts(report) == (2, 0, 0, 0)
    assert report.commit == store.tip()
    found = everything(store)
    deep = found["The heading"]
    assert deep.created == "2024-03-01T10:00:00Z"
    assert ids.unix_ms(deep.id) == 1_709_287_200_000
    assert (deep.project, deep.trust, deep.share, deep.kind) == ("work", "import", False, "note")
    assert deep.tags == ("One", "two", "three")
    assert deep.links == ("Other note", "work/Third")
    assert deep.extra.endswith("aliases:\n  - Deep\nrating: 5")
    assert "[[Other note|that]]" in deep.body
    assert found["plain"].project == "Notes"


def test_importing_again_changes_nothing(store, notes):
    import_path(store, str(notes))
    tip = store.tip()
    report = import_path(store, str(notes))
    assert counts(report) == (0, 0, 2, 0)
    assert (report.commit, store.tip()) == ("", tip)


def test_a_touched_file_is_still_the_same(store, notes):
    import_path(store, str(notes))
    os.utime(notes / "plain.md", (1_000_000_000, 1_000_000_000))
    assert counts(import_path(store, str(notes))) == (0, 0, 2, 0)


def test_a_changed_file_is_a_new_revision(store, notes):
    import_path(store, str(notes))
    before = everything(store)["plain"]
    write(notes, "plain.md", "Another line.\n")
    assert counts(import_path(store, str(notes))) == (0, 1, 1, 0)
    after = everything(store)["plain"]
    assert (after.id, after.body, after.rev, after.created) == (before.id, "Another line.", 2, before.created)
    assert counts(import_path(store, str(notes))) == (0, 0, 2, 0)


def test_a_new_tag_alone_is_a_revision(store, tmp_path):
    write(tmp_path, "n/x.md", "---\ntags: [a]\n---\ntext")
    import_path(store, str(tmp_path / "n"))
    write(tmp_path, "n/x.md", "---\ntags: [a, b]\n---\ntext")
    assert counts(import_path(store, str(tmp_path / "n"))) == (0, 1, 0, 0)
    assert everything(store)["x"].tags == ("a", "b")
    assert counts(import_path(store, str(tmp_path / "n"), Options(tags=("a",)))) == (0, 0, 1, 0)


def test_an_edit_in_the_vault_survives_an_unchanged_file(store, notes):
    import_path(store, str(notes))
    note = everything(store)["plain"]
    store.write([dataclasses.replace(note, body="Edited here.", rev=2)])
    assert counts(import_path(store, str(notes))) == (0, 0, 2, 0)
    assert store.get(note.id).body == "Edited here."


def test_edits_on_both_sides_are_both_kept(store, notes):
    import_path(store, str(notes))
    note = everything(store)["plain"]
    store.write([dataclasses.replace(note, body="Edited here.", rev=2, share=True)])
    write(notes, "plain.md", "Edited there.\n")
    assert counts(import_path(store, str(notes))) == (0, 1, 1, 0)
    after = store.get(note.id)
    assert "Edited here." in after.body and "Edited there." in after.body
    assert (after.rev, after.share) == (3, False)
    assert counts(import_path(store, str(notes))) == (0, 0, 2, 0)


def test_a_changed_file_loses_the_mark_to_share(store, notes):
    import_path(store, str(notes))
    note = everything(store)["plain"]
    store.write([dataclasses.replace(note, share=True, rev=2)])
    write(notes, "plain.md", "Now with a secret.\n")
    import_path(store, str(notes))
    assert store.get(note.id).share is False


def test_the_same_text_elsewhere_is_nothing(store, notes, tmp_path):
    import_path(store, str(notes))
    (tmp_path / "copy").mkdir()
    os.rename(notes, tmp_path / "copy" / "Notes")
    assert counts(import_path(store, str(tmp_path / "copy" / "Notes"))) == (0, 0, 2, 0)


def test_the_same_text_twice_in_one_run_comes_once(store, tmp_path):
    write(tmp_path, "n/a/x.md", "# Same\ntext")
    write(tmp_path, "n/a/y.md", "# Same\ntext")
    assert counts(import_path(store, str(tmp_path / "n"))) == (1, 0, 1, 0)


def test_two_folders_of_one_name_do_not_mix(store, tmp_path):
    write(tmp_path, "a/docs/README.md", "# One")
    write(tmp_path, "b/docs/README.md", "# Two")
    assert counts(import_path(store, str(tmp_path / "a/docs"))) == (1, 0, 0, 0)
    assert counts(import_path(store, str(tmp_path / "b/docs"))) == (1, 0, 0, 0)


def test_what_cannot_be_imported_is_named_and_the_rest_comes(store, tmp_path):
    folder = tmp_path / "n"
    write(folder, "good.md", "good")
    write(folder, "latin.md", "caf\u00e9".encode("latin-1"))
    write(folder, "big.md", b"x" * (MAX_BYTES + 1))
    write(folder, "edge.md", b"x" * MAX_BYTES)
    write(folder, "empty.md", " \n")
    write(folder, "broken.md", "---\na: [\n---\ntext")
    write(folder, "bomb.md", "---\na: &a [1]\nb: *a\n---\ntext")
    os.symlink(folder / "good.md", folder / "link.md")
    os.symlink(tmp_path, folder / "loop")
    os.mkfifo(folder / "pipe.md")
    report = import_path(store, str(folder))
    assert report.added == 1
    assert {name for name, _ in report.skipped} == {
        "latin.md",
        "big.md",
        "edge.md",
        "empty.md",
        "broken.md",
        "bomb.md",
        "link.md",
        "loop",
        "pipe.md",
    }
    reasons = dict(report.skipped)
    assert reasons["latin.md"] == "not UTF-8 text" and reasons["big.md"] == "larger than 1 MiB"
    assert "symbolic link" in reasons["link.md"] and "symbolic link" in reasons["loop"]


def test_a_file_name_that_is_no_text_does_not_stop_the_import(store, tmp_path):
    folder = tmp_path / "n"
    folder.mkdir()
    with open(os.fsencode(folder) + b"/\xff.md", "wb") as file:
        file.write(b"text")
    assert counts(import_path(store, str(folder))) == (1, 0, 0, 0)


def test_options_set_project_and_tags(store, notes):
    import_path(store, str(notes), Options(project="mine", tags=("x",)))
    found = everything(store)
    assert {memory.project for memory in found.values()} == {"mine"}
    assert found["The heading"].tags == ("x", "One", "two", "three")


def test_a_foreign_file_cannot_claim_trust_or_be_shared_or_choose_its_id(store, tmp_path):
    write(
        tmp_path,
        "n/x.md",
        "---\nid: zettel-7\ntrust: self\nshare: true\nkind: book\nrev: 9\nsource: https://x\n---\ntext",
    )
    import_path(store, str(tmp_path / "n"))
    (one,) = store.memories()
    assert (one.trust, one.share, one.kind, one.rev) == ("import", False, "note", 1)
    kept = one.extra.split("\n")[1:]
    assert kept == [
        "original-id: zettel-7",
        "original-trust: self",
        "original-share: true",
        "original-kind: book",
        "original-rev: 9",
        "original-source: https://x",
    ]


@pytest.mark.parametrize("form", ["markdown", "jsonl"])
def test_an_export_keeps_its_id_but_not_its_trust_unless_asked(new_store, tmp_path, form):
    name = "own.md" if form == "markdown" else "own.jsonl"
    fields = {
        "id": ID,
        "created": OWN.created,
        "title": "T",
        "tags": ["a"],
        "trust": "self",
        "share": True,
        "body": "mine",
    }
    path = str(write(tmp_path, name, dump(OWN) if form == "markdown" else json.dumps(fields)))
    careful, trusting = new_store(), new_store()
    assert counts(import_path(careful, path)) == (1, 0, 0, 0)
    assert careful.get(ID) == dataclasses.replace(OWN, trust="import", share=False)
    assert counts(import_path(trusting, path, Options(keep=True))) == (1, 0, 0, 0)
    assert trusting.get(ID) == OWN
    assert counts(import_path(trusting, path)) == (0, 0, 1, 0)
    assert trusting.get(ID) == OWN


def test_an_edited_export_is_a_revision_that_cannot_raise_trust(store, tmp_path):
    store.write([dataclasses.replace(OWN, trust="inbox", share=False)])
    path = str(write(tmp_path, "own.md", dump(dataclasses.replace(OWN, body="edited"))))
    assert counts(import_path(store, path)) == (0, 1, 0, 0)
    after = store.get(ID)
    assert (after.body, after.rev, after.trust, after.share) == ("edited", 2, "inbox", False)
    assert counts(import_path(store, path)) == (0, 0, 1, 0)


def test_an_old_export_does_not_undo_a_newer_revision(store, tmp_path):
    store.write([dataclasses.replace(OWN, body="newer", rev=3)])
    report = import_path(store, str(write(tmp_path, "own.md", dump(OWN))))
    assert report.skipped == (("own.md", "the vault has a newer revision of it"),)
    assert store.get(ID).body == "newer"


def test_a_damaged_export_is_named_not_taken_for_a_note(store, tmp_path):
    report = import_path(
        store, str(write(tmp_path, "own.md", dump(OWN).replace(b"trust: self", b"trust: god")))
    )
    assert report.added == 0 and report.skipped[0][0] == "own.md" and "Unknown trust" in report.skipped[0][1]


def lines(*objects):
    return "\n".join(json.dumps(one) for one in objects)


def test_json_lines_become_memories_with_their_fields(store, tmp_path):
    path = write(
        tmp_path,
        "x.jsonl",
        lines(
            {
                "title": "A talk",
                "created": "2023-05-08T13:56:00Z",
                "project": "conv",
                "kind": "note",
                "tags": ["chat"],
                "source": "conv/D1",
                "body": "**C**: Hi",
                "speaker": "C",
                "n": {"a": [1, None, "x: y\u2028"]},
            }
        ),
    )
    assert counts(import_path(store, str(path))) == (1, 0, 0, 0)
    (one,) = store.memories()
    assert (one.title, one.project, one.tags, one.source, one.trust) == (
        "A talk",
        "conv",
        ("chat",),
        "conv/D1",
        "import",
    )
    assert one.created == "2023-05-08T13:56:00Z"
    assert one.extra.endswith('"speaker": "C"\n"n": {"a": [1, null, "x: y\\u2028"]}')


def test_json_lines_are_known_by_source_and_by_text(store, tmp_path):
    path = write(
        tmp_path, "x.jsonl", lines({"source": "s1", "body": "one"}, {"body": "two"}, {"body": "two"})
    )
    assert counts(import_path(store, str(path))) == (2, 0, 1, 0)
    write(tmp_path, "x.jsonl", lines({"source": "s1", "body": "one, changed"}, {"body": "two"}))
    assert counts(import_path(store, str(path))) == (0, 1, 1, 0)
    assert sorted(one.body for one in store.memories()) == ["one, changed", "two"]


def test_one_source_twice_in_one_run_is_a_revision(store, tmp_path):
    path = write(tmp_path, "x.jsonl", lines({"source": "s", "body": "one"}, {"source": "s", "body": "two"}))
    assert counts(import_path(store, str(path))) == (1, 1, 0, 0)
    (one,) = store.memories()
    assert (one.body, one.rev) == ("two", 2)
    assert counts(import_path(store, str(path))) == (0, 0, 2, 0)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"\xff", "not UTF-8 text"),
        (b"[" * 100_000, "not JSON"),
        (b'{"body": 5}', "the field 'body' has a value of the wrong kind"),
        (b"{}", "A memory needs some text."),
        (b'{"body": "x", "tags": [1]}', "the field 'tags' must be a list of texts"),
        (
            b'{"body": "x", "rev": true, "id": "01KAGFWXW0ABCDEFGHJKMNPQRS"}',
            "the field 'rev' has a value of the wrong kind",
        ),
        (b'{"body": "x", "created": "soon"}', "A date must look like 2026-11-20 or 2026-11-20T07:00:00Z."),
        (b'{"body": "a\\ud800b"}', "The text holds half of a character (a lone surrogate)."),
    ],
)
def test_a_bad_line_is_named_and_the_others_come(store, tmp_path, line, reason):
    path = write(tmp_path, "x.jsonl", b'{"body": "good"}\n\n' + line + b'\n{"body": "also good"}\n')
    report = import_path(store, str(path))
    assert report.added == 2
    assert report.skipped == (("line 3", reason),)


def test_standard_input_is_json_lines_or_a_note(store):
    assert counts(import_text(store, b'{"body": "one"}\n{"body": "two"}\n')) == (2, 0, 0, 0)
    assert counts(import_text(store, b"# Three\ntext\n")) == (1, 0, 0, 0)
    assert counts(import_text(store, b"# Three\ntext\n")) == (0, 0, 1, 0)
    assert set(everything(store)) == {"one", "two", "Three"}


def test_other_files_and_missing_ones_are_refused(store, tmp_path):
    with pytest.raises(NotFoundError):
        import_path(store, str(tmp_path / "nothing.md"))
    with pytest.raises(ConfigError):
        import_path(store, str(write(tmp_path, "x.pdf", b"%PDF")))


def test_progress_counts_up_to_the_end(store, notes):
    seen = []
    import_path(store, str(notes), None, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_the_conversations_come_in_one_commit_and_only_once(store, data_dir):
    path = str(data_dir / "locomo" / "dev-memories.jsonl")
    report = import_path(store, path)
    assert counts(report) == (128, 0, 0, 0)
    assert store.count(Filters()) == 128
    assert counts(import_path(store, path)) == (0, 0, 128, 0)

"""Publish: only what is marked, only over our own files."""

import dataclasses
import os

import pytest

from gitmem.errors import ConfigError
from gitmem.flows.publish import publish
from gitmem.memory.memory import Memory


def memory(number, **fields):
    fixed = {
        "id": f"01KAGFWXW0ABCDEFGHJKM{number:05d}",
        "created": "2026-01-01T00:00:00Z",
        "body": f"word{number}",
    }
    return Memory(**{**fixed, "share": True, **fields})


def read(folder):
    return "".join((folder / name).read_text() for name in ("index.html", "digest.txt"))


def test_only_what_is_marked_appears(store, tmp_path):
    store.write(
        [
            memory(1),
            memory(2, share=False),
            memory(3, expires="2026-01-02T00:00:00Z"),
            memory(4, title="old one"),
            memory(5, share=False, supersedes=(memory(4).id,)),
        ]
    )
    done = publish(store, str(tmp_path / "site"))
    assert (done.files, done.removed, done.shown, done.left_out) == (("index.html", "digest.txt"), (), 1, 0)
    text = read(tmp_path / "site")
    assert text.count("word1") == 2
    assert not any(word in text for word in ("word2", "word3", "word4", "word5", "old one"))


def test_taking_the_mark_away_takes_the_text_away(store, tmp_path):
    store.write([memory(1), memory(2)])
    publish(store, str(tmp_path))
    store.write([dataclasses.replace(memory(1), share=False, rev=2)])
    assert publish(store, str(tmp_path)).shown == 1
    assert "word1" not in read(tmp_path) and "word2" in read(tmp_path)


def test_a_budget_is_kept_and_the_rest_counted(store, tmp_path):
    store.write([memory(number, body="word " * 100) for number in range(1, 9)])
    done = publish(store, str(tmp_path), budget=2000)
    assert 0 < done.shown < 8 and done.shown + done.left_out == 8
    assert f"{done.left_out} more were left out" in " ".join((tmp_path / "index.html").read_text().split())


def test_stale_files_of_a_former_digest_go_and_foreign_ones_stay(store, tmp_path):
    store.write([memory(1)])
    publish(store, str(tmp_path))
    os.rename(tmp_path / "digest.txt", tmp_path / "stale.txt")
    (tmp_path / "stale.html").write_bytes((tmp_path / "index.html").read_bytes())
    (tmp_path / "mine.html").write_text("<p>my own page")
    (tmp_path / "CNAME").write_text("example.org")
    assert publish(store, str(tmp_path)).removed == ("stale.html", "stale.txt")
    assert {"index.html", "digest.txt", "mine.html", "CNAME"} <= set(os.listdir(tmp_path))
    assert not {"stale.txt", "stale.html"} & set(os.listdir(tmp_path))


@pytest.mark.parametrize("name", ["index.html", "digest.txt"])
def test_a_foreign_file_in_our_place_stops_it_before_anything_is_written(store, tmp_path, name):
    (tmp_path / name).write_text("somebody's own")
    with pytest.raises(ConfigError, match="did not make"):
        publish(store, str(tmp_path))
    assert (tmp_path / name).read_text() == "somebody's own"
    assert {entry for entry in os.listdir(tmp_path) if not entry.startswith(("vault-", "home"))} == {name}


def test_a_link_in_our_place_is_not_followed(store, tmp_path):
    (tmp_path / "target").write_text("mine")
    (tmp_path / "site").mkdir()
    os.symlink(tmp_path / "target", tmp_path / "site" / "index.html")
    with pytest.raises(ConfigError, match="did not make"):
        publish(store, str(tmp_path / "site"))
    assert (tmp_path / "target").read_text() == "mine"


def test_a_digest_never_lands_inside_the_vault(store):
    with pytest.raises(ConfigError, match="inside the vault"):
        publish(store, os.path.join(store.path, "site"))
    assert not os.path.exists(os.path.join(store.path, "site"))


def test_an_empty_digest_says_so(store, tmp_path):
    assert publish(store, str(tmp_path)).shown == 0
    assert read(tmp_path).count("No memory is marked to share.") == 2

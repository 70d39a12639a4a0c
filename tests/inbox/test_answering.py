"""What the owner says to what came in, and what it may not do until then."""

from __future__ import annotations

import pytest

from gitmem.errors import NotFoundError


@pytest.fixture
def waiting(rig):
    """One memory of the owner's own, and one in the inbox that says it replaces it; the inbox one's id."""
    own = rig.owner.write("We ship on Thursdays.")
    rig.owner.run("sync")
    rig.issue(
        "Remember: Shipping", f"---\nsupersedes: [{own}]\nexpires: 2020-01-01\n---\nWe ship on Mondays."
    )
    rig.ingest()
    [memory] = rig.memories()
    return memory["id"]


def test_until_accepted_it_is_marked_and_replaces_nothing_is_not_shared_and_not_handed_to_assistants(
    rig, waiting
):
    owner = rig.owner
    assert "trust inbox" in owner.run("read", waiting).out
    found = owner.run("--json", "search", "ship").json["hits"]
    assert {hit["trust"] for hit in found} == {"self", "inbox"}
    assert [line.endswith("inbox") for line in owner.run("list").out.splitlines()].count(True) == 1
    assert len(owner.run("--json", "list").json["memories"]) == 2  # neither is superseded or expired
    assert "Mondays" not in owner.run("read").out
    assert "Thursdays" in owner.run("read").out
    owner.run("inbox", "accept", waiting, "--yes")
    assert "Mondays" in owner.run("read").out


def test_an_accepted_memory_has_the_trust_of_who_accepted_it_and_keeps_its_source(rig, waiting):
    done = rig.owner.run("--json", "inbox", "accept", waiting[-6:], "--yes").json
    [memory] = done["memories"]
    assert (memory["trust"], memory["rev"]) == ("self", 2)
    assert memory["source"].startswith("inbox:I_")
    assert rig.owner.run("inbox").out == "The inbox is empty.\n"
    assert rig.owner.run("--json", "read", waiting).json["memories"][0]["trust"] == "self"
    rig.owner.run("undo")
    assert [one["id"] for one in rig.owner.run("--json", "inbox").json["memories"]] == [waiting]
    asked = {"CLAUDECODE": "1"}
    [memory] = rig.owner.run("--json", "inbox", "accept", waiting, "--yes", env=asked).json["memories"]
    assert memory["trust"] == "assistant"


def test_what_is_rejected_is_gone_everywhere_and_can_be_brought_back(rig, waiting):
    done = rig.owner.run("inbox", "reject", waiting, "--yes")
    assert "1 rejected" in done.out
    rig.owner.run("sync")
    rig.runner.run("sync")
    assert waiting not in rig.runner.ids()
    assert rig.ingest().out.startswith("0 memories taken in")
    rig.owner.run("undo")
    assert waiting in rig.owner.ids()


def test_only_what_is_in_the_inbox_can_be_accepted_or_rejected(rig, waiting):
    own = next(one for one in rig.owner.ids() if one != waiting)
    for verb in ("accept", "reject"):
        done = rig.owner.run("inbox", verb, own, waiting, "--yes", code=NotFoundError.exit_code)
        assert "is not in the inbox" in done.err
        assert rig.owner.run("inbox", verb, waiting, code=2).err.startswith("gitmem: There is no terminal")
    assert set(rig.owner.ids()) == {own, waiting}


def test_the_list_shows_control_characters_and_the_json_escapes_them(rig):
    rig.issue("Remember: \x1b[31mred", "\x1b]0;title\x07 \u202e backwards")
    rig.ingest()
    rig.memories()
    shown = rig.owner.run("inbox", "list").out
    assert "\x1b" not in shown and "\u202e" not in shown
    assert "␛[31mred" in shown and "<U+202E> backwards" in shown
    assert rig.owner.run("--json", "inbox").out.isascii()


def test_the_link_leads_to_the_site_of_the_digest_or_to_any_copy(rig, tmp_path):
    done = rig.owner.run("inbox", "link", code=10)
    assert "`gitmem inbox page FILE`" in done.err
    rig.record("site", {"base": "https://ada.github.io/memory/"})
    host = rig.hub.url.removeprefix("http://")
    key = rig.box().recipient
    link = rig.owner.run("inbox", "link").out.strip()
    assert link == f"https://ada.github.io/memory/remember.html#{host}/ada/memory&{key}"
    assert rig.owner.run("inbox", "link", "--qr").out.count("\n") > 20
    rig.record("github", {"repository": "ada/memory", "owner_id": 1, "url": "https://github.com"})
    link = rig.owner.run("inbox", "link", "file:///x.html").out.strip()
    assert link == f"file:///x.html#ada/memory&{key}"
    file = tmp_path / "page.html"
    rig.owner.run("inbox", "page", str(file))
    assert f'data-inbox="ada/memory&amp;{key}"' in file.read_text()
    rig.owner.run("inbox", "page", "--bare", str(file))
    assert 'data-inbox=""' in file.read_text()

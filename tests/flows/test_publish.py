"""Publish: only what is shared, only over our own files, and nothing while a secret stands in it."""

import dataclasses
import os

import pytest

from gitmem.errors import ConfigError, InvalidMemoryError, TamperedError
from gitmem.flows import records, share
from gitmem.flows import site as sites
from gitmem.flows.publish import look, prepare, publish, publish_site
from gitmem.flows.site import Gist, Site
from gitmem.memory.ids import path_of
from gitmem.memory.memory import Memory
from gitmem.repo.trees import BLOB_MODE

KEY = "AKIA" + "Z3Q5" * 4


def memory(number, **fields):
    fixed = {
        "id": f"01KAGFWXW0ABCDEFGHJKM{number:05d}",
        "created": "2026-01-01T00:00:00Z",
        "body": f"word{number}.",
    }
    return Memory(**{**fixed, "share": True, **fields})


def read(folder):
    """Every byte that was published below a folder, names included."""
    found = []
    for path, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(path, name), "rb") as file:
                found.append(f"{os.path.join(path, name)}\n".encode() + file.read())
    return b"\n".join(found).decode()


def test_only_what_is_shared_appears(store, tmp_path):
    store.write(
        [
            memory(1),
            memory(2, share=False),
            memory(3, expires="2026-01-02T00:00:00Z"),
            memory(4, title="old one"),
            memory(5, share=False, supersedes=(memory(4).id,)),
        ]
    )
    assert publish(store, str(tmp_path / "site")).shown == 1
    text = read(tmp_path / "site")
    assert "word1" in text
    assert not any(word in text for word in ("word2", "word3", "word4", "word5", "old one"))


def test_a_rule_shares_and_its_end_unshares(store, tmp_path):
    store.write([memory(1, share=False, project="shop"), memory(2, share=False, project="home")])
    share.rule(store, ["shop"], [], [], on=True)
    publish(store, str(tmp_path / "site"))
    assert "word1" in read(tmp_path / "site") and "word2" not in read(tmp_path / "site")
    share.rule(store, ["shop"], [], [], on=False)
    publish(store, str(tmp_path / "site"))
    assert "word1" not in read(tmp_path / "site")
    assert records.read(store, "sharing") == {}


@pytest.mark.parametrize("end", ["unshare", "forget", "expire"])
def test_a_consolidated_memory_goes_with_its_source(store, tmp_path, end):
    source = memory(1, body="marker word")
    drawn = memory(2, body="It says marker word.", sources=(source.id,), source="consolidation")
    story = memory(
        3, body="All about the marker word.", sources=(drawn.id,), source="consolidation", kind="summary",
        tags=("digest",),
    )  # fmt: skip
    store.write([source, drawn, story, memory(4)])
    publish(store, str(tmp_path / "site"))
    assert read(tmp_path / "site").count("marker word") > 3
    if end == "unshare":
        share.mark(store, [source.id], on=False)
    elif end == "forget":
        store.forget([source.id])
    else:
        store.write([dataclasses.replace(source, expires="2026-01-02T00:00:00Z")])
    publish(store, str(tmp_path / "site"))
    assert "marker" not in read(tmp_path / "site") and "word4" in read(tmp_path / "site")


def test_a_memory_of_an_unshared_source_never_appears(store, tmp_path):
    store.write(
        [memory(1, body="marker", share=False), memory(2, body="says marker", sources=(memory(1).id,))]
    )
    assert publish(store, str(tmp_path / "site")).shown == 0
    assert "marker" not in read(tmp_path / "site")


@pytest.mark.parametrize("where", ["title", "project", "body", "tags"])
def test_a_secret_stops_the_build_before_anything_is_written(store, tmp_path, where):
    publish(store, str(tmp_path / "site"))
    before = read(tmp_path / "site")
    store.write([memory(1, **{where: (KEY,) if where == "tags" else f"the key {KEY}"}), memory(2)])
    for build in (
        lambda: publish(store, str(tmp_path / "site")),
        lambda: publish_site(store, Site("dir"), prepare(store), str(tmp_path / "other"), 8000),
    ):
        with pytest.raises(InvalidMemoryError) as caught:
            build()
        assert "M00001 (an AWS key)" in str(caught.value) and KEY not in str(caught.value)
    assert read(tmp_path / "site") == before and not (tmp_path / "other").exists()
    assert [finding.kind for finding in look(store).findings] == ["an AWS key"]


def test_a_secret_in_the_narrative_stops_it_and_one_that_is_not_shared_does_not(store, tmp_path):
    story = memory(1, body=KEY, kind="summary", source="consolidation", tags=("digest",))
    store.write([story])
    with pytest.raises(InvalidMemoryError):
        prepare(store)
    store.write([dataclasses.replace(story, share=False)])
    assert publish(store, str(tmp_path / "site")).shown == 0


def test_where_a_log_is_kept_the_error_names_no_memory(store):
    store.write([memory(1, body=KEY), memory(2, body=KEY)])
    with pytest.raises(InvalidMemoryError, match="2 of its memories") as caught:
        prepare(store, named=False)
    assert "M0000" not in str(caught.value)


def test_a_damaged_memory_stops_it_because_nobody_knows_what_it_replaced(store, tmp_path):
    store.write([memory(1)])
    damaged = store.repo.objects.write("blob", store.vault.seal(b"no document"))
    store.trunk.grow(lambda _: {path_of(memory(1).id): (BLOB_MODE, damaged)}, "edit 1 memory")
    with pytest.raises(TamperedError):
        publish(store, str(tmp_path / "site"))


# --- folders ------------------------------------------------------------------------------------------------


def test_stale_files_of_a_former_digest_go_and_foreign_ones_stay(store, tmp_path):
    store.write([memory(1, project="shop"), memory(2)])
    publish(store, str(tmp_path / "site"))
    (tmp_path / "site" / "mine.html").write_text("<p>my own page")
    (tmp_path / "site" / "CNAME").write_text("example.org")
    share.mark(store, [memory(1).id], on=False)
    assert publish(store, str(tmp_path / "site")).removed == 2
    left = set(os.listdir(tmp_path / "site"))
    assert {"index.html", "mine.html", "CNAME"} <= left
    assert not {"project-shop.html", "m-M00001.html"} & left


@pytest.mark.parametrize("name", ["index.html", "digest.txt", "style.css", "m-M00001.html"])
def test_a_foreign_file_in_our_place_stops_it_before_anything_is_written(store, tmp_path, name):
    store.write([memory(1)])
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / name).write_text("somebody's own")
    with pytest.raises(ConfigError, match="did not make"):
        publish(store, str(tmp_path / "site"))
    assert (tmp_path / "site" / name).read_text() == "somebody's own"
    assert os.listdir(tmp_path / "site") == [name]


def test_a_link_in_our_place_is_not_followed(store, tmp_path):
    (tmp_path / "target").write_text("mine")
    (tmp_path / "site").mkdir()
    os.symlink(tmp_path / "target", tmp_path / "site" / "index.html")
    with pytest.raises(ConfigError, match="did not make"):
        publish(store, str(tmp_path / "site"))
    assert (tmp_path / "target").read_text() == "mine"


def test_a_digest_never_lands_inside_the_vault(store):
    for build in (
        publish,
        lambda store, folder: publish_site(store, Site("dir"), prepare(store), folder, 8000),
    ):
        with pytest.raises(ConfigError, match="inside the vault"):
            build(store, os.path.join(store.path, "site"))
    assert not os.path.exists(os.path.join(store.path, "site"))


# --- the whole site, below secret paths --------------------------------------------------------------------


def test_the_site_lies_below_its_secret_path_and_nothing_above_leads_there(store, tmp_path):
    store.write([memory(1)])
    site = Site("dir", "https://notes.example.org/m")
    publish_site(store, site, prepare(store), str(tmp_path / "site"), 8000)
    path = sites.paths(store, site).current
    assert set(os.listdir(tmp_path / "site")) == {"index.html", "404.html", path}
    for name in ("index.html", "404.html"):
        page = (tmp_path / "site" / name).read_text()
        assert path not in page and "word1" not in page and "href" not in page
    address = sites.address(store, site).url
    assert address == f"https://notes.example.org/m/{path}/index.html"
    assert (
        f'href="https://notes.example.org/m/{path}/m-M00001.html"'
        in (tmp_path / "site" / path / "index.html").read_text()
    )


def test_after_a_rotation_the_old_path_is_gone(store, tmp_path):
    store.write([memory(1)])
    before, after = Site("dir"), Site("dir", rotation=1)
    publish_site(store, before, prepare(store), str(tmp_path / "site"), 8000)
    (tmp_path / "site" / "assets").mkdir()
    publish_site(store, after, prepare(store), str(tmp_path / "site"), 8000)
    old, new = (sites.paths(store, site).current for site in (before, after))
    assert set(os.listdir(tmp_path / "site")) == {"index.html", "404.html", new, "assets"}
    assert old not in read(tmp_path / "site")


def test_a_folder_that_only_looks_like_a_former_path_is_left_alone(store, tmp_path):
    mine = tmp_path / "site" / ("A" * 32)
    mine.mkdir(parents=True)
    (mine / "index.html").write_text("somebody's own")
    publish_site(store, Site("dir"), prepare(store), str(tmp_path / "site"), 8000)
    assert (mine / "index.html").read_text() == "somebody's own"


def test_around_the_end_of_a_window_each_path_is_whole_and_links_to_itself(store, tmp_path):
    store.write([memory(1)])
    site = Site("dir", "https://notes.example.org/m", "daily")
    publish_site(store, site, prepare(store), str(tmp_path / "site"), 8000)
    every = sites.paths(store, site).every
    assert len(every) == 3
    for path in every:
        text = read(tmp_path / "site" / path).replace(str(tmp_path / "site" / path), "")
        assert "word1" in text and path in text
        assert not any(other in text for other in every if other != path)


@pytest.mark.parametrize(
    "base",
    ["ftp://x.example", "http://x.example", "https://", "https://a b.example", "https://x.example/?q=1",
     "https://x.example/#f", "https://ada:pw@x.example", "https://x.example/é", 'https://x.example/"',
     "x.example", "https://[x", "https://x.example/" + "a" * 200],
)  # fmt: skip
def test_an_address_that_assistants_could_not_fetch_is_refused(base):
    with pytest.raises(ConfigError):
        sites.checked_base(base)


def test_an_address_is_kept_without_its_last_slash():
    assert sites.checked_base(" https://x.example/m/ ") == "https://x.example/m"
    assert sites.checked_base("") == ""


def test_the_record_holds_what_was_put_in_and_nothing_else(store):
    site = Site(
        "gist", "", "never", 3, Gist("abc", "https://g.example/raw", "c" * 40, "2026-01-01T00:00:00Z", "v")
    )
    sites.keep(store, site)
    assert sites.read(store) == site
    sites.keep(store, Site())
    assert sites.read(store) == Site() and records.read(store, "site") == {}


@pytest.mark.parametrize(
    "record", [{"host": "ftp", "window": "hourly", "rotation": "x", "gist": "y"}, {"gist": {"id": None}}]
)
def test_a_record_of_another_version_is_read_as_far_as_it_is_understood(store, record):
    records.keep(store, "site", record, "change 1 record")
    assert sites.read(store) == Site()


# --- marks --------------------------------------------------------------------------------------------------


def test_a_mark_that_a_rule_outlives_says_so(store):
    store.write([memory(1, share=False, project="shop", tags=("a",))])
    share.rule(store, ["shop"], ["a"], [], on=True)
    done = share.mark(store, [memory(1).id], on=False)
    assert done[0].rules == ("--project shop", "--tag a")


def test_marking_again_changes_nothing(store):
    store.write([memory(1)])
    tip = store.tip()
    assert share.mark(store, [memory(1).id], on=True)[0].memory == store.get(memory(1).id)
    assert store.tip() == tip


def test_what_came_by_a_link_is_not_marked_before_it_is_accepted(store):
    store.write([memory(1, share=False), memory(2, share=False, trust="inbox")])
    with pytest.raises(InvalidMemoryError, match="not accepted"):
        share.mark(store, [memory(1).id, memory(2).id], on=True)
    assert not store.get(memory(1).id).share


@pytest.mark.parametrize("rule", [([""], [], []), ([], [" "], []), ([], [], ["nonsense"])])
def test_a_rule_that_names_nothing_is_refused(store, rule):
    with pytest.raises(InvalidMemoryError):
        share.rule(store, *rule, on=True)

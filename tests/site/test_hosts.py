"""The digest on GitHub: Pages of a private repository, and secret gists, against the stand-in."""

import re

import pytest

from digests import share
from github_server import GitHubServer
from machine import Machine

NAME = "ada/memory"


@pytest.fixture
def here(machine, github: GitHubServer) -> Machine:
    """A vault without a remote, on a machine that has a token for GitHub."""
    return github.use(machine)


@pytest.fixture
def there(tmp_path, github: GitHubServer) -> Machine:
    """A vault in a private repository on GitHub, with its workflows."""
    machine = github.use(Machine.new(tmp_path / "two"))
    machine.vault = machine.home / "memory"
    machine.run("init", str(machine.vault), "--github", NAME, "--yes")
    return machine


def the_gist(github):
    (found,) = github.gists.values()
    return found


def everything(gist):
    """All that anybody with the address can read: files and revisions."""
    return "\n".join("\n".join([*files, *files.values()]) for files in (gist.files, *gist.earlier))


# --- gists -----------------------------------------------------------------------------------------------


def test_a_gist_is_secret_holds_linked_text_and_its_address_is_kept_sealed(here, github):
    share(here, "word one", "--project", "shop")
    here.write("marker kept private")
    done = here.run("publish", "--to", "gist")
    gist = the_gist(github)
    assert not gist.public and gist.description == ""
    assert {"digest.txt", "llms.txt", "project-shop.txt"} == set(gist.files)
    assert "word one" in gist.files["digest.txt"] and "marker" not in everything(gist)
    address = here.run("--json", "url").json["url"]
    assert address.endswith("/digest.txt") and gist.id in address and len(address) <= 250
    links = set(re.findall(r"https?://\S+?\.txt", gist.files["digest.txt"] + gist.files["llms.txt"]))
    base = address.removesuffix("digest.txt")
    assert links and {link.removeprefix(base) for link in links} <= set(gist.files)
    assert gist.id not in done.out + done.err
    raw = b"".join(path.read_bytes() for path in here.vault.rglob("*") if path.is_file())
    assert gist.id.encode() not in raw and gist.id not in here.git("log", "--format=%B")


def test_the_same_digest_is_not_sent_twice_and_more_of_it_is_an_update(here, github):
    share(here, "word one")
    here.run("publish", "--to", "gist")
    first = the_gist(github).id
    sent = len(github.asked("PATCH|POST|DELETE", "gist"))
    here.run("publish")
    assert len(github.asked("PATCH|POST|DELETE", "gist")) == sent
    share(here, "word two", "--project", "shop")
    here.run("publish")
    assert the_gist(github).id == first and "word two" in the_gist(github).files["digest.txt"]
    here.write("kept private")
    assert not here.run("--json", "publish").json["replaced"]


@pytest.mark.parametrize("change", ["unshare", "forget", "edit", "expire", "rule", "rotate"])
def test_what_is_taken_away_takes_the_gist_and_its_revisions_with_it(here, github, change):
    one = share(here, "marker word") if change != "rule" else here.write("marker word", env={})
    share(here, "word two")
    if change == "rule":
        here.run("share", "--kind", "note")
    here.run("publish", "--to", "gist")
    first, before = the_gist(github), here.run("--json", "url").json["url"]
    assert "marker word" in everything(first)
    lines = {
        "unshare": ["share", one, "--off"],
        "forget": ["forget", one, "--yes"],
        "edit": ["edit", one, "--title", "Another title"],
        "expire": ["edit", one, "--expires", "2020-01-02"],
        "rule": ["share", "--kind", "note", "--off"],
        "rotate": ["url", "--rotate"],
    }
    here.run(*lines[change])
    done = here.run("--json", "publish").json
    assert first.id not in github.gists and the_gist(github).id != first.id
    assert done["replaced"] == (change != "rotate")  # the rotation has published already
    assert ("marker" in everything(the_gist(github))) == (change in ("rotate", "edit"))
    assert here.run("--json", "url").json["url"] != before


def test_a_rewritten_summary_of_memories_that_are_still_shared_is_an_update(here, github):
    source = share(here, "We ship on Thursdays.")
    rewrite(here, source, "Ships weekly.", 1)
    here.run("publish", "--to", "gist")
    first = the_gist(github).id
    assert "Ships weekly." in everything(the_gist(github))
    rewrite(here, source, "Ships each Thursday.", 2)
    here.run("publish")
    assert the_gist(github).id == first and "Ships each Thursday." in the_gist(github).files["digest.txt"]
    here.run("share", source, "--off")
    here.run("publish")
    assert the_gist(github).id != first and "Ships" not in everything(the_gist(github))


def rewrite(machine, source, text, rev):
    """Put a consolidated memory of one source there, as consolidation does."""
    script = """
import sys
from gitmem import app
from gitmem.memory.memory import Memory
store = app.open_store(sys.argv[1])
store.write([Memory(id="01KAGFWXW0ABCDEFGHJKMNPQRS", created="2026-01-01T00:00:00Z", body=sys.argv[3],
    share=True, source="consolidation", sources=(sys.argv[2],), rev=int(sys.argv[4]))])
"""
    machine.python(script, str(machine.vault), source, text, str(rev))


def test_a_gist_that_somebody_deleted_is_made_again(here, github):
    share(here, "word one")
    here.run("publish", "--to", "gist")
    github.gists.clear()
    share(here, "word two")
    here.run("publish")
    assert "word two" in the_gist(github).files["digest.txt"]


def test_an_interrupted_publication_leaves_nothing_behind_and_goes_on(here, github):
    share(here, "word one")
    github.fault("/gists/", "PATCH", cut=True, times=9)
    here.run("publish", "--to", "gist", code=18)
    assert "word one" not in everything(the_gist(github))
    left = the_gist(github).id
    github.faults.clear()
    here.run("publish", "--to", "gist")  # whatever became of that request, all of it may still be read
    assert the_gist(github).id == left and "word one" in the_gist(github).files["digest.txt"]
    assert len(github.gists) == 1


@pytest.mark.parametrize("killed", [True, False])
def test_what_was_sent_without_an_answer_is_taken_away_all_the_same(here, github, killed):
    share(here, "word one")
    here.run("publish", "--to", "gist")
    first = the_gist(github).id
    two = share(here, "marker word")
    lost = github.fault("/gists/", verb="PATCH", cut=True, after=True, times=9)
    child = here.spawn("publish")
    lost.run = child.kill if killed else None
    child.communicate(timeout=60)
    github.faults.clear()
    assert "marker word" in everything(the_gist(github))
    here.run("share", two, "--off")
    assert here.run("--json", "publish").json["replaced"]
    assert first not in github.gists and "marker" not in everything(the_gist(github))


def test_a_token_that_may_not_delete_the_gist_is_said_and_not_passed_over(here, github):
    one = share(here, "word one")
    here.run("publish", "--to", "gist")
    here.run("share", one, "--off")
    github.use(here, github.token_of("ada", {"repo", "read:org"}).text)
    assert "may not remove it" in here.run("publish", code=18).err
    assert "word one" in everything(the_gist(github))
    github.use(here)
    here.run("publish")
    assert "word one" not in everything(the_gist(github))


def test_a_gists_address_follows_no_window(here, github):
    share(here, "word one")
    here.run("publish", "--to", "gist")
    assert "cannot follow the calendar" in here.run("url", "--window", "daily", code=9).err
    assert here.run("--json", "url").json["window"] == "never"


def test_going_elsewhere_or_off_deletes_the_gist(here, github, tmp_path):
    share(here, "word one")
    here.run("publish", "--to", "gist")
    here.run("publish", "--to", "dir", str(tmp_path / "site"))
    assert not github.gists
    here.run("publish", "--to", "gist")
    assert list((tmp_path / "site").iterdir()) == []
    here.run("publish", "--off")
    assert not github.gists and "not published" in here.run("url", code=10).err


def test_a_secret_stops_it_before_anything_is_sent(here, github):
    share(here, "the key is AKIA" + "Z3Q5" * 4)
    here.run("publish", "--to", "gist", code=16)
    assert not github.requests


# --- Pages -----------------------------------------------------------------------------------------------


def test_pages_are_turned_on_the_record_is_pushed_and_the_workflow_started(there, github):
    github.owner.plan = "pro"
    one = share(there, "word one")
    done = there.run("publish", "--to", "pages")
    repo = github.repositories[NAME]
    assert repo.pages == {"build_type": "workflow"}
    assert [path for path, _ in repo.dispatches] == [".github/workflows/publish.yml"]
    assert repo.tip() == there.git("rev-parse", "HEAD").strip()
    address = there.run("--json", "url").json["url"]
    assert re.fullmatch(rf"{github.url}/pages/ada/memory/[A-Za-z0-9_-]{{32}}/index\.html", address)
    assert address.split("/")[-2] not in done.out + done.err
    there.run("publish")
    assert len(repo.dispatches) == 2 and one


def test_a_job_builds_for_that_address_what_the_owner_published(there, github, tmp_path):
    github.owner.plan = "pro"
    share(there, "word one")
    there.run("publish", "--to", "pages")
    path = there.run("--json", "url").json["url"].split("/")[-2]
    site = tmp_path / "runner"
    there.run("publish", "--to", "pages", "--dir", str(site), env={"GITHUB_ACTIONS": "true"})
    page = (site / path / "index.html").read_text()
    assert "word one" in page and f"{github.url}/ada/memory/issues/new?title=" in page
    assert f"{github.url}/pages/ada/memory/remember.html#" in page and (site / "remember.html").exists()
    assert {entry.name for entry in site.iterdir()} == {"index.html", "404.html", "remember.html", path}


def test_a_free_plan_is_one_sentence_and_offers_a_gist(there, github):
    share(there, "word one")
    said = there.run("publish", "--to", "pages", code=18).err
    assert "no Pages for private repositories" in said and "`gitmem publish --to gist`" in said
    assert len(said.strip().splitlines()) == 2
    assert "not published" in there.run("url", code=10).err
    there.run("publish", "--to", "gist")
    before = there.run("--json", "url").json
    there.run("publish", "--to", "pages", code=18)
    assert "word one" in everything(the_gist(github)) and there.run("--json", "url").json == before


def test_a_public_repository_is_refused(there, github):
    github.owner.plan = "pro"
    share(there, "word one")
    github.repositories[NAME].private = False
    said = there.run("publish", "--to", "pages", code=9).err
    assert "public" in said and github.repositories[NAME].pages is None
    assert not github.repositories[NAME].dispatches


def test_pages_that_were_on_already_are_taken_over(there, github):
    github.owner.plan = "pro"
    github.repositories[NAME].pages = {"build_type": "legacy"}
    share(there, "word one")
    there.run("publish", "--to", "pages")
    assert github.repositories[NAME].pages["build_type"] == "workflow"


def test_a_rotation_publishes_again_and_off_takes_the_site_down(there, github):
    github.owner.plan = "pro"
    share(there, "word one")
    there.run("publish", "--to", "pages")
    before = there.run("--json", "url").json["url"]
    there.run("url", "--rotate")
    assert len(github.repositories[NAME].dispatches) == 2
    assert there.run("--json", "url").json["url"] != before
    there.run("publish", "--off")
    assert github.repositories[NAME].pages is None


def test_from_pages_to_a_gist_and_back_leaves_nothing_up_at_the_former_place(there, github):
    github.owner.plan = "pro"
    share(there, "word one")
    there.run("publish", "--to", "pages")
    there.run("url", "--window", "weekly")
    there.run("publish", "--to", "gist")
    assert github.repositories[NAME].pages is None and "remember.html" not in everything(the_gist(github))
    there.run("url", "--rotate")
    there.run("publish", "--to", "pages")
    assert not github.gists and github.repositories[NAME].pages


def test_pages_without_the_workflow_change_nothing_and_say_how_to_get_it(there, github):
    github.owner.plan = "pro"
    share(there, "word one")
    github.fault("/dispatches", "POST", status=404, message="Not Found")
    assert "`gitmem doctor --fix`" in there.run("publish", "--to", "pages", code=10).err
    assert "not published" in there.run("url", code=10).err


def test_a_rotation_that_could_not_be_published_says_that_the_old_address_is_up(there, github):
    github.owner.plan = "pro"
    share(there, "word one")
    there.run("publish", "--to", "pages")
    github.fault("/dispatches", "POST", status=500, times=9)
    said = there.run("url", "--rotate", code=18).err
    assert "former one is still up" in said and "`gitmem publish`" in said


def test_without_a_repository_on_github_it_says_what_to_do(here):
    share(here, "word one")
    assert "not connected" in here.run("publish", "--to", "pages", code=10).err


def test_without_a_token_it_says_where_to_get_one(here, github):
    share(here, "word one")
    github.use(here, "-")
    assert "gh auth login" in here.run("publish", "--to", "gist", code=18).err

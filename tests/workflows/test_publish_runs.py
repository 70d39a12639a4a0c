"""The digest from the vault to Pages, the steps run for real."""

from __future__ import annotations

import tarfile

import pytest

MARK = "xylophone"
_CONFIGURE = """
import sys
from gitmem import app
from gitmem.flows import records, sync
store = app.open_store(sys.argv[1])
records.keep(store, "site", {"host": sys.argv[2], "base": "https://ada.github.io/memory"}, "change 1 record")
sync.sync(store)
"""


@pytest.fixture
def site(vault):
    """A vault whose digest goes to Pages, which its owner's plan has."""
    vault.repo.pages = {"build_type": "workflow"}
    vault.machine.python(_CONFIGURE, str(vault.machine.vault), "pages")
    vault.write(f"The {MARK} is played on Sundays", "--share")
    return vault


def publish(vault):
    (run,) = vault.actions.start("workflow_dispatch", only="publish.yml")
    return run


def test_the_digest_is_built_and_deployed_and_its_path_is_in_no_log(site):
    run = publish(site)
    assert run.result == "success", run.log
    pages = site.actions.site
    assert any(MARK.encode() in content for content in pages.values())
    paths = {name.split("/")[0] for name in pages if "/" in name}
    assert paths
    assert not [path for path in paths if path in run.log]
    assert MARK not in run.log
    address = site.machine.run("--json", "url").json["url"]
    assert address.removeprefix("https://ada.github.io/memory/") in pages
    kept = run.artifacts["github-pages"]
    assert [path.name for path in kept.iterdir()] == ["artifact.tar"]


def test_pages_gets_plain_files_and_nothing_hidden(site):
    run = publish(site)
    with tarfile.open(run.artifacts["github-pages"] / "artifact.tar") as archive:
        members = archive.getmembers()
    assert all(one.isfile() or one.isdir() for one in members)
    assert not [
        one.name for one in members if one.name.removeprefix("./").startswith(".") and one.name != "."
    ]


def test_what_is_unshared_is_gone_from_the_next_deployment(site):
    publish(site)
    memory = next(iter(site.machine.run("--json", "list").json["memories"]))["id"]
    site.machine.run("share", memory, "--off")
    site.sync()
    run = publish(site)
    assert run.result == "success", run.log
    assert not any(MARK.encode() in content for content in site.actions.site.values())


@pytest.mark.parametrize("host", ["", "gist"])
def test_where_the_digest_is_off_or_elsewhere_the_run_is_green_and_deploys_nothing(site, host):
    site.machine.python(_CONFIGURE, str(site.machine.vault), host)
    run = publish(site)
    assert run.result == "success", run.log
    assert run.jobs["deploy"].result == "skipped"
    assert (run.artifacts, site.actions.site) == ({}, {})


def test_without_pages_the_run_is_green_and_deploys_nothing(site):
    site.repo.pages = None
    run = publish(site)
    assert run.result == "success", run.log
    assert run.jobs["deploy"].result == "skipped"
    assert "GitHub Pages is not set up" in run.log


def test_in_a_repository_that_became_public_nothing_is_built(site):
    site.repo.private = False
    run = publish(site)
    assert run.result == "skipped"
    assert site.actions.site == {}


def test_a_planted_key_stops_the_build_and_is_not_named_in_the_log(site):
    secret = "AKIA" + "Q" * 16
    site.write(f"The backup user is {secret}", "--share")
    run = publish(site)
    assert run.result == "failure"
    assert "secrets seem to stand in 1 of its memories" in run.log
    assert secret not in run.log
    assert (run.artifacts, site.actions.site) == ({}, {})

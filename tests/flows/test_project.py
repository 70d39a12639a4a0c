"""Which project a folder belongs to."""

from __future__ import annotations

import subprocess

import pytest

from gitmem.flows.project import project_of


@pytest.fixture
def work(tmp_path):
    folder = tmp_path / "home" / "work"
    folder.mkdir(parents=True)
    return folder


def repository(folder, *urls):
    subprocess.run(["git", "init", "-q", folder], check=True)
    for number, url in enumerate(urls):
        name = "origin" if number == len(urls) - 1 else f"r{number}"
        subprocess.run(["git", "-C", folder, "remote", "add", name, url], check=True)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("git@github.com:ada/shop.git", "shop"),
        ("https://github.com/ada/shop", "shop"),
        ("ssh://git@host:22/ada/shop.git/", "shop"),
        ("host:shop.git", "shop"),
        ("/srv/git/shop.git", "shop"),
        (r"C:\git\shop.git", "shop"),
    ],
)
def test_it_is_the_last_part_of_the_remote(work, url, name):
    repository(work, url)
    (work / "deep" / "down").mkdir(parents=True)
    assert project_of(str(work / "deep" / "down"), str(work.parent), "") == name


def test_origin_comes_before_other_remotes(work):
    repository(work, "https://example.org/fork.git", "https://example.org/shop.git")
    assert project_of(str(work), str(work.parent), "") == "shop"


def test_without_a_remote_it_is_the_repository_folder(work):
    repository(work)
    (work / "src").mkdir()
    assert project_of(str(work / "src"), str(work.parent), "") == "work"


def test_without_a_repository_it_is_the_folder_itself(work):
    assert project_of(str(work), str(work.parent), "") == "work"


def test_home_root_and_a_missing_folder_are_no_project(work):
    assert project_of(str(work.parent), str(work.parent), "") == ""
    assert project_of("/", str(work.parent), "") == ""
    assert project_of("", str(work.parent), "") == ""


def test_dotfiles_kept_in_git_at_home_do_not_name_everything_below(work):
    repository(work.parent, "https://example.org/dotfiles.git")
    assert project_of(str(work), str(work.parent), "") == "work"
    assert project_of(str(work.parent), str(work.parent), "") == ""


def test_the_vault_is_no_project_but_its_neighbour_of_a_longer_name_is(work):
    vault = work / "memory"
    (vault / "notes").mkdir(parents=True)
    (work / "memory-app").mkdir()
    assert project_of(str(vault / "notes"), str(work.parent), str(vault)) == ""
    assert project_of(str(work / "memory-app"), str(work.parent), str(vault)) == "memory-app"


def test_a_linked_work_tree_has_the_project_of_its_repository(work, tmp_path):
    repository(work, "https://example.org/shop.git")
    subprocess.run(
        [
            "git",
            "-C",
            work,
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "x",
        ],
        check=True,
    )
    other = work.parent / "branch-2"
    subprocess.run(["git", "-C", work, "worktree", "add", "-q", str(other)], check=True)
    assert project_of(str(other), str(work.parent), "") == "shop"

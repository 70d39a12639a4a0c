"""Where a repository keeps its parts, read from its files without a git process."""

from __future__ import annotations

import os

from gitmem.errors import NotSetUpError


def read_text(path: str) -> str:
    """A small text file of git's, "" when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def find(path: str) -> tuple[str, str | None]:
    """Git directory and work tree at ``path``, found without running git on a stranger's configuration.

    Raises:
        NotSetUpError: no repository is there.
    """
    path = os.path.realpath(path)
    if os.path.basename(path) == ".git" and os.path.isdir(path):
        path = os.path.dirname(path)
    inside = os.path.join(path, ".git")
    if os.path.isdir(inside):
        return inside, path
    if os.path.isfile(inside):
        target = read_text(inside).strip().removeprefix("gitdir:").strip()
        return os.path.realpath(os.path.join(path, target)), path
    if os.path.isdir(os.path.join(path, "objects")) and os.path.isfile(os.path.join(path, "HEAD")):
        return path, None
    raise NotSetUpError(
        "There is no git repository in that folder.",
        "`gitmem init DIR` makes a vault; `gitmem join` brings one.",
    )


def common(git_dir: str) -> str:
    """The git directory that all work trees of a repository share."""
    relative = read_text(os.path.join(git_dir, "commondir")).strip()
    return os.path.realpath(os.path.join(git_dir, relative)) if relative else git_dir


def work_trees(git_dir: str, common_dir: str, work_tree: str | None) -> list[tuple[str, str]]:
    """Git directory and path of every work tree of a repository, the one that was opened first."""
    found = [(git_dir, work_tree)] if work_tree else []
    main = os.path.dirname(common_dir)
    if git_dir != common_dir and os.path.basename(common_dir) == ".git":
        found.append((common_dir, main))
    linked = os.path.join(common_dir, "worktrees")
    for name in os.listdir(linked) if os.path.isdir(linked) else ():
        place = read_text(os.path.join(linked, name, "gitdir")).strip()
        if place and os.path.join(linked, name) != git_dir and os.path.exists(place):
            found.append((os.path.join(linked, name), os.path.dirname(place)))
    return found

"""What no branch needs any more is erased for good: after a purge, in the vault and in a remote folder."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator

from gitmem.repo.git import Git
from gitmem.repo.places import read_text, work_trees

# Refs of our own: former versions of hand-made merges, and proposals, which can be made anew.
OURS = ("refs/gitmem/", "refs/heads/gitmem/proposal", "refs/remotes/origin/gitmem/proposal")
STASH = "refs/stash"
_PSEUDO = ("ORIG_HEAD", "FETCH_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "AUTO_MERGE")


def holders(git: Git, git_dir: str, tip: str, gone: Container[str]) -> list[str]:
    """The names, beside ``tip``, by which a repository still keeps one of the commits ``gone``.

    Full ref names; of a detached HEAD the path of its work tree.
    """
    return [name for name, oid in _names(git, git_dir) if _keeps(git, oid, tip, gone)]


def drop(git: Git, refs: list[str]) -> None:
    """Remove refs of our own."""
    for ref in refs:
        git.run("update-ref", "-d", ref)


def erase(git: Git, git_dir: str, gone: Container[str]) -> None:
    """Remove every object that no ref needs, with the logs and pseudo-refs that would keep some.

    The stash is left alone: it is the user's. Objects of a writer at work that no commit has yet go too, so
    locks must be held.

    Raises:
        GitFailed: the disk is full or the like; nothing that a ref needs was lost.
    """
    for folder in _folders(git_dir):
        for name in _PSEUDO:
            place = os.path.join(folder, name)
            if any(word in gone for word in read_text(place).split()):
                os.unlink(place)
        _empty_logs(folder)
    for name in ("commit-graph", "commit-graphs"):  # may name commits that are about to go
        place = os.path.join(git_dir, "objects", "info", name)
        _remove(place)
    quiet = ("-c", "repack.writeBitmaps=false", "-c", "gc.cruftPacks=false", "-c", "gc.bigPackThreshold=0")
    git.run(*quiet, "repack", "-a", "-d", "-q")
    git.run("prune", "--expire=now")


def left(git: Git, gone: Iterable[str]) -> bool:
    """Whether one of those commits is still in the object store, such as in a pack marked to be kept."""
    asked = "".join(f"{oid}\n" for oid in gone).encode()
    return any(not line.endswith(" missing") for line in git.lines("cat-file", "--batch-check", data=asked))


def _names(git: Git, git_dir: str) -> Iterator[tuple[str, str]]:
    form = "--format=%(refname) %(objectname) %(objecttype) %(*objectname) %(*objecttype)"
    for line in git.lines("for-each-ref", form):
        name, oid, kind, *peeled = line.split()
        if kind == "tag" and peeled:
            oid, kind = peeled
        if kind == "commit":
            yield name, oid
    main = os.path.dirname(git_dir) if os.path.basename(git_dir) == ".git" else None
    for folder, path in work_trees(git_dir, git_dir, main):
        head = read_text(os.path.join(folder, "HEAD")).strip()
        if not head.startswith("ref:") and head:
            yield path, head


def _keeps(git: Git, oid: str, tip: str, gone: Container[str]) -> bool:
    return any(one in gone for one in git.lines("rev-list", oid, f"^{tip}", "--"))


def _folders(git_dir: str) -> list[str]:
    """The git directory and those of its linked work trees, each with pseudo-refs and logs of its own."""
    linked = os.path.join(git_dir, "worktrees")
    names = os.listdir(linked) if os.path.isdir(linked) else []
    return [git_dir, *(os.path.join(linked, name) for name in names)]


def _empty_logs(folder: str) -> None:
    """Empty every reflog but the stash, which is one; whatever gc.reflogExpire says."""
    logs = os.path.join(folder, "logs")
    for place, _, names in os.walk(logs):
        for name in names:
            path = os.path.join(place, name)
            if path != os.path.join(logs, *STASH.split("/")):
                os.truncate(path, 0)


def _remove(path: str) -> None:
    import shutil

    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.exists(path):
        os.unlink(path)

"""What no branch needs any more is erased for good: after a purge, in the vault and in a remote folder."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator

from gitmem.repo.git import Git
from gitmem.repo.places import read_text, work_trees

KEPT = "refs/gitmem/"  # refs of our own, which keep former versions of hand-made merges
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
    for name in _PSEUDO:
        place = os.path.join(git_dir, name)
        if any(word in gone for word in read_text(place).split()):
            os.unlink(place)
    _expire(git, git_dir)
    for name in ("commit-graph", "commit-graphs"):  # may name commits that are about to go
        place = os.path.join(git_dir, "objects", "info", name)
        _remove(place)
    quiet = ("-c", "repack.writeBitmaps=false", "-c", "gc.cruftPacks=false", "-c", "gc.bigPackThreshold=0")
    git.run(*quiet, "repack", "-a", "-d", "-q")
    git.run("prune", "--expire=now")


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


def _expire(git: Git, git_dir: str) -> None:
    """Empty every reflog but the stash, which is one; given times win over gc.reflogExpire=never."""
    names = [name for name in git.lines("for-each-ref", "--format=%(refname)") if name != STASH]
    linked = os.path.join(git_dir, "worktrees")
    names += [f"worktrees/{name}/HEAD" for name in (os.listdir(linked) if os.path.isdir(linked) else ())]
    logged = [name for name in ("HEAD", *names) if os.path.exists(_log(git_dir, name))]
    for start in range(0, len(logged), 100):
        git.run("reflog", "expire", "--expire=now", "--expire-unreachable=now", *logged[start : start + 100])


def _log(git_dir: str, name: str) -> str:
    if name.startswith("worktrees/"):
        _, tree, head = name.split("/")
        return os.path.join(git_dir, "worktrees", tree, "logs", head)
    return os.path.join(git_dir, "logs", *name.split("/"))


def _remove(path: str) -> None:
    import shutil

    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.exists(path):
        os.unlink(path)

"""A git repository as gitmem writes it: commits made object by object, refs moved by compare-and-swap."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import NamedTuple

from gitmem.errors import ConfigError, ConflictError, GitmemError, LockedError, TamperedError
from gitmem.repo import commits
from gitmem.repo.eras import Eras
from gitmem.repo.git import Git, GitFailed
from gitmem.repo.history import History, ReadSeal
from gitmem.repo.journal import Journal, Step, unlock
from gitmem.repo.lock import Lock
from gitmem.repo.objects import MAX_BLOB, Objects
from gitmem.repo.places import common, find, read_text, work_trees
from gitmem.repo.remote import Remote
from gitmem.repo.trees import PROTECTED, Changes, differences, edit_tree, lookup
from gitmem.repo.worktree import PATIENCE, WorkTree

NO_COMMIT = "0" * 40
_AGE_MAGIC = b"age-encryption.org/v1\n"


class Draft(NamedTuple):
    """A commit to be sealed: ``changes`` on top of ``tree``, with verified ``parents``.

    ``subject`` comes from a constant list; ``trailers`` are whole lines; ``author`` is a raw author line to
    keep, as a replay does.
    """

    parents: tuple[str, ...]
    tree: str
    changes: Changes
    subject: str
    trailers: tuple[str, ...] = ()
    author: str = ""


class Moved(LockedError):
    """The branch is no longer where it was: somebody's git moved it meanwhile."""


class Repo:
    """One repository, normal, bare, sparse, shallow or a linked work tree.

    Attributes:
        path: as it was opened.
        git_dir: the git directory, of a linked work tree its own.
        common_dir: the git directory that all work trees share.
        work_tree: None when bare.
        folder: gitmem's own folder in ``common_dir``.
        lock: held by whoever writes.
        sync_lock: held by whoever fetches and pushes.
        git, objects, remote: the ways to it.
    """

    def __init__(self, path: str, author: tuple[str, str]) -> None:
        self.path = path
        self.git_dir, self.work_tree = find(path)
        self.common_dir = common(self.git_dir)
        self.folder = os.path.join(self.common_dir, "gitmem")
        self.author = author
        name, email = author
        who = {
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": email,
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": email,
        }
        self.git = Git(self.git_dir, self.work_tree, who)
        self.objects = Objects(self.git, os.path.join(self.common_dir, "objects"))
        self.lock = Lock(os.path.join(self.folder, "lock"))
        self.remote = Remote(self.git, self.common_dir)
        self.sync_lock = Lock(os.path.join(self.folder, "sync-lock"), patience=600)
        self._journal = Journal(self.folder, "step.json")
        self._remote_journal = Journal(self.folder, "sync.json")

    @classmethod
    def open(cls, path: str, author: tuple[str, str] = ("gitmem", "gitmem@localhost")) -> Repo:
        """The repository at ``path``: its work tree or, when bare, the repository itself.

        Raises:
            NotSetUpError: there is none.
            ConfigError: it stores objects by SHA-256, which gitmem does not write.
        """
        repo = cls(path, author)
        text = read_text(os.path.join(repo.common_dir, "config")).lower()
        if "objectformat" in text and "sha256" in text:
            raise ConfigError(
                "This repository uses SHA-256 object names, which gitmem cannot write.",
                "Nothing was changed; use one made by `git init --object-format=sha1`.",
            )
        return repo

    def history(self, read_seal: ReadSeal, eras: Eras | None = None) -> History:
        """The judge of this repository's commits for one key; ``eras`` says where older ones count."""
        return History(self.git, self.objects, self.common_dir, read_seal, eras)

    def tip(self, branch: str) -> str:
        """The commit that a full ref name points to, "" for none; mostly without a git process."""
        found = read_text(os.path.join(self.common_dir, *branch.split("/"))).strip()
        if not found:
            packed = read_text(os.path.join(self.common_dir, "packed-refs"))
            match = re.search(rf"(?m)^([0-9a-f]{{40}}) {re.escape(branch)}$", packed)
            found = match[1] if match else ""
        if not _is_oid(found):
            found = self.git.run("rev-parse", "--verify", "--quiet", branch, ok=(0, 1, 128)).decode().strip()
        return found if _is_oid(found) else ""

    def tree(self, commit: str) -> str:
        """The root tree of a commit; "" for no commit."""
        return commits.header(self.objects.read(commit)).tree if commit else ""

    def blob(self, commit: str, path: str) -> str:
        """The id of the file at ``path`` in a commit, or ""."""
        entry = lookup(self.objects, self.tree(commit), path) if commit else None
        return entry.oid if entry and entry.mode == b"100644" else ""

    def file(self, commit: str, path: str) -> bytes | None:
        """The content of the file at ``path`` in a commit, at most 2 MiB, or None."""
        oid = self.blob(commit, path)
        return self.objects.read(oid, MAX_BLOB) if oid else None

    def write(self, draft: Draft, when: int, sign: Callable[[bytes], bytes]) -> str:
        """Write the objects of a sealed commit and return its id; no ref moves yet.

        Raises:
            TamperedError: a changed file under ``memories/`` is not an age file.
        """
        self._refuse_plaintext(draft.changes)
        tree = edit_tree(self.objects, draft.tree, draft.changes, self.objects.write)
        tree = tree or self.objects.write("tree", b"")
        stamp = f"{self.author[0]} <{self.author[1]}> {when} +0000"
        body = commits.body(tree, draft.parents, draft.author or stamp, stamp, draft.subject, draft.trailers)
        return self.objects.write("commit", sign(body))

    def advance(self, branch: str, old: str, new: str, changes: Changes | None = None) -> None:
        """Move ``branch`` from ``old`` to ``new``, git's index and the checked-out files first.

        The lock is held. Where git's index is busy for long, the next command brings it in step.

        Raises:
            Moved: the branch was no longer at ``old``; index and files were put back.
            ConflictError: the user's own edits are in the way; nothing was moved.
            GitmemError: the disk is full or the like; index and files were put back.
        """
        before, after = self.tree(old), self.tree(new)
        checkout = self._checkout(branch)
        step: Step = {}
        if checkout:
            step = checkout.step(before, after, self.changes(before, after) if changes is None else changes)
        self.objects.flush()
        pending = self._journal.left()  # of a step that found git's index busy
        whole = _after(pending.step, step) if pending else step
        self._journal.begin(whole, self._locks(branch, checkout))
        follows = False
        try:
            whole_way = checkout.follow(before, after, step) if checkout else True
            self._move_ref(branch, old, new)
            follows = whole_way and not pending
        except ConflictError:
            follows = not pending
            raise
        except (GitmemError, OSError):
            if checkout:
                checkout.staging.let_go(keep=False)
                follows = checkout.mend(self.tree(self.tip(branch)), whole)
            raise
        finally:
            if checkout:
                checkout.staging.let_go(keep=self.tip(branch) == new)
            if follows:
                self._journal.done()

    def _move_ref(self, branch: str, old: str, new: str) -> None:
        status, _, err = self.git.status("update-ref", "-m", "gitmem", branch, new, old or NO_COMMIT)
        if status == 0:
            return
        if self.tip(branch) != old:
            raise Moved("The branch moved while gitmem was writing.", "Nothing was lost; try again.")
        if b".lock': File exists" in err:
            raise LockedError(
                "Another git holds a lock on the vault's branch.",
                "Nothing was changed; try again, and if no git runs there, `gitmem doctor --fix`.",
            )
        raise GitFailed("update-ref", status, err)

    def changes(self, before: str, after: str) -> Changes:
        """What changed between two trees (ids, or "" for none), all paths."""
        return {
            change.path: (change.new.mode, change.new.oid) if change.new else None
            for change in differences(self.objects, before, after)
        }

    @property
    def unfinished(self) -> bool:
        """Whether a writer is at work, or one was killed or found git's index busy."""
        return self._journal.exists

    def tidy(self, branch: str, patience: float = PATIENCE) -> None:
        """Clean up after a writer that was killed. The lock is held."""
        left = self._journal.left()
        if left is None:
            return
        unlock(left)
        checkout = self._checkout(branch)
        if not left.step or not checkout or checkout.mend(self.tree(self.tip(branch)), left.step, patience):
            self._journal.done()

    def guard(self, branch: str) -> Guard:
        """Notes that git children of this process may lock refs, for the time of a fetch or push."""
        return Guard(self._remote_journal, self.remote.locks(branch))

    def tidy_remote(self) -> None:
        """Clean up after a sync that was killed. The sync lock is held."""
        left = self._remote_journal.left()
        if left:
            unlock(left)
            self._remote_journal.done()

    def close(self) -> None:
        """End git processes that this object started."""
        self.objects.close()

    def _checkout(self, branch: str) -> WorkTree | None:
        """The work tree that has the vault's branch checked out, be it the one opened or a linked one."""
        for git_dir, path in work_trees(self.git_dir, self.common_dir, self.work_tree):
            if read_text(os.path.join(git_dir, "HEAD")).strip() == f"ref: {branch}":
                git = self.git if git_dir == self.git_dir else Git(git_dir, path, self.git.extra)
                return WorkTree(git, self.objects, path, git_dir)
        return None

    def _locks(self, branch: str, checkout: WorkTree | None) -> tuple[str, ...]:
        places = [
            os.path.join(self.common_dir, f"{branch}.lock"),
            os.path.join(self.common_dir, "packed-refs.lock"),
        ]
        places += [os.path.join(git_dir, "HEAD.lock") for git_dir in {self.git_dir, self.common_dir}]
        if checkout:
            places.append(os.path.join(checkout.git_dir, "index.lock"))
        return tuple(places)

    def _refuse_plaintext(self, changes: Changes) -> None:
        for path, value in changes.items():
            if value is None or path.split("/", 1)[0] != PROTECTED[0]:
                continue
            if not self.objects.read(value[1], MAX_BLOB).startswith(_AGE_MAGIC):
                raise TamperedError(
                    "Something that is not an encrypted memory was about to be committed.",
                    "Nothing was written.",
                )


class Guard:
    """``with guard:`` around git children that lock refs: a kill inside leaves a note to the next command."""

    def __init__(self, journal: Journal, locks: tuple[str, ...]) -> None:
        self._journal = journal
        self._locks = locks

    def __enter__(self) -> None:
        self._journal.begin({}, self._locks)

    def __exit__(self, *_: object) -> None:
        self._journal.done()


def _after(first: Step, then: Step) -> Step:
    """Two steps, one after the other, as one."""
    return {path: (*first.get(path, ()), *then.get(path, ())) for path in {**first, **then}}


def _is_oid(text: str) -> bool:
    return len(text) == len(NO_COMMIT) and text.isascii() and text.isalnum()

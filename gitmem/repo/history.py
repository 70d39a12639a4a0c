"""Whether a history is acceptable: the walk of commit-seals.md sections 3 to 5."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator
from typing import NamedTuple, Protocol

from gitmem.errors import NotSetUpError, RewoundError, TamperedError, TooShortError
from gitmem.repo import commits
from gitmem.repo.eras import Eras
from gitmem.repo.git import Git
from gitmem.repo.objects import Objects, tree_id
from gitmem.repo.trees import PROTECTED, PROTECTED_NAMES, Changes, Entry, edit_entries, entries, lookup

ANSWERS = (
    "Nothing of it was used. `gitmem trust {}` accepts it after showing what it changes; "
    "`gitmem sync --restore` puts the verified memories back on top."
)


class Seal(Protocol):
    """What a verified seal says of its commit."""

    @property
    def anchor(self) -> str: ...
    @property
    def was(self) -> tuple[str, ...]: ...


ReadSeal = Callable[[bytes], Seal | None]


class Judged(NamedTuple):
    """One commit as it was read, with what its seal says (None without one of this key)."""

    id: str
    raw: bytes
    shown: tuple[str, ...]  # the parents that rev-list shows: fewer at a shallow boundary
    seal: Seal | None

    @property
    def anchor(self) -> str:
        """The kind of anchor that this commit is, or ""."""
        return self.seal.anchor if self.seal else ""


class History:
    """Judges the commits of one repository with one key."""

    def __init__(
        self, git: Git, objects: Objects, common_dir: str, read_seal: ReadSeal, eras: Eras | None = None
    ) -> None:
        """``eras`` says where retired keys count: without it nowhere."""
        self._git = git
        self._objects = objects
        self._common_dir = common_dir
        self._read_seal = read_seal
        self._eras = eras

    def verify(self, tip: str, known: str = "", *, everything: bool = False) -> None:
        """Accept a tip or raise.

        Args:
            tip: the commit to judge.
            known: a tip accepted before, "" for none.
            everything: protect every path, not only the memories (an editable install inside its own vault).

        Raises:
            TamperedError: a commit that no key holder made, named by id.
            RewoundError: ``tip`` lacks what ``known`` had.
            TooShortError: the shallow history must be deepened first.
            NotSetUpError: nothing in this history is sealed by this key.
        """
        if tip == known:
            return
        if known:
            known = self._descend(tip, known)
        fresh = list(self._read(["--topo-order", "--reverse", tip, *([f"^{known}"] if known else [])]))
        if tip not in {commit.id for commit in fresh[-1:]}:  # a tag object: git would peel it, we would not
            raise TamperedError(f"The tip {tip} is not a commit.", "Nothing of it was used.")
        if not known and not any(commit.seal for commit in fresh):
            if self.shallow:
                raise TooShortError(
                    "This shallow clone ends before any sealed commit.",
                    "Nothing of it was used; run `git fetch --unshallow`.",
                )
            raise NotSetUpError(
                "Nothing in this history was sealed with this key.", "Check that this is the vault you mean."
            )
        anchors = [commit.id for commit in fresh if commit.anchor]
        for commit in self._above(fresh, tip, known, anchors):
            self._accept(commit, known, anchors, everything)

    def verify_below(self, tip: str, commit: str) -> bool:
        """Whether a commit below a rekey is acceptable as a tip of its own, by the keys that counted there.

        The rekey is below the verified ``tip``. False where none of those keys is kept on this machine.

        Raises:
            TamperedError, NotSetUpError: those keys refuse it too.
        """
        marks = self.marks_at(tip, commit)
        if not self._eras or not marks:
            return False
        readers = (self._read_seal, *self._eras.readers(marks))

        def read_any(raw: bytes) -> Seal | None:
            return next(filter(None, (read(raw) for read in readers)), None)

        History(self._git, self._objects, self._common_dir, read_any).verify(commit)
        return True

    def audit(self, tip: str) -> Iterator[tuple[Judged, str]]:
        """Every commit from ``tip`` down, newest first, each with its own verdict; stops at nothing."""
        for commit in self._read(["--topo-order", tip]):
            judged = commit if commit.seal else commit._replace(seal=self._old_seal(tip, commit))
            yield judged, self.verdict(judged)

    def line(self, tip: str) -> list[Judged]:
        """Every commit from the first one to the verified ``tip``, with seals from before a rekey too."""
        read = self._read(["--topo-order", "--reverse", tip])
        return [one if one.seal else one._replace(seal=self._old_seal(tip, one)) for one in read]

    def verdict(self, commit: Judged, *, everything: bool = False) -> str:
        """``sealed``, ``plain``, ``merge`` or ``refused``, from ancestry and key alone (section 4)."""
        if commit.seal:
            return "sealed"
        _, parents = commits.header(commit.raw)
        try:
            if len(parents) == 2 and not everything:
                return "merge" if self._honest(commit, *parents) else "refused"
            if len(parents) > 1:
                return "refused"
            before = self._protected(parents[0], everything) if parents else ()
            return "plain" if self._protected(commit.id, everything) == before else "refused"
        except TamperedError:
            return "refused"

    def judged(self, oid: str, tip: str = "") -> Judged:
        """One commit by id, its seal checked; with a verified ``tip``, also a seal from before a rekey."""
        raw = self._objects.read(oid)
        found = Judged(oid, raw, commits.header(raw).parents, self._read_seal(raw))
        return found if found.seal or not tip else found._replace(seal=self._old_seal(tip, found))

    def _old_seal(self, tip: str, commit: Judged) -> Seal | None:
        return self._eras.seal(tip, commit, self) if self._eras else None

    def marks_at(self, tip: str, commit: str) -> list[str]:
        """Which retired keys kept here count at a commit below the verified ``tip``: their fingerprints."""
        below = self._eras.below(tip, self) if self._eras and tip else {}
        return [mark for mark, oids in below.items() if commit in oids]

    def contains(self, tip: str, ancestor: str) -> bool:
        """Whether ``ancestor`` is ``tip`` or below it (False when it is not in this repository)."""
        return tip == ancestor or self._git.status("merge-base", "--is-ancestor", ancestor, tip)[0] == 0

    @property
    def shallow(self) -> bool:
        """Whether this clone was cut off somewhere."""
        return os.path.exists(os.path.join(self._common_dir, "shallow"))

    def _descend(self, tip: str, known: str) -> str:
        """``known``, or the commit below ``tip`` that a purge or rekey made of it."""
        if self.contains(tip, known):
            return known
        if self.shallow:
            raise TooShortError(
                "This shallow clone ends before what this device has seen.",
                "Nothing of it was used; run `git fetch --unshallow`.",
            )
        for commit in self._read(["--topo-order", tip]):
            seal = commit.seal or self._old_seal(tip, commit)
            if seal and known in seal.was:
                return commit.id
        raise RewoundError(
            f"History was rewound: commit {tip} lacks {known}, which this device has accepted.",
            ANSWERS.format(tip),
        )

    def _read(self, revisions: list[str]) -> Iterator[Judged]:
        listed = [line.split() for line in self._git.lines("rev-list", "--parents", *revisions, "--")]
        for (oid, *shown), raw in zip(
            listed, self._objects.read_many(line[0] for line in listed), strict=True
        ):
            yield Judged(oid, raw, tuple(shown), self._read_seal(raw))

    def _above(self, fresh: list[Judged], tip: str, known: str, anchors: list[str]) -> list[Judged]:
        if not anchors:
            return fresh
        below = [f"^{oid}" for oid in [known, *anchors] if oid]
        wanted = set(self._git.lines("rev-list", "--stdin", data="\n".join([tip, *below, ""]).encode()))
        return [commit for commit in fresh if commit.id in wanted]

    def _accept(self, commit: Judged, known: str, anchors: list[str], everything: bool) -> None:
        if commit.seal:
            return
        parents = commits.header(commit.raw).parents
        as_written = commit.shown == parents
        if self.shallow and not (as_written and len(parents) < 2):
            raise TooShortError(
                f"History is too short to judge commit {commit.id}.",
                "Nothing of it was used; run `git fetch --unshallow`.",
            )
        if as_written and self.verdict(commit, everything=everything) != "refused":
            return
        # with skewed dates rev-list also names commits that are below `known`: those were judged before
        if any(oid and self.contains(oid, commit.id) for oid in [known, *anchors]):
            return
        if self.shallow:
            raise TooShortError(
                f"History is too short to judge commit {commit.id}.",
                "Nothing of it was used; run `git fetch --unshallow`.",
            )
        raise RefusedError(commit.id)

    def protected(self, oid: str) -> tuple[Entry, ...]:
        """The protected entries of a commit's raw root tree.

        Raises:
            TamperedError: one of the names occurs twice.
        """
        return self._protected(oid, everything=False)

    def _protected(self, oid: str, everything: bool) -> tuple[Entry, ...]:
        tree = commits.header(self._objects.read(oid)).tree
        if everything:
            return (Entry(b"40000", b"", tree),)
        return _protected_of(entries(self._objects.read(tree)))

    def _honest(self, commit: Judged, ours: str, theirs: str) -> bool:
        """Whether a merge is exactly git's path-level union of its parents (section 4, rules 1 to 4)."""
        bases = self._git.lines("merge-base", "--all", ours, theirs, ok=(0, 1))
        if len(bases) != 1:
            return False
        base = bases[0]
        if any(self.holds_purge(base, side) for side in (ours, theirs)):
            return False
        trees = [commits.header(self._objects.read(oid)).tree for oid in (ours, theirs)]
        if self._differ(trees, self.touched(base, ours) & self.touched(base, theirs)):
            # with skewed dates rev-list also names commits below the base: asked again without those
            below = set(self._git.lines("rev-list", base, "--"))
            if self._differ(trees, self.touched(base, ours, below) & self.touched(base, theirs, below)):
                return False
        # ids only: judging a stranger's merge writes nothing into the repository
        union = edit_entries(self._objects, trees[0], self._changes(base, theirs), tree_id)
        return _protected_of(union) == self._protected(commit.id, everything=False)

    def _differ(self, trees: list[str], paths: set[str]) -> bool:
        return any(
            lookup(self._objects, trees[0], path) != lookup(self._objects, trees[1], path) for path in paths
        )

    def holds_purge(self, base: str, side: str) -> bool:
        """Whether a purge anchor stands in ``base..side`` (with "" for no base, anywhere below ``side``)."""
        limits = [f"^{base}"] if base else []
        return any(commit.anchor == "purge" for commit in self._read([side, *limits]))

    def touched(self, base: str, side: str, but: Container[str] = ()) -> set[str]:
        """Protected paths that any commit of ``base..side`` touches, also back and forth."""
        listed = [oid for oid in self._git.lines("rev-list", side, f"^{base}", "--") if oid not in but]
        options = ("--stdin", "-r", "-c", "--root", "--no-commit-id", "--name-only", "-z")
        data = "\n".join([*listed, ""]).encode()
        out = self._git.run("diff-tree", *options, "--", *PROTECTED, data=data)
        return {name.decode("utf-8", "surrogateescape") for name in out.split(b"\0") if name}

    def _changes(self, before: str, after: str) -> Changes:
        """What changed at protected paths: path → (mode, blob id), or None where it is gone."""
        out = self._git.run("diff-tree", "-r", "-z", "--no-renames", before, after, "--", *PROTECTED)
        fields = out.split(b"\0")
        found: Changes = {}
        for meta, path in zip(fields[::2], fields[1::2], strict=False):
            _, mode, _, oid, kind = meta.split()
            found[path.decode("utf-8", "surrogateescape")] = None if kind == b"D" else (mode, oid.decode())
        return found


class RefusedError(TamperedError):
    """A commit that no key holder made; ``commit`` is its id."""

    def __init__(self, commit: str) -> None:
        super().__init__(
            f"Commit {commit} changes memories but was not made by a key holder.", ANSWERS.format(commit)
        )
        self.commit = commit


class _TwiceNamed(TamperedError):
    """A root tree in which `memories` or `.gitmem` stands twice: tools disagree about which one counts."""


def _protected_of(root: list[Entry]) -> tuple[Entry, ...]:
    found = tuple(entry for entry in root if entry.name in PROTECTED_NAMES)
    if len({entry.name for entry in found}) != len(found):
        raise _TwiceNamed("A commit names its memories folder twice.", "Nothing of it was used.")
    return found

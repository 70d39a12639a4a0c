"""Where retired keys still count: only under the rekey that ended them (commit-seals.md sections 5 and 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from gitmem.errors import WrongKeyError
from gitmem.repo import commits
from gitmem.repo.git import Git

if TYPE_CHECKING:
    from gitmem.repo.history import History, Judged, ReadSeal, Seal

REKEY = "Gitmem-Anchor: rekey"


def rekeys(git: Git, *revisions: str) -> list[str]:
    """The commits that say of themselves that they are a rekey, newest first; nobody has verified them."""
    return git.lines("rev-list", "--topo-order", "-F", f"--grep={REKEY}", *revisions, "--")


class Eras:
    """The retired keys that are kept on this machine, each with the commits that it may have sealed."""

    def __init__(
        self, git: Git, seals: Callable[[], Mapping[str, ReadSeal]], named: Callable[[str], str]
    ) -> None:
        """``seals`` gives key fingerprint → reader; ``named`` the fingerprint that stands in a commit."""
        self._git = git
        self._seals = cache(seals)
        self._named = named
        self._found: dict[str, dict[str, frozenset[str]]] = {}

    def below(self, tip: str, history: History) -> Mapping[str, frozenset[str]]:
        """Fingerprint of a retired key → the commits under the rekey, itself below ``tip``, that ended it."""
        if tip not in self._found:
            self._found[tip] = self._search(tip, history) if self._seals() else {}
        return self._found[tip]

    def seal(self, tip: str, commit: Judged, history: History) -> Seal | None:
        """The seal by a retired key that counts at that commit below ``tip``, or None."""
        return self._seal(commit, self.below(tip, history))

    def readers(self, marks: Iterable[str]) -> list[ReadSeal]:
        """What reads the seals of those keys."""
        return [self._seals()[mark] for mark in marks]

    def _search(self, tip: str, history: History) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for oid in rekeys(self._git, tip):
            commit = history.judged(oid)
            seal = commit.seal or self._seal(commit, found)
            if seal is None or seal.anchor != "rekey":
                continue
            for parent in commits.header(commit.raw).parents[:1]:
                mark = self._named(parent)
                if mark in self._seals() and mark not in found:
                    found[mark] = frozenset(self._git.lines("rev-list", parent, "--"))
        return found

    def _seal(self, commit: Judged, below: Mapping[str, frozenset[str]]) -> Seal | None:
        for mark, oids in below.items():
            if commit.id in oids and (seal := self._seals()[mark](commit.raw)):
                return seal
        return None


class RekeyedError(WrongKeyError):
    """A history that says that the vault has a new key, which an old one cannot tell from an attack."""

    def __init__(self, commit: str) -> None:
        super().__init__(
            f"At commit {commit} the vault has another key than here.",
            "Nothing was changed. If you gave it a new one (`gitmem rekey`), run `gitmem invite` there and "
            "`gitmem join` here. If nobody did, `gitmem sync --restore` puts the verified memories back.",
        )
        self.commit = commit

"""The vault's branch: which tips are verified, and how it grows. Git and the key as one; no plaintext."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gitmem.errors import (
    ConfigError,
    GitmemError,
    NotSetUpError,
    RemoteError,
    TamperedError,
    TooShortError,
    WrongKeyError,
)
from gitmem.repo.places import read_text
from gitmem.repo.repo import Draft, Moved, Repo
from gitmem.repo.state import State, StateFile
from gitmem.vault.vault import Vault

if TYPE_CHECKING:
    from gitmem.repo.trees import Changes
    from gitmem.vault.keys import Identity

FORMAT = 1
VAULT_FILE = ".gitmem/vault.toml"
SLOT_FILE = ".gitmem/key.age"
_TOML = r'format = (\d+)\nid = "([0-9a-f]{32})"\nfingerprint = "([0-9a-f]{16})"\n'
_TRIES = 20

Remerge = Callable[["Branch", str], str]  # the sealed merge that takes a hand-made one's place, or ""


def describe(vault: Vault) -> bytes:
    """The content of ``.gitmem/vault.toml``."""
    return f'format = {FORMAT}\nid = "{vault.id}"\nfingerprint = "{vault.fingerprint}"\n'.encode()


def labels(content: bytes | None) -> tuple[str, str]:
    """Vault id and fingerprint from a ``vault.toml``; before it is verified they only choose the key.

    Raises:
        NotSetUpError: there is no such file.
        ConfigError: it is of a format that this version does not know.
    """
    if content is None:
        raise NotSetUpError(
            "That repository is not a gitmem vault.", "`gitmem init DIR` makes one; `gitmem join` brings one."
        )
    found = re.fullmatch(_TOML, content.decode("utf-8", "replace").replace("\r\n", "\n"))
    if not found or int(found[1]) != FORMAT:
        raise ConfigError(
            "This vault is of a format that this gitmem does not know.", "Nothing was changed; update gitmem."
        )
    return found[2], found[3]


def branch_of(repo: Repo, state: State) -> str:
    """The full name of the vault's branch: as fixed at init or join, else the one checked out."""
    if state.vault:
        return state.branch
    return read_text(os.path.join(repo.git_dir, "HEAD")).strip().removeprefix("ref: ")


class Branch:
    """The verified branch of one vault.

    Attributes:
        repo: the git repository.
        vault: the key at work.
        history: the judge of its commits.
        name: the full ref name, such as ``refs/heads/main``.
        state: what this device has accepted.
        remerge: how a merge made by hand gets its seal; given at the composition root.
        tell: where a line goes that the person should read; given there too.
    """

    def __init__(self, repo: Repo, identity: Callable[[str], Identity], machine_dir: str) -> None:
        self.repo = repo
        self._file = StateFile(repo.folder, machine_dir)
        self.state = self._file.read()
        self.name = branch_of(repo, self.state)
        vault_id, mark = self.state.vault, self.state.fingerprint
        if not vault_id:
            vault_id, mark = labels(repo.file(repo.tip(self.name), VAULT_FILE))
        self.vault = Vault(identity(vault_id), vault_id)
        if self.vault.fingerprint != mark:
            raise WrongKeyError(
                "This key does not belong to this vault.",
                "Nothing was changed; `gitmem key where` shows where it comes from.",
            )
        self.history = repo.history(self.vault.read_seal)
        self.remerge: Remerge | None = None
        self.tell: Callable[[str], None] = _silent
        _make_folder(repo.folder)

    @property
    def remembered(self) -> str:
        """The remote tip that this machine has accepted for the vault, in this clone or an earlier one."""
        return self.state.remote or self._file.remembered(self.vault.id)

    def tip(self) -> str:
        """The branch's commit, verified. Costs no git process while nothing has moved.

        Raises:
            NotSetUpError: the branch does not exist.
            TamperedError: it is refused; nothing of it is used.
        """
        if self.repo.unfinished:
            self._tidy_if_free()
        tip = self.repo.tip(self.name)
        if not tip:
            raise NotSetUpError(
                "The vault's branch does not exist in this repository.",
                "Nothing was changed; `git branch -a` shows which there are.",
            )
        if tip == self.state.local:
            return tip
        self.state = self._file.read()
        if tip != self.state.local:
            tip = self._accept(tip)
        return tip

    def judge(self, tip: str, known: str, *, everything: bool = False) -> None:
        """Accept a commit or raise, fetching more of a shallow history where that may decide it.

        Args:
            tip: the commit to judge.
            known: a commit accepted before, "" for none.
            everything: protect every path, not only the vault's.

        Raises:
            TamperedError: it is refused.
            NotSetUpError: nothing in its history is sealed by this key.
        """
        try:
            self.history.verify(tip, known, everything=everything)
            return
        except TooShortError as short:
            try:
                self.repo.remote.deepen(self.name, 100)
                self.history.verify(tip, known, everything=everything)
                return
            except RemoteError:
                raise short from None
            except TooShortError:
                self.repo.remote.deepen(self.name)
        self.history.verify(tip, known, everything=everything)

    def grow(
        self,
        make: Callable[[str], Changes],
        subject: str,
        anchor: str = "",
        grown: Callable[[str, str], None] | None = None,
    ) -> str:
        """One sealed commit on the verified tip; returns its id, or "" when ``make(tip)`` changes nothing.

        Args:
            make: gives the changes for a tip; called under the lock, again when somebody's git moved it.
            subject: the commit's subject, from a constant list.
            anchor: the kind of anchor that the commit is, "" for none.
            grown: called with the old and the new tip, still under the lock.

        Raises:
            TamperedError: the branch is refused.
            LockedError: another program keeps it busy.
        """
        trailers = (f"Gitmem-Anchor: {anchor}",) if anchor else ()
        with self.repo.lock:
            for _ in range(_TRIES):
                self.repo.tidy(self.name)
                tip = self.tip()
                changes = make(tip)
                if not changes and not anchor:
                    return ""
                oid = self.seal(Draft((tip,), self.repo.tree(tip), changes, subject, trailers))
                try:
                    self.advance(tip, oid, changes)
                except Moved:
                    continue
                if grown:
                    grown(tip, oid)
                return oid
        raise Moved("Another program keeps moving the vault's branch.", "Nothing was written; try again.")

    def seal(self, draft: Draft) -> str:
        """Write a sealed commit and return its id; no ref moves.

        Raises:
            TamperedError: its seal could not be read back.
        """
        oid = self.repo.write(draft, int(time.time()), self.vault.sign)
        if self.vault.read_seal(self.repo.objects.read(oid)) is None:
            raise TamperedError(
                "The commit that was just made does not verify.", "Nothing was changed; please report this."
            )
        return oid

    def advance(self, old: str, new: str, changes: Changes | None = None) -> None:
        """Move the branch to a verified commit, under the lock, and remember it.

        Raises:
            Moved: the branch was no longer at ``old``.
            ConflictError: the user's own edits are in the way.
        """
        self.repo.advance(self.name, old, new, changes)
        self.note(local=new)

    def note(self, **values: str) -> None:
        """Remember verified tips (the fields of ``State``); under the lock."""
        start = {"vault": self.vault.id, "fingerprint": self.vault.fingerprint, "branch": self.name}
        on_disk = self._file.read()  # another process may have moved on: what it noted must not go back
        current = on_disk if on_disk.vault == self.vault.id else self.state
        self.state = self._file.write(current, **{**start, **values})

    def _accept(self, tip: str) -> str:
        known = self.state.local or self.remembered
        try:
            self.judge(tip, known)
        except TamperedError:
            mended = self._mend(tip)
            if not mended:
                raise
            return mended
        if not self.state.vault:
            self.confirm(tip)
            self.tell("this clone has no record of the vault; its whole history was verified as new.")
        self._note_if_free(tip)
        return tip

    def _mend(self, tip: str) -> str:
        """A merge resolved by git's driver or by hand gives way to a sealed one of the same parents."""
        if not self.remerge:
            return ""
        with self.repo.lock:
            return self.remerge(self, tip) if self.repo.tip(self.name) == tip else ""

    def confirm(self, tip: str) -> None:
        """See that what chose the key stands in the verified commit ``tip`` too.

        Raises:
            TamperedError: it does not.
        """
        if labels(self.repo.file(tip, VAULT_FILE)) != (self.vault.id, self.vault.fingerprint):
            raise TamperedError(
                "The vault's description does not belong to its history.", "Nothing was used."
            )

    def _note_if_free(self, tip: str) -> None:
        """A reader never waits: it verifies again next time instead."""

        def keep() -> None:
            if self.repo.tip(self.name) == tip:
                self.note(local=tip)

        self._if_free(keep)

    def _tidy_if_free(self) -> None:
        """A reader cleans up too after a writer that was killed: until then git itself may be locked out."""
        if not self.repo.lock.held:
            self._if_free(lambda: self.repo.tidy(self.name, patience=0))

    def _if_free(self, act: Callable[[], None]) -> None:
        try:
            if self.repo.lock.attempt():
                try:
                    act()
                finally:
                    self.repo.lock.__exit__()
        except (GitmemError, OSError):
            return  # a read-only vault can still be read


def _silent(_: str) -> None:
    """Nobody listens."""


def _make_folder(path: str) -> None:
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
    except OSError:
        return  # read-only: readers go on, writers will say so

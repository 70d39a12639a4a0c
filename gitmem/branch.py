"""The vault's branch: which tips are verified, and how it grows. Git and the key as one; no plaintext."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from gitmem.errors import (
    GitmemError,
    NotSetUpError,
    RemoteError,
    TamperedError,
    TooShortError,
    WrongKeyError,
)
from gitmem.repo.eras import Eras, RekeyedError, rekeys
from gitmem.repo.repo import Draft, Moved, Repo
from gitmem.repo.state import State, StateFile, arrived, branch_of, make_folder
from gitmem.vault.description import VAULT_FILE, labels
from gitmem.vault.vault import Vault

if TYPE_CHECKING:
    from gitmem.repo.history import History, ReadSeal
    from gitmem.repo.trees import Changes
    from gitmem.vault.keys import Identity

_TRIES = 20

Keys = Callable[[], Mapping[str, "Identity"]]
Remerge = Callable[["Branch", str], str]  # the sealed merge that takes a hand-made one's place, or ""


class Branch:
    """The verified branch of one vault.

    Attributes:
        repo: the git repository.
        vault: the key at work.
        history: the judge of its commits.
        name: the full ref name, such as ``refs/heads/main``.
        state: what this device has accepted.
        keys: the vault's other keys on this machine, by fingerprint; given at the composition root, as are
        remerge: how a merge made by hand gets its seal, and
        tell: where a line goes that the person should read.
    """

    def __init__(self, repo: Repo, identity: Callable[[str], Identity], machine_dir: str) -> None:
        self.repo = repo
        self._file = StateFile(repo.folder, machine_dir)
        self.state = arrived(repo, self._file.read())
        self.name = branch_of(repo, self.state)
        vault_id, mark = self.state.vault, self.state.fingerprint
        if not vault_id:
            vault_id, mark = labels(repo.file(repo.tip(self.name), VAULT_FILE))
        self.vault = Vault(identity(vault_id), vault_id)
        if self.vault.fingerprint != mark:
            raise WrongKeyError(
                "This key does not belong to this vault.",
                "Nothing was changed; `gitmem key where` shows where it comes from. If the vault was given "
                "a new key elsewhere, `gitmem join` with a new code brings it here.",
            )
        self.keys: Keys = dict
        self.history = self._judge_of_today()
        self.remerge: Remerge | None = None
        self.tell: Callable[[str], None] = _silent
        make_folder(repo.folder)

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
        if self.repo.unfinished and not self.repo.lock.held:
            # a reader cleans up too after a killed writer: until then git itself may be locked out
            self.repo.lock.if_free(lambda: self.repo.tidy(self.name, patience=0))
        tip = self.repo.tip(self.name)
        if not tip:
            raise NotSetUpError(
                "The vault's branch does not exist in this repository.",
                "Nothing was changed; `git branch -a` shows which there are.",
            )
        if tip == self.state.local:
            return tip
        on_disk = arrived(self.repo, self._file.read())
        self._refuse_old_key(on_disk)
        self.state = on_disk
        return tip if tip == self.state.local else self._accept(tip)

    def _refuse_old_key(self, on_disk: State) -> None:
        """This process was overtaken by a rekey: it can neither read what is there nor seal anything."""
        marks = (on_disk.fingerprint, on_disk.coming[:16])
        if on_disk.vault == self.vault.id and self.vault.fingerprint not in marks:
            raise WrongKeyError(
                "The vault was given a new key while this command ran.", "Nothing was lost; run it again."
            )

    def judge(self, tip: str, known: str, *, everything: bool = False) -> None:
        """Accept a commit or raise, fetching more of a shallow history where that may decide it.

        Args:
            tip: the commit to judge.
            known: a commit accepted before, "" for none.
            everything: protect every path, not only the vault's.

        Raises:
            TamperedError, NotSetUpError: it is refused; nothing in its history is sealed by this key.
            RekeyedError: it says that the vault has a new key.
        """
        try:
            self._judge(tip, known, everything)
        except (TamperedError, NotSetUpError) as refusal:
            if not known and self.history.verify_below(self.state.local, tip):
                return
            if self._has_new_key(tip, known):
                raise RekeyedError(tip) from refusal
            raise

    def _judge(self, tip: str, known: str, everything: bool) -> None:
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

    def _has_new_key(self, tip: str, known: str) -> bool:
        limits = [f"^{known}"] if known and self.repo.objects.has(known) else []
        mark = self.fingerprint_at(tip)
        return bool(mark) and mark != self.vault.fingerprint and bool(rekeys(self.repo.git, tip, *limits))

    def fingerprint_at(self, commit: str) -> str:
        """The fingerprint of the key that a commit, verified or not, says this vault has; "" for none."""
        try:
            vault_id, mark = labels(self.repo.file(commit, VAULT_FILE))
        except GitmemError:
            return ""
        return mark if vault_id == self.vault.id else ""

    def vaults_at(self, commit: str) -> tuple[Vault, ...]:
        """The keys that may have sealed what lies at a verified commit: today's, under a rekey older ones."""
        old = self.history.marks_at(self.state.local, commit) if self.state.local else []
        return (self.vault, *(Vault(self.keys()[mark], self.vault.id) for mark in old))

    def turn(self, identity: Identity) -> None:
        """Go on with another key of the same vault; what is known of its commits is noted by ``note``."""
        self.vault = Vault(identity, self.vault.id)
        self.history = self._judge_of_today()

    def _judge_of_today(self) -> History:
        def retired() -> Mapping[str, ReadSeal]:
            kept = {mark: Vault(identity, self.vault.id) for mark, identity in self.keys().items()}
            return {mark: old.read_seal for mark, old in kept.items() if mark != self.vault.fingerprint}

        return self.repo.history(self.vault.read_seal, Eras(self.repo.git, retired, self.fingerprint_at))

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

    def announce(self, coming: str = "", purged: str = "") -> None:
        """Note before the branch moves what a kill must not make us forget; under the lock.

        ``coming`` is the commit with which this key takes over, ``purged`` the purge to clean up after.
        """
        mark = f"{self.vault.fingerprint} {coming}" if coming else ""
        self.state = self._file.write(
            self._file.read(), coming=mark, **({"purged": purged} if purged else {})
        )

    def note(self, **values: str) -> None:
        """Remember verified tips (the fields of ``State``); under the lock."""
        start = {"vault": self.vault.id, "fingerprint": self.vault.fingerprint, "branch": self.name}
        on_disk = self._file.read()  # another process may have moved on: what it noted must not go back
        self._refuse_old_key(on_disk)
        current = on_disk if on_disk.vault == self.vault.id else self.state
        moved = {"coming": ""} if "local" in values else {}
        self.state = self._file.write(current, **start, **moved, **values)

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

        self.repo.lock.if_free(keep)


def _silent(_: str) -> None:
    """Nobody listens."""

"""The memories of verified commits, opened: what reading needs of git and the key, and no index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from gitmem.branch import Branch
from gitmem.errors import InvalidMemoryError, NotFoundError, TamperedError
from gitmem.memory import document
from gitmem.memory.ids import id_of, path_of
from gitmem.memory.memory import Memory, short
from gitmem.repo.objects import MAX_BLOB
from gitmem.repo.repo import Repo
from gitmem.repo.trees import BLOB_MODE, differences
from gitmem.vault.vault import Vault

_FEW = 64  # up to this, looking memories up one by one beats reading every folder
_BRANCH = r"[A-Za-z]\w*(?:[/-]\w+)*"
_REVISION = r"(?:HEAD|[0-9a-fA-F]{4,40})(?:[~^]\d*)*"


class Reader:
    """Reads the memories of one vault. ``trunk`` is the vault's branch."""

    def __init__(self, branch: Branch) -> None:
        self.trunk = branch

    @property
    def vault(self) -> Vault:
        """The key at work."""
        return self.trunk.vault

    @property
    def repo(self) -> Repo:
        """The git repository."""
        return self.trunk.repo

    @property
    def branch(self) -> str:
        """The full name of the vault's branch."""
        return self.trunk.name

    @property
    def path(self) -> str:
        """Where the vault was opened."""
        return self.repo.path

    @property
    def remote(self) -> str:
        """The remote's address, "" without one."""
        return self.repo.remote.url

    def tip(self) -> str:
        """The verified commit that everything is read from.

        Raises:
            TamperedError: the branch is refused.
        """
        return self.trunk.tip()

    def get(self, memory_id: str, at: str = "") -> Memory:
        """One memory by full id, as the verified tip or the verified commit ``at`` has it.

        Raises:
            NotFoundError: it is not there.
            TamperedError: its file cannot be opened or belongs elsewhere.
        """
        oid = self.repo.blob(at or self.tip(), path_of(memory_id))
        if not oid:
            raise unknown(memory_id)
        return self.load(memory_id, self.repo.objects.read(oid, MAX_BLOB), at)

    def load(self, memory_id: str, sealed: bytes, at: str = "") -> Memory:
        """The memory in a sealed file, which must be the one of that id.

        With a verified commit ``at`` under a rekey, the key of that time opens it too.

        Raises:
            TamperedError: the file cannot be opened, or holds another memory.
        """
        try:
            memory = document.load(self._open(sealed, at))
        except (InvalidMemoryError, TamperedError) as error:
            raise TamperedError(
                f"Memory {short(memory_id)} cannot be opened: {error.message}",
                f"The others are safe; `gitmem log {short(memory_id)}` shows earlier revisions.",
            ) from error
        if memory.id != memory_id:
            raise TamperedError(
                f"The file of memory {short(memory_id)} holds another memory.", "Nothing of it was used."
            )
        return memory

    def _open(self, sealed: bytes, at: str) -> bytes:
        try:
            return self.vault.open(sealed)
        except TamperedError:
            for old in self.trunk.vaults_at(at)[1:] if at else ():
                try:
                    return old.open(sealed)
                except TamperedError:
                    continue
            raise

    def memories(
        self,
        ids: Iterable[str] | None = None,
        at: str = "",
        damaged: list[str] | None = None,
        blobs: Mapping[str, str] | None = None,
    ) -> Iterator[Memory]:
        """Many memories through one git process; without ``ids`` all of them. Those not there are left out.

        ``blobs`` spares looking an id up in the trees where it knows the object that the commit has for it.

        Raises:
            TamperedError: one of them cannot be opened; with ``damaged``, its id is added there instead.
        """
        commit = at or self.tip()
        wanted = None if ids is None else list(ids)
        found = self._blobs(commit, wanted, blobs or {})
        there = {memory_id: oid for memory_id, oid in found.items() if oid}
        read = self.repo.objects.read_many(there.values(), MAX_BLOB, gaps=damaged is not None)
        for memory_id, sealed in zip(there, read, strict=True):
            try:
                yield self.load(memory_id, sealed, at)
            except TamperedError:
                if damaged is None:
                    raise
                damaged.append(memory_id)

    def _blobs(self, commit: str, wanted: list[str] | None, known: Mapping[str, str]) -> dict[str, str]:
        """Id → blob, "" for what is not there; of all memories without ``wanted``."""
        if wanted is None:
            return self.between("", self.repo.tree(commit))[1]
        others = [memory_id for memory_id in wanted if memory_id not in known]
        if len(others) <= _FEW:
            found = {memory_id: self.repo.blob(commit, path_of(memory_id)) for memory_id in others}
        else:
            every = self.between("", self.repo.tree(commit))[1]
            found = {memory_id: every.get(memory_id, "") for memory_id in others}
        return {memory_id: known.get(memory_id) or found[memory_id] for memory_id in wanted}

    def resolve_commit(self, text: str) -> str:
        """A verified commit for an id, ``HEAD~2``, a branch, a date or a time (the last one by then).

        Raises:
            NotFoundError: there is none.
            TamperedError: it is not acceptable as a tip of its own.
        """
        tip = self.tip()
        branch = self.repo.tip(f"refs/heads/{text}") if re.fullmatch(_BRANCH, text) else ""
        if branch:
            out = branch.encode()
        elif re.fullmatch(_REVISION, text):
            name = text.replace("HEAD", tip, 1)
            out = self.repo.git.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", ok=(0, 1, 128))
        elif re.fullmatch(r"\d{4}-\d\d-\d\d(T[\d:]{5,8}Z?)?", text):
            until = f"{text}T23:59:59Z" if len(text) == 10 else text
            out = self.repo.git.run("rev-list", "-1", f"--before={until}", tip, "--")
        else:
            raise NotFoundError(
                "That is no commit, branch or date.", "Use an id from `gitmem log`, HEAD~2, or 2026-11-20."
            )
        found = out.decode().strip()
        if not found:
            raise NotFoundError("There is no such commit in this vault.", "`gitmem log` lists them.")
        if found != tip:
            self.trunk.judge(found, "")  # by itself: an anchor above may have put a refused commit right
        return found

    def between(self, before: str, after: str) -> tuple[list[str], dict[str, str]]:
        """From one tree to another: the ids of memories that went, and id → blob of those that came.

        A changed memory comes; other files do not count.
        """
        gone: list[str] = []
        come: dict[str, str] = {}
        for change in differences(self.repo.objects, before, after, top=b"memories"):
            memory_id = id_of(change.path)
            if memory_id is None:
                continue
            if change.new and change.new.mode == BLOB_MODE:
                come[memory_id] = change.new.oid
            else:
                gone.append(memory_id)
        return gone, come


def unknown(text: str) -> NotFoundError:
    """The error for an id that no memory has."""
    shown = "".join(char if char.isascii() and char.isalnum() else "?" for char in text.strip())[:30]
    return NotFoundError(
        f"There is no memory {shown or 'without an id'}.", "`gitmem list` shows ids, `gitmem search` finds."
    )

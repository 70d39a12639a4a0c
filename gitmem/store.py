"""The vault, its branch and its index as one: the only object that flows and doors need."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitmem.branch import SLOT_FILE, VAULT_FILE, Branch, branch_of, labels
from gitmem.errors import AmbiguousIdError, InvalidMemoryError, NotFoundError, TamperedError
from gitmem.memory import document
from gitmem.memory.ids import id_of, path_of
from gitmem.memory.memory import SHORT, Memory, is_id, short
from gitmem.repo.objects import BLOB_MODE, MAX_BLOB, Changes, differences
from gitmem.repo.repo import Repo
from gitmem.repo.state import StateFile

if TYPE_CHECKING:
    from gitmem.index.filters import Filters
    from gitmem.index.index import Index
    from gitmem.index.schema import Row
    from gitmem.vault.keys import Identity
    from gitmem.vault.vault import Vault

Progress = Callable[[int, int], None]  # done, total
_FEW = 8  # below this, looking memories up one by one beats reading every folder
_REVISION = re.compile(r"(?:HEAD|[0-9a-fA-F]{4,40})(?:[~^]\d*)*")
_ALIKE = str.maketrans("OILoil", "011011")  # what Crockford's base 32 reads alike


@dataclass(frozen=True, slots=True)
class Hit:
    """One search result.

    The memory, its score (higher is better, of this query only) and the place that fits best.
    """

    memory: Memory
    score: float
    snippet: str


class Store:
    """An open vault. Not for two threads at once; any number of processes may share a vault."""

    def __init__(self, branch: Branch, now: Callable[[], str], new_id: Callable[[], str]) -> None:
        self.trunk = branch
        self.now = now
        self.new_id = new_id
        self._index: Index | None = None

    @classmethod
    def open(
        cls,
        path: str,
        identity: Callable[[str], Identity],
        author: tuple[str, str],
        now: Callable[[], str],
        new_id: Callable[[], str],
        state_dir: str,
    ) -> Store:
        """The vault at ``path``.

        ``identity(vault id)`` gives its key, ``state_dir`` is this machine's own memory.

        Raises:
            NotSetUpError: no vault there. WrongKeyError: not its key. ConfigError: a newer format.
        """
        return cls(Branch(Repo.open(path, author), identity, state_dir), now, new_id)

    @staticmethod
    def id_at(path: str) -> str:
        """The id of the vault at ``path``, unverified: good for choosing a key only."""
        repo = Repo.open(path)
        state = StateFile(repo.folder, "").read()
        return state.vault or labels(repo.file(repo.tip(branch_of(repo, state)), VAULT_FILE))[0]

    @staticmethod
    def slot_at(path: str) -> bytes | None:
        """The passphrase slot of the vault at ``path``, unverified, or None."""
        repo = Repo.open(path)
        return repo.file(repo.tip(branch_of(repo, StateFile(repo.folder, "").read())), SLOT_FILE)

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
        """The verified commit that everything is read from. Raises TamperedError and its kin."""
        return self.trunk.tip()

    # Writing.

    def write(self, memories: Sequence[Memory], verb: str = "write", removed: Sequence[str] = ()) -> str:
        """Put memories (replacing those of the same id) and remove others in one sealed commit; its id.

        Raises:
            InvalidMemoryError: one is too large. TamperedError: the vault's history is refused;
                nothing is written.
        """
        changes: Changes = {path_of(memory_id): None for memory_id in removed}
        changes |= {path_of(memory.id): (BLOB_MODE, self.put(memory)) for memory in memories}
        return self.trunk.grow(lambda tip: self._real(tip, changes), counted(verb, len(changes)))

    def put(self, memory: Memory) -> str:
        """Seal one memory into the object store and return the blob's id; no commit has it yet."""
        return self.repo.objects.write("blob", self.vault.seal(document.dump(memory)))

    def replace(self, memory: Memory, base: Memory | None = None) -> Memory:
        """Write a new revision; when the memory moved on since ``base``, merge. Returns what was written.

        Raises:
            NotFoundError: it was forgotten meanwhile. ConflictError: never; a conflict keeps both
                texts, marked.
        """
        written = memory

        def make(tip: str) -> Changes:
            nonlocal written
            current = self.get(memory.id, tip)
            written = memory
            if base is not None and current != base:
                from gitmem.memory.merge import merge

                merged = merge(base, memory, current).memory
                written = replace(merged, rev=max(memory.rev, current.rev) + 1)
            return {} if written == current else {path_of(memory.id): (BLOB_MODE, self.put(written))}

        self.trunk.grow(make, counted("edit", 1))
        return written

    def forget(self, ids: Sequence[str]) -> str:
        """Remove memories from the vault, in one commit; the history keeps them. Raises NotFoundError."""
        for memory_id in ids:
            if not self.repo.blob(self.tip(), path_of(memory_id)):
                raise _unknown(memory_id)
        return self.write([], "forget", ids)

    def _real(self, tip: str, changes: Changes) -> Changes:
        """Without removals of what is not there."""
        return {path: value for path, value in changes.items() if value or self.repo.blob(tip, path)}

    # Reading.

    def get(self, memory_id: str, at: str = "") -> Memory:
        """One memory by full id, as the verified tip or the verified commit ``at`` has it.

        Raises:
            NotFoundError: not there. TamperedError: its file cannot be opened or belongs elsewhere.
        """
        oid = self.repo.blob(at or self.tip(), path_of(memory_id))
        if not oid:
            raise _unknown(memory_id)
        return self.load(memory_id, self.repo.objects.read(oid, MAX_BLOB))

    def load(self, memory_id: str, sealed: bytes) -> Memory:
        """Open a sealed file that must be that memory. Raises TamperedError."""
        try:
            memory = document.load(self.vault.open(sealed))
        except (InvalidMemoryError, TamperedError) as error:
            raise TamperedError(
                f"Memory {short(memory_id)} cannot be opened: {error.message}",
                f"The others are safe; 'gitmem log {short(memory_id)}' shows earlier revisions.",
            ) from error
        if memory.id != memory_id:
            raise TamperedError(
                f"The file of memory {short(memory_id)} holds another memory.", "Nothing of it was used."
            )
        return memory

    def memories(self, ids: Iterable[str] | None = None, at: str = "") -> Iterator[Memory]:
        """Many memories through one git process, all of them without ``ids``.

        Those not there are left out.
        """
        commit = at or self.tip()
        wanted = None if ids is None else list(ids)
        if wanted is not None and len(wanted) <= _FEW:
            found = {memory_id: self.repo.blob(commit, path_of(memory_id)) for memory_id in wanted}
        else:
            every = dict(self._entries(commit))
            found = every if wanted is None else {memory_id: every.get(memory_id, "") for memory_id in wanted}
        there = {memory_id: oid for memory_id, oid in found.items() if oid}
        for memory_id, sealed in zip(
            there, self.repo.objects.read_many(there.values(), MAX_BLOB), strict=True
        ):
            yield self.load(memory_id, sealed)

    def resolve(self, text: str) -> str:
        """The full id for a full or short one, in any case.

        Raises:
            NotFoundError: no memory ends in it. AmbiguousIdError: several do.
        """
        wanted = text.strip().translate(_ALIKE).upper()
        if is_id(wanted) and self.repo.blob(self.tip(), path_of(wanted)):
            return wanted
        found = self.index.ending(wanted) if re.fullmatch(rf"[0-9A-Z]{{{SHORT - 2},26}}", wanted) else []
        if not found:
            raise _unknown(text)
        if len(found) > 1:
            raise AmbiguousIdError(
                f"{len(found)} memories end in {wanted}.",
                f"Type more of the id, such as {', '.join(one[-10:] for one in found[:3])}.",
            )
        return found[0]

    def resolve_commit(self, text: str) -> str:
        """A verified commit for an id or its beginning, ``HEAD~2``, a date or a time (the last one by then).

        Raises:
            NotFoundError: there is none. TamperedError: it is not acceptable as a tip of its own.
        """
        tip = self.tip()
        if _REVISION.fullmatch(text):
            name = text.replace("HEAD", tip, 1)
            out = self.repo.git.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", ok=(0, 1, 128))
        elif re.fullmatch(r"\d{4}-\d\d-\d\d(T[\d:]{5,8}Z?)?", text):
            until = f"{text}T23:59:59Z" if len(text) == 10 else text
            out = self.repo.git.run("rev-list", "-1", f"--before={until}", tip, "--")
        else:
            raise NotFoundError(
                "That is neither a commit nor a date.", "Use an id from 'gitmem log', HEAD~2, or 2026-11-20."
            )
        found = out.decode().strip()
        if not found:
            raise NotFoundError("There is no such commit in this vault.", "'gitmem log' lists them.")
        if not self.trunk.history.contains(tip, found):
            self.trunk.judge(found, "")
        return found

    # Finding.

    @property
    def index(self) -> Index:
        """The search index, caught up with the verified tip: a function of that commit, whatever happened."""
        self.catch_up()
        return self._opened_index()

    def _opened_index(self) -> Index:
        if self._index is None:
            from gitmem.index.index import Index  # sqlcipher3: not for reading one memory

            place = os.path.join(self.repo.folder, "index.db")
            self._index = Index.open(place, self.vault.index_key, self.vault.id, self.catch_up)
        return self._index

    def catch_up(self, progress: Progress | None = None) -> None:
        """Bring the index from its commit to the verified tip by the difference of the two."""
        index, tip = self._opened_index(), self.tip()
        while (since := index.commit) != tip:
            before = self.repo.tree(since) if since and self.repo.objects.has(since) else ""
            gone, come = self._between(before, self.repo.tree(tip))
            if since and not before:  # the old commit is gone (a purge, a new clone): compare by id
                gone = [row.id for row in index.rows(_all()) if row.id not in come]
            index.apply(tip, gone, self._opened(come, progress), since)

    def same_text(self, memory: Memory) -> str | None:
        """The id of a live memory that says the same, if there is one."""
        from gitmem.memory.text import fingerprint

        return self.index.by_fingerprint(fingerprint(memory), self.now())

    def rows(self, filters: Filters, limit: int | None = None) -> list[Row]:
        """What is known of the memories that pass, newest first, without opening them."""
        return self.index.rows(filters, limit)

    def count(self, filters: Filters) -> int:
        """How many memories pass."""
        return self.index.count(filters)

    def search(self, query: str, filters: Filters, limit: int) -> list[Hit]:
        """The best memories for a question, best first."""
        from gitmem.index.snippet import snippet

        scored = self.index.search(query, filters, limit)
        found = {memory.id: memory for memory in self.memories(one.id for one in scored)}
        return [
            Hit(found[one.id], one.score, snippet(found[one.id].body, query, one.start, one.end))
            for one in scored
            if one.id in found
        ]

    def close(self) -> None:
        """Let go of the index and of git."""
        if self._index is not None:
            self._index.close()
        self.repo.close()

    def _entries(self, commit: str) -> Iterator[tuple[str, str]]:
        yield from self._between("", self.repo.tree(commit))[1].items()

    def _between(self, before: str, after: str) -> tuple[list[str], dict[str, str]]:
        """Memory ids that went, and id → blob of those that came, from tree to tree.

        Other files do not count.
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

    def _opened(self, come: dict[str, str], progress: Progress | None) -> Iterator[Memory]:
        blobs = self.repo.objects.read_many(come.values(), MAX_BLOB)
        for done, (memory_id, sealed) in enumerate(zip(come, blobs, strict=True), start=1):
            if progress:
                progress(done, len(come))
            try:
                yield self.load(memory_id, sealed)
            except TamperedError:
                continue  # one damaged file must not blind the search; doctor and read name it


def _all() -> Filters:
    from gitmem.index.filters import Filters  # only after a purge

    return Filters(everything=True)


def counted(verb: str, number: int) -> str:
    """A commit subject: a verb and a count, never a word of anybody's text."""
    return f"{verb} {number} {'memory' if number == 1 else 'memories'}"


def _unknown(text: str) -> NotFoundError:
    shown = "".join(char if char.isascii() and char.isalnum() else "?" for char in text.strip())[:30]
    return NotFoundError(
        f"There is no memory {shown or 'without an id'}.", "'gitmem list' shows ids, 'gitmem search' finds."
    )

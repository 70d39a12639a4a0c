"""The vault, its branch and its index as one: the only object that flows and doors need."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from gitmem.branch import Branch
from gitmem.errors import AmbiguousIdError
from gitmem.index.seen import Seen
from gitmem.memory import document
from gitmem.memory.ids import path_of
from gitmem.memory.memory import SHORT, Memory, is_id, short
from gitmem.memory.text import fingerprint, noun
from gitmem.reader import Reader, unknown
from gitmem.repo.repo import Repo
from gitmem.repo.state import StateFile, branch_of
from gitmem.repo.trees import BLOB_MODE, Changes
from gitmem.vault.description import SLOT_FILE, VAULT_FILE, labels

if TYPE_CHECKING:
    from gitmem.index.embedder import Embedder
    from gitmem.index.filters import Filters
    from gitmem.index.fusion import Scored
    from gitmem.index.index import Index
    from gitmem.index.schema import Row
    from gitmem.index.snippet import Hit
    from gitmem.vault.keys import Identity

Progress = Callable[[int, int], None]  # done, total
Tell = Callable[[str], None]  # a word on what is being done
_OWN = 50  # passages that a memory itself may add to those like it
_ALIKE = str.maketrans("OILoil", "011011")  # what Crockford's base 32 reads alike


class Store(Reader):
    """An open vault. Not for two threads at once; any number of processes may share a vault."""

    def __init__(self, branch: Branch, now: Callable[[], str], new_id: Callable[[], str]) -> None:
        super().__init__(branch)
        self.now = now
        self.new_id = new_id
        self.indexing: Progress | None = None  # hears of an index that takes long to bring up
        self.embedder: Embedder | None = None  # finds by meaning too, where the index has its vectors
        self._index: Index | None = None
        self._seen = Seen(os.path.join(self.repo.folder, "seen"), self.vault.index_key)

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
        """The vault at ``path``, not verified yet.

        Args:
            path: the folder of the vault.
            identity: gives the key for a vault id.
            author: name and address for commits.
            now: the time, as memories carry it.
            new_id: a fresh memory id.
            state_dir: where this machine remembers what it has accepted.

        Raises:
            NotSetUpError: there is no vault.
            WrongKeyError: the key is another vault's.
            ConfigError: the vault is of a newer format.
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

    def turn(self, identity: Identity) -> None:
        """Go on with another key of the vault: what was derived from the former one is put away."""
        self.trunk.turn(identity)
        self.drop_index()
        self._seen = Seen(os.path.join(self.repo.folder, "seen"), self.vault.index_key)

    def drop_index(self) -> None:
        """Remove the search index and the list of seen texts; both are built anew when next needed."""
        if self._index is not None:
            self._index.close()
            self._index = None
        for name in ("index.db", "index.db-wal", "index.db-shm", "seen"):
            try:
                os.unlink(os.path.join(self.repo.folder, name))
            except OSError:
                continue

    # Writing.

    def write(self, memories: Sequence[Memory], verb: str = "write", removed: Sequence[str] = ()) -> str:
        """Put memories in and take the ids ``removed`` out, in one sealed commit.

        A memory replaces the one of the same id. The commit's id comes back, "" when nothing changed.

        Raises:
            InvalidMemoryError: a memory is too large.
            TamperedError: the vault's history is refused; nothing is written.
        """
        changes: Changes = {path_of(memory_id): None for memory_id in removed}
        changes |= {path_of(memory.id): (BLOB_MODE, self.put(memory)) for memory in memories}
        prints = [fingerprint(memory) for memory in memories]
        return self.trunk.grow(
            lambda tip: self._real(tip, changes),
            counted(verb, len(changes)),
            grown=lambda old, new: self._seen.add(old, new, prints),
        )

    def put(self, memory: Memory) -> str:
        """Seal one memory into the object store and return the blob's id; no commit has it yet."""
        return self.repo.objects.write("blob", self.vault.seal(document.dump(memory)))

    def replace(self, memory: Memory, base: Memory | None = None) -> Memory:
        """Write a new revision and return what was written, merged if the memory moved on since ``base``.

        Where the two edits contradict each other, both texts are kept, marked.

        Raises:
            NotFoundError: the memory was forgotten meanwhile.
        """
        written = memory

        def make(tip: str) -> Changes:
            nonlocal written
            current = self.get(memory.id, tip)
            written = memory
            if base is not None and current != base:
                from gitmem.memory.merge import merge

                merged = merge(base, memory, current).memory
                written = merged._replace(rev=max(memory.rev, current.rev) + 1)
            return {} if written == current else {path_of(memory.id): (BLOB_MODE, self.put(written))}

        self.trunk.grow(make, counted("edit", 1))
        return written

    def forget(self, ids: Sequence[str]) -> str:
        """Remove memories from the vault in one commit, whose id comes back; the history keeps them.

        Raises:
            NotFoundError: one of them is not there; nothing is removed.
        """
        for memory_id in ids:
            if not self.repo.blob(self.tip(), path_of(memory_id)):
                raise unknown(memory_id)
        return self.write([], "forget", ids)

    def _real(self, tip: str, changes: Changes) -> Changes:
        """Without removals of what is not there."""
        return {path: value for path, value in changes.items() if value or self.repo.blob(tip, path)}

    def resolve(self, text: str) -> str:
        """The full id for a full or short one, in any case.

        Raises:
            NotFoundError: no memory ends in it.
            AmbiguousIdError: several do.
        """
        wanted = text.strip().translate(_ALIKE).upper()
        if is_id(wanted) and self.repo.blob(self.tip(), path_of(wanted)):
            return wanted
        found = self.index.ending(wanted) if re.fullmatch(rf"[0-9A-Z]{{{SHORT - 2},26}}", wanted) else []
        if not found:
            raise unknown(text)
        if len(found) > 1:
            raise AmbiguousIdError(
                f"{len(found)} memories end in {wanted}.",
                f"Type more of the id, such as {', '.join(one[-10:] for one in found[:3])}.",
            )
        return found[0]

    # Finding.

    @property
    def index(self) -> Index:
        """The search index, brought up to the verified tip first."""
        self._catch_up()
        return self._opened_index()

    def _opened_index(self) -> Index:
        if self._index is None:
            from gitmem.index.index import Index  # sqlcipher3: not for reading one memory

            place = os.path.join(self.repo.folder, "index.db")
            self._index = Index.open(place, self.vault.index_key, self.vault.id, self._catch_up)
        return self._index

    def _catch_up(self) -> None:
        """Bring the index from its commit to the verified tip."""
        from gitmem.indexing import catch_up

        catch_up(self._opened_index(), self, self.indexing)

    def same_text(self, memory: Memory) -> str | None:
        """The id of a live memory that says the same, if there is one."""
        if self._seen.lacks(fingerprint(memory), self.tip()):
            return None
        index = self.index
        self._seen.rewrite(index.commit, index.prints())
        return index.by_fingerprint(fingerprint(memory), self.now())

    def rows(self, filters: Filters, limit: int | None = None) -> list[Row]:
        """What is known of the memories that pass, newest first, without opening them."""
        return self.index.rows(filters, limit)

    def count(self, filters: Filters) -> int:
        """How many memories pass."""
        return self.index.count(filters)

    def search(
        self, query: str, filters: Filters, limit: int, by: str = "memory", width: int = 160
    ) -> list[Hit]:
        """The best memories for a question, best first; by ``passage`` one may come several times.

        ``width`` is that of a snippet, in columns of a terminal.
        """
        return self._hits(self.index.search(query, filters, limit, by, self.embedder), query, width)

    def like(
        self, memory_id: str, filters: Filters, limit: int, by: str = "memory", width: int = 160
    ) -> list[Hit]:
        """The memories most like another one, best first; never itself.

        Raises:
            NotFoundError: there is no such memory.
        """
        from gitmem.index.like import Own

        words, more = self.wording(memory_id), limit + (1 if by == "memory" else _OWN)
        embedder = Own(self.embedder, self.get(memory_id)) if self.embedder else None
        found = self.index.search(words, filters, more, by, embedder)
        return self._hits([one for one in found if one.id != memory_id][:limit], words, width)

    def wording(self, memory_id: str) -> str:
        """A memory as a query: the words that tell it from most others.

        Raises:
            NotFoundError: there is no such memory.
        """
        from gitmem.index.like import wording

        return wording(self.get(memory_id), self.index.frequencies)

    def _hits(self, scored: Sequence[Scored], query: str, width: int) -> list[Hit]:
        from gitmem.index.snippet import hit

        found = {memory.id: memory for memory in self.readable(dict.fromkeys(one.id for one in scored))}
        return [hit(found[one.id], one, query, width) for one in scored if one.id in found]

    def readable(self, ids: Iterable[str]) -> list[Memory]:
        """Those of the memories that can be opened; which cannot is told: one must not hide the others."""
        wanted, damaged = list(ids), list[str]()
        found = list(self.memories(wanted, damaged=damaged, blobs=self.index.blobs(wanted)))
        for memory_id in damaged:
            self.trunk.tell(f"memory {short(memory_id)} cannot be opened; `gitmem doctor` says more.")
        return found

    def close(self) -> None:
        """Let go of the index and of git."""
        if self._index is not None:
            self._index.close()
        self.repo.close()


def counted(verb: str, number: int) -> str:
    """A commit subject: a verb and a count, never a word of anybody's text."""
    return f"{verb} {number} {noun(number)}"

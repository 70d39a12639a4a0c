"""A real vault with conversations in it, asked through ``Store.search`` as every door asks it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from bench.dialogues import Text
from bench.vaults import Vault
from gitmem.flows import create, embedding
from gitmem.index.embedder import Embedder
from gitmem.index.filters import Filters
from gitmem.index.index import Index
from gitmem.index.snippet import Hit
from gitmem.vault.keys import Identity

DEPTH = 30  # hits asked for: a first right one beyond adds at most .03 of a question to MRR


class Talks:
    """One vault with one memory per session, its index built."""

    def __init__(self, folder: str, texts: Sequence[Text]) -> None:
        place = os.path.join(folder, f"{len(os.listdir(folder))}.git")
        vault = Vault(place, Identity.generate(), os.urandom(16).hex(), os.path.join(folder, "state"))
        create.create(create.Plan(place, vault.vault_id, vault.state_dir, vault.identity, bare=True))
        self.vault = vault
        self.texts = {text.memory.id: text for text in texts}
        self.store = vault.open()
        self.store.write([text.memory for text in texts])
        self._encrypted = self.store.index
        self._now = self.store.now()

    def filters(self, project: str = "") -> Filters:
        """What the command line would ask with: one project or all, at this moment."""
        return Filters(project=project, now=self._now)

    def passages(self, question: str, project: str = "", limit: int = DEPTH) -> list[str]:
        """The keys of the turns or facts in the passages found, best first."""
        hits = self.store.search(question, self.filters(project), limit, by="passage")
        return list(dict.fromkeys(key for hit in hits for key in self.inside(hit)))

    def sessions(self, question: str, project: str = "", limit: int = DEPTH) -> list[str]:
        """The keys of the sessions found, best first."""
        return [hit.memory.source for hit in self.store.search(question, self.filters(project), limit)]

    def inside(self, hit: Hit) -> Iterable[str]:
        """The keys of the units that a hit's passage touches, in order."""
        places = self.texts[hit.memory.id].places
        return (key for start, end, key in places if start < hit.end and end > hit.start)

    def use(self, embedder: Embedder | None) -> None:
        """Search with that model, after every passage has its vector, or by words alone.

        Raises:
            SystemExit: not every passage can have one.
        """
        self.store.embedder = embedder
        if embedder and (lacking := embedding.fill(self.store, embedder)):
            raise SystemExit(lacking)

    def plain_index(self, path: str) -> Index:
        """The same memories in an index file that is not encrypted.

        Raises:
            SystemExit: the file is not what it should be, or the vault's own is not encrypted.
        """
        index = Index.open(path, b"", self.store.vault.id)
        in_order = (self.texts[memory_id].memory for memory_id in sorted(self.texts))  # as the vault's own
        index.apply(self.store.tip(), [], in_order)
        if model := self.store.embedder:
            embedding.make(lambda: index, self.store, model)
        own = os.path.join(self.store.repo.folder, "index.db")
        if not _is_sqlite(path) or _is_sqlite(own):
            raise SystemExit("The two index files are not one plain and one encrypted.")
        return index

    def differences(self, plain: Index, questions: Iterable[tuple[str, str]], by: str) -> tuple[int, int]:
        """How many of (question, project) rank differently in ``plain``, and how many were asked."""
        asked = different = 0
        for question, project in questions:
            found = [
                index.search(question, self.filters(project), DEPTH, by, self.store.embedder)
                for index in (self._encrypted, plain)
            ]
            asked += 1
            different += found[0] != found[1]
        return different, asked

    def close(self) -> None:
        """Let go of the vault."""
        self.store.close()


def _is_sqlite(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(16) == b"SQLite format 3\0"

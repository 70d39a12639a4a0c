"""A vault of two memories with a remote and a second device, made by the flows."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gitmem.flows import join, sync
from gitmem.memory import ids
from gitmem.memory.memory import Memory
from gitmem.store import Store
from gitmem.vault.joincode import JoinCode
from gitmem.vault.keys import Identity

NOW = "2026-11-20T07:00:00Z"


@dataclass
class Vault:
    """One device: its folder, and gitmem's verbs as a program would use them."""

    path: Path
    state: Path
    remote: Path
    identity: Identity
    vault_id: str
    clock: int = 1_795_158_000

    @contextmanager
    def store(self) -> Iterator[Store]:
        who = ("gitmem", "gitmem@localhost")
        place = str(self.path)
        store = Store.open(place, lambda _: self.identity, who, lambda: NOW, self.new_id, str(self.state))
        try:
            yield store
        finally:
            store.close()

    def new_id(self) -> str:
        self.clock += 60
        return ids.new_id(self.clock * 1000)

    def write(self, *texts: str) -> list[str]:
        made = [Memory(id=self.new_id(), body=text, created=NOW) for text in texts]
        with self.store() as store:
            store.write(made)
        return [one.id for one in made]

    def edit(self, memory_id: str, text: str) -> None:
        with self.store() as store:
            old = store.get(memory_id)
            store.replace(replace(old, body=text, rev=old.rev + 1), old)

    def forget(self, memory_id: str) -> None:
        with self.store() as store:
            store.forget([memory_id])

    def sync(self) -> None:
        with self.store() as store:
            sync.sync(store)

    def texts(self) -> list[str]:
        with self.store() as store:
            return sorted(memory.body for memory in store.memories())

    def git(self, *args: str) -> str:
        done = subprocess.run(["git", "-C", str(self.path), *args], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.rstrip("\n")

    def join(self, place: Path, *, sparse: bool = False) -> Vault:
        code = JoinCode(str(self.remote), "main", self.vault_id, self.identity.text)
        other = Vault(
            place, Path(f"{place}-state"), self.remote, self.identity, self.vault_id, self.clock + 50_000
        )
        join.join(code, str(place), str(other.state), sparse=sparse)
        return other

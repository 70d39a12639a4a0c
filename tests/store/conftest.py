"""Devices that share one remote, opened as the composition root opens them."""

import itertools
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gitmem.flows import create, join, sync
from gitmem.memory import ids
from gitmem.memory.memory import Memory
from gitmem.store import Store
from gitmem.vault.joincode import JoinCode
from gitmem.vault.keys import Identity

VAULT = "0123456789abcdef" * 2


class Devices:
    """One vault, as many devices as a test asks for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.remote = folder / "remote.git"
        self.identity = Identity.generate()
        self.stores: list[Store] = []
        self._seconds = itertools.count(1_795_000_000)
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(self.remote)], check=True)

    def now(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(next(self._seconds)))

    def new_id(self) -> str:
        return ids.new_id(next(self._seconds) * 1000)

    def open(self, place: Path) -> Store:
        who = ("gitmem", "gitmem@localhost")
        state = str(place.with_suffix(".state"))
        store = Store.open(str(place), lambda _: self.identity, who, self.now, self.new_id, state)
        self.stores.append(store)
        return store

    def first(self, *, bare: bool = False) -> Store:
        place = self.folder / "first"
        plan = create.Plan(
            str(place), VAULT, str(place.with_suffix(".state")), self.identity, str(self.remote), bare=bare
        )
        create.create(plan)
        store = self.open(place)
        sync.sync(store)
        return store

    def another(self, *, sparse: bool = False) -> Store:
        place = self.folder / f"device{len(self.stores)}"
        floor = self.stores[0].trunk.state.remote
        code = JoinCode(str(self.remote), "main", VAULT, self.identity.text, floor)
        join.join(code, str(place), str(place.with_suffix(".state")), sparse=sparse)
        return self.open(place)

    def memory(self, body: str, **fields: object) -> Memory:
        return replace(Memory(id=self.new_id(), created=self.now(), body=body), **fields)


@pytest.fixture
def devices(tmp_path):
    made = Devices(tmp_path)
    yield made
    for store in made.stores:
        store.close()

"""A vault to consolidate, on one device or several, and an engine that answers as a test says."""

from __future__ import annotations

import itertools
import json
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gitmem.flows import create, join
from gitmem.flows.consolidate.gather import Scope
from gitmem.flows.consolidate.offline import OfflineEngine
from gitmem.flows.consolidate.run import Options, consolidate
from gitmem.memory import ids
from gitmem.memory.memory import Memory
from gitmem.memory.plan import Step, check
from gitmem.store import Store
from gitmem.vault.joincode import JoinCode
from gitmem.vault.keys import Identity

ID = "0123456789abcdef" * 2


class Vault:
    """One device: a store, and what tests do with it."""

    def __init__(self, store: Store, seconds) -> None:
        self.store = store
        self._seconds = seconds

    def memory(self, body: str, **fields) -> Memory:
        """A memory, not written yet, a minute later than the last one."""
        when = next(self._seconds)
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))
        return replace(Memory(id=ids.new_id(when * 1000), created=created, body=body), **fields)

    def write(self, *texts: str, **fields) -> list[Memory]:
        """Memories of these texts, in one commit."""
        made = [self.memory(text, **fields) for text in texts]
        self.store.write(made)
        return made

    def all(self) -> dict[str, Memory]:
        return {memory.id: memory for memory in self.store.memories()}

    def current(self) -> list[Memory]:
        """What search shows: neither superseded nor expired."""
        everything = self.all().values()
        gone = {old for memory in everything for old in memory.supersedes}
        now = self.store.now()
        return [one for one in everything if one.id not in gone and not (one.expires and one.expires <= now)]

    def run(self, engine=None, **options):
        scope = Scope(options.pop("project", None), options.pop("since", ""))
        thinker = engine or OfflineEngine(self.store.now())
        return consolidate(self.store, thinker, Options(scope, **options))

    def git(self, *args: str) -> str:
        done = subprocess.run(
            ["git", "-C", self.store.path, *args], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def tree(self) -> str:
        return self.git("rev-parse", f"{self.store.branch}^{{tree}}")

    def subjects(self) -> list[str]:
        return self.git("log", "--format=%s", self.store.branch).split("\n")


class Scripted:
    """An engine whose plans a test writes: ``answer(group)`` gives steps, or raises what an engine may."""

    name = "scripted"

    def __init__(self, answer, narrate=None) -> None:
        self._answer = answer
        self._narrate = narrate
        self.asked = []

    def prepare(self, groups):
        return None

    def plan(self, group):
        self.asked.append(group)
        return check(group, self._answer(group))

    def narrate(self, project, memories):
        return self._narrate(project, memories) if self._narrate else None

    def report(self):
        return None


class Devices:
    """One vault on as many devices as a test asks for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.identity = Identity.generate()
        self.remote = folder / "remote.git"
        self.seconds = itertools.count(1_795_000_000, 60)
        self.stores: list[Store] = []

    def first(self, *, remote: bool = False) -> Vault:
        if remote:
            subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(self.remote)], check=True)
        place = self.folder / "first"
        url = str(self.remote) if remote else ""
        create.create(create.Plan(str(place), ID, str(place.with_suffix(".state")), self.identity, url))
        return self._opened(place)

    def another(self) -> Vault:
        place = self.folder / f"device{len(self.stores)}"
        floor = self.stores[0].trunk.state.remote
        join.join(
            JoinCode(str(self.remote), "main", ID, self.identity.text, floor), str(place), str(place) + ".s"
        )
        return self._opened(place, str(place) + ".s")

    def _opened(self, place: Path, state: str = "") -> Vault:
        store = Store.open(
            str(place),
            lambda _: self.identity,
            ("gitmem", "gitmem@localhost"),
            lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(next(self.seconds))),
            lambda: ids.new_id(next(self.seconds) * 1000),
            state or str(place.with_suffix(".state")),
        )
        self.stores.append(store)
        return Vault(store, self.seconds)


@pytest.fixture
def devices(tmp_path):
    made = Devices(tmp_path)
    yield made
    for store in made.stores:
        store.close()


@pytest.fixture
def vault(devices) -> Vault:
    return devices.first()


@pytest.fixture
def scripted():
    return Scripted


@pytest.fixture
def step():
    """Makes a step."""

    def make(action, sources, **fields):
        return Step(action=action, sources=tuple(one.id for one in sources), **fields)

    return make


@pytest.fixture
def conversations(data_dir) -> list[dict]:
    """The 128 conversations of the shared data."""
    lines = (data_dir / "locomo" / "dev-memories.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]

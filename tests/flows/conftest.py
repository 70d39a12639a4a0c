"""A real vault in a temp folder for the flows, with a clock that ticks once a second."""

import itertools
import time
from pathlib import Path

import pytest

from gitmem.flows.create import Plan, create
from gitmem.memory import ids
from gitmem.store import Store
from gitmem.vault.keys import Identity


def ticking():
    seconds = itertools.count(1_795_000_000)
    return lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(next(seconds)))


@pytest.fixture
def new_store(tmp_path: Path):
    """A function that makes one more empty vault and opens it."""
    opened = []

    def make() -> Store:
        home = tmp_path / f"vault-{len(opened)}"
        home.mkdir()
        identity = Identity.generate()
        create(Plan(str(home / "v"), f"{len(opened):032x}", str(home / "state"), identity))
        store = Store.open(
            str(home / "v"),
            identity=lambda _: identity,
            author=("gitmem", "gitmem@localhost"),
            now=ticking(),
            new_id=lambda: ids.new_id(time.time_ns() // 1_000_000),
            state_dir=str(home / "state"),
        )
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(new_store) -> Store:
    return new_store()

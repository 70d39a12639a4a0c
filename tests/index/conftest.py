"""Memories and an index to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitmem.flows import create
from gitmem.index.index import Index
from gitmem.memory.ids import new_id
from gitmem.memory.memory import Memory
from gitmem.store import Store
from gitmem.vault.keys import Identity

KEY = bytes(range(32))
VAULT = "0123456789abcdef" * 2


@pytest.fixture
def make() -> Callable[..., Memory]:
    """``make(body, **fields)``: a memory; each is one second younger than the one before."""
    made = 0

    def memory(body: str, **fields: object) -> Memory:
        nonlocal made
        made += 1
        created = f"2026-05-0{1 + made // 3600}T{made // 60 % 24:02d}:{made % 60:02d}:00Z"
        return Memory(
            **{"id": new_id(1_777_000_000_000 + made * 1000), "created": created, **fields, "body": body}
        )

    return memory


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where the index file of a test lies."""
    return str(tmp_path / "git" / "index.db")


@pytest.fixture
def index(path: str) -> Iterator[Index]:
    """An empty index."""
    opened = Index.open(path, KEY, VAULT)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def open_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Store]]:
    """``open_store()``: a store of one vault on disk, the same vault each time within a module."""
    folder = tmp_path_factory.mktemp("vault")
    identity = Identity.generate()
    plan = create.Plan(str(folder / "vault"), VAULT, str(folder / "state"), identity)
    create.create(plan)
    opened: list[Store] = []

    def another() -> Store:
        who = ("gitmem", "gitmem@localhost")
        place = (plan.directory, lambda _: identity, who)
        opened.append(
            Store.open(
                *place, lambda: "2026-11-20T07:00:00Z", lambda: new_id(1_795_158_000_000), plan.state_dir
            )
        )
        return opened[-1]

    yield another
    for store in opened:
        store.close()

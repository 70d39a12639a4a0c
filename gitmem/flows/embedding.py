"""Vectors for the memories of a vault: what its index still lacks, made beside everything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from gitmem import config
from gitmem.index import schema, vectors
from gitmem.store import Store

if TYPE_CHECKING:
    from gitmem.index.embedder import Embedder
    from gitmem.index.index import Index
    from gitmem.index.vectors import Memo

Made = list[tuple["Memo", list[tuple[int, bytes]]]]  # row and vector of each passage
Step = Callable[[int, int], None]  # done, total
_AT_ONCE = 8  # memories: so few are looked up one by one, and little is lost when the process is killed


def lacks(store: Store, embedder: Embedder) -> bool:
    """Whether memories wait for vectors and nobody is making them; quick.

    Raises:
        ConfigError: the state folder cannot be written.
    """
    if not store.index.ask(lambda connection: vectors.waiting(connection, embedder.name, 1)):
        return False
    with config.hold(_lock(store), wait=False) as free:
        return free


def fill(store: Store, embedder: Embedder, step: Step | None = None) -> bool:
    """Make the vectors that are missing; False when another process does, or when the model gives none.

    Each small transaction stays, so it may be killed at any time; others read and write in between.

    Raises:
        TamperedError: the branch is refused.
        ConfigError: the state folder cannot be written.
    """
    with config.hold(_lock(store), wait=False) as mine:
        return mine and make(lambda: store.index, store, embedder, step)


def make(index_of: Callable[[], Index], store: Store, embedder: Embedder, step: Step | None = None) -> bool:
    """The same for any index of the store's memories, looked at again before each step."""
    while True:
        index = index_of()
        waiting = index.ask(lambda connection: vectors.waiting(connection, embedder.name, _AT_ONCE))
        if not waiting:
            return True
        made = _made(store, index.commit, embedder, waiting)
        if made is None:
            return False
        index.change(None, partial(_put, embedder.name, made))
        if step is not None:
            step(*index.ask(vectors.progress))


def _put(embedder: str, made: Made, connection: Any) -> None:
    vectors.put(connection, embedder, made)


def _made(store: Store, commit: str, embedder: Embedder, waiting: Sequence[Memo]) -> Made | None:
    """Row and vector of each memory's passages, as ``commit`` has it; None when the model gives none."""
    bodies = {one.id: one.body for one in store.memories((memo.id for memo in waiting), commit, damaged=[])}
    made = []
    for memo in waiting:
        count = schema.passage_count(memo.cuts) if memo.id in bodies else 0
        spans = [schema.place(memo.cuts, k) for k in range(count)]
        numbers = embedder.embed([bodies[memo.id][start:end] for start, end in spans])
        if len(numbers) < count:
            return None
        rows = [schema.passage_row(memo.number, k, several=count > 1) for k in range(count)]
        made.append((memo, list(zip(rows, numbers, strict=True))))
    return made


def _lock(store: Store) -> str:
    return f"vectors-{store.vault.id}"

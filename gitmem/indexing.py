"""Bringing the search index from its commit to the verified tip: the one road by which it ever changes.

Writes, pulls, undo, crashes, rebuilds and another process's work all reach the index by the difference of two
trees. It goes over in one transaction, so a process killed on the way leaves what was there before.
"""

from __future__ import annotations

import marshal
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from typing import TYPE_CHECKING

from gitmem.errors import TamperedError
from gitmem.index.filters import Filters
from gitmem.memory.memory import Memory
from gitmem.reader import Reader
from gitmem.repo.objects import MAX_BLOB
from gitmem.worker import Worker, can_help

if TYPE_CHECKING:
    from gitmem.index.index import Index

Progress = Callable[[int, int], None]  # done, total
Opened = Generator[Memory, None, None]
Batch = list[tuple[str, str]]  # id and blob of each memory

LONG = 2_000  # memories: what takes so long is shared with a second process, and told about
_BATCH = 64  # memories: small, so that both processes come to their end together


def catch_up(index: Index, reader: Reader, progress: Progress | None = None) -> None:
    """Bring ``index`` to the tip that ``reader`` verifies; ``progress`` hears of long ways only.

    Raises:
        TamperedError: the branch is refused.
    """
    tip = reader.tip()
    while (since := index.commit) != tip:
        before = reader.repo.tree(since) if since and reader.repo.objects.has(since) else ""
        gone, come = reader.between(before, reader.repo.tree(tip))
        if since and not before:  # the old commit is gone (a purge, a new clone): compare by id
            gone = [row.id for row in index.rows(Filters(everything=True)) if row.id not in come]
        with closing(_told(opened(reader, come), len(come), progress)) as memories:
            index.apply(tip, gone, memories, since, come)


def opened(reader: Reader, come: dict[str, str]) -> Opened:
    """The memories of id → blob, in any order; those that can be opened, for one must not blind the search.

    Doctor and read name the damaged ones.
    """
    pairs = list(come.items())
    if len(come) < LONG or not can_help():
        yield from _open(reader, pairs)
        return
    batches = [pairs[at : at + _BATCH] for at in range(0, len(pairs), _BATCH)]
    worker = Worker(_Opening(reader, batches))
    try:
        yield from _shared(reader, batches, worker)
    finally:
        worker.end()


class _Opening:
    """What the second process does: a batch by its number, as the values of its memories."""

    def __init__(self, reader: Reader, batches: list[Batch]) -> None:
        self._reader = reader
        self._batches = batches
        self._mine = False

    def __call__(self, number: int) -> bytes:
        if not self._mine:
            self._mine = True
            self._reader.repo.objects.leave()
        return marshal.dumps([tuple(memory) for memory in _open(self._reader, self._batches[number])])


def _shared(reader: Reader, batches: list[Batch], worker: Worker) -> Opened:
    """What the worker has ready comes first; while that is nothing, this process opens some from the end."""
    left = deque(range(len(batches)))
    while left or worker.owes:
        while left and worker.wants:
            worker.ask(left.popleft())
        if not worker.owes or (left and not worker.is_ready()):
            yield from _open(reader, batches[left.pop()])
            continue
        answer = worker.answer()
        if answer is None:
            left += worker.lost()
        else:
            yield from map(Memory._make, marshal.loads(answer))  # noqa: S302  (from our own copy)


def _open(reader: Reader, batch: Batch) -> Opened:
    blobs = reader.repo.objects.read_many((oid for _, oid in batch), MAX_BLOB, gaps=True)
    for (memory_id, _), sealed in zip(batch, blobs, strict=True):
        try:
            yield reader.load(memory_id, sealed)
        except TamperedError:
            continue


def _told(memories: Opened, total: int, progress: Progress | None) -> Opened:
    if progress is None or total < LONG:
        yield from memories
        return
    for done, memory in enumerate(memories):
        if done % 500 == 0:
            progress(done, total)
        yield memory
    progress(total, total)

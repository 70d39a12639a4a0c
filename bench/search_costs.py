"""What searching costs inside a process; each kind of figure has its own, for its peak memory."""

from __future__ import annotations

import json
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from bench import vaults
from gitmem import app
from gitmem.flows import embedding
from gitmem.index.embedder import Embedder
from gitmem.index.filters import Filters
from gitmem.memory.document import dump
from gitmem.memory.ids import new_id
from gitmem.store import Store
from gitmem.vault.keys import Identity

Figure = tuple[str, float, str]  # name, value, unit
_WRITES = 60
_REAL = 1_000  # memories, of which every vector is made
_TEN, _HUNDRED = 10_000, 100_000
# (name, size) → what the figure must not pass.
BARS = {
    ("cold search, whole process", 1_000): "≤ 2.3",
    ("cold search, whole process", _TEN): "≤ 2.3",
    ("cold search, whole process", _HUNDRED): "≤ 3.3",
    ("warm search, p50", _TEN): "≤ 6",
    ("warm search, p95", _TEN): "≤ 12",
    ("warm search, p50", _HUNDRED): "≤ 40",
    ("warm search, p95", _HUNDRED): "≤ 70",
    ("next search after a write, extra p50", _HUNDRED): "≤ 8",
    ("next search after a write, extra p95", _HUNDRED): "≤ 30",
    ("rebuild, one process", _TEN): "≥ 7,000",
    ("rebuild, one process", _HUNDRED): "≥ 7,000",
    ("rebuild, two processes", _TEN): "≥ 11,000",
    ("rebuild, two processes", _HUNDRED): "≥ 11,000",
    ("peak memory of a rebuild, one process", _HUNDRED): "≤ 200",
    ("peak memory of a rebuild, two processes", _HUNDRED): "≤ 200",
    ("peak memory of searching", _HUNDRED): "≤ 200",
    ("index / plain text", 1_000): "≤ 1.0",
    ("index / plain text", _TEN): "≤ 1.0",
    ("index / plain text", _HUNDRED): "≤ 1.0",
    ("index / plain text", 0): "≤ 1.5",
}


def child(
    what: str, vault: vaults.Vault, questions: Sequence[str], env: dict[str, str] | None = None
) -> list[Figure]:
    """The figures of one kind, measured by a process of its own."""
    call = [sys.executable, "-m", "bench.search_costs", what]
    asked = json.dumps([vault.path, vault.identity.text, vault.vault_id, vault.state_dir, list(questions)])
    done = subprocess.run(call, input=asked, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        raise SystemExit(f"Measuring {what} failed: {done.stderr.strip()}")
    return [(name, value, unit) for name, value, unit in json.loads(done.stdout)]


def warm(vault: vaults.Vault, questions: Sequence[str]) -> Iterator[Figure]:
    """One search after the other."""
    store = vault.open()
    filters = Filters(now=store.now())
    index = store.index
    for name, times in (
        ("warm search", timed(lambda text: store.search(text, filters, 10), questions)),
        ("warm search, the index alone", timed(lambda text: index.search(text, filters, 10), questions)),
    ):
        yield from _spread(name, times)
    yield "peak memory of searching", _peak(), "MB"
    store.close()


def after(vault: vaults.Vault, questions: Sequence[str]) -> Iterator[Figure]:
    """How much longer the first search after a write takes than the same one again; on a copy."""
    with tempfile.TemporaryDirectory() as folder:
        place = shutil.copytree(vault.path, os.path.join(folder, "copy.git"))
        store = replace(vault, path=place).open()
        filters = Filters(now=store.now())
        store.search(questions[0], filters, 10)
        extra = []
        for number, memory in enumerate(vaults.memories(_WRITES, vaults.texts(seed=5))):
            store.write([replace(memory, id=new_id(1_900_000_000_000 + number))])
            question = questions[number % len(questions)]
            first, again = (
                timed(lambda text: store.search(text, filters, 10), [question])[0] for _ in range(2)
            )
            extra.append(first - again)
        store.close()
    yield from _spread("next search after a write, extra", extra)


def rebuild(vault: vaults.Vault, _: Sequence[str]) -> Iterator[Figure]:
    """From sealed files to an index, in one process: read, open, parse, insert."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # on one core gitmem starts no second process
    yield from _rebuilt(vault, "one process")


def together(vault: vaults.Vault, _: Sequence[str]) -> Iterator[Figure]:
    """The same with the second process that gitmem starts where there is a core for it."""
    if len(os.sched_getaffinity(0)) > 1:
        yield from _rebuilt(vault, "two processes")


def _rebuilt(vault: vaults.Vault, how: str) -> Iterator[Figure]:
    store = vault.open()
    store.drop_index()
    start = time.perf_counter()
    count = store.count(Filters(everything=True))
    yield f"rebuild, {how}", count / (time.perf_counter() - start), "/s"
    yield f"peak memory of a rebuild, {how}", _peak(), "MB"
    yield from sizes(store) if how == "one process" else ()


def semantic(vault: vaults.Vault, questions: Sequence[str]) -> Iterator[Figure]:
    """Searching with the installed model, after every passage has a vector."""
    store = vault.open()
    model = app.embedder()
    assert model is not None, "no model is installed"
    path = os.path.join(store.repo.folder, "index.db")
    count = store.count(Filters(everything=True))
    store.index.close()
    before, start = os.path.getsize(path), time.perf_counter()
    lacking = embedding.fill(store, model if count <= _REAL else Drawn(model))
    assert not lacking, lacking
    if count <= _REAL:
        yield "vectors made", count / (time.perf_counter() - start), "/s"
    store.index.close()
    yield "vectors, bytes per memory", (os.path.getsize(path) - before) / count, "B"
    store.embedder = model
    filters = Filters(now=store.now())
    store.search(questions[0], filters, 10)
    yield from _spread("embedding of a question", timed(lambda text: model.embed([text]), questions))
    yield from _spread(
        "warm search with vectors", timed(lambda text: store.search(text, filters, 10), questions)
    )
    yield "peak memory of searching with vectors", _peak(), "MB"


class Drawn:
    """Vectors drawn from some real ones, for vaults so large that making them would take the longest: what it
    costs to compare them does not depend on what they say.
    """

    def __init__(self, model: Embedder) -> None:
        self.name = model.name
        self._model = model
        self._real: list[bytes] = []
        self._dice = random.Random(6)

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """One vector per text."""
        if len(self._real) < _REAL:
            self._real += self._model.embed(texts)
        return self._dice.choices(self._real, k=len(texts))


def sizes(store: Store) -> Iterator[Figure]:
    """The index against the plain text of its memories, without vectors."""
    plain = sum(len(dump(memory)) for memory in store.memories())
    store.index.close()  # the log is copied into the file
    yield "index / plain text", os.path.getsize(os.path.join(store.repo.folder, "index.db")) / plain, ""


def timed(run: object, items: Iterable[str]) -> list[float]:
    """Milliseconds of each run."""
    times = []
    for item in items:
        start = time.perf_counter()
        run(item)  # type: ignore[operator]
        times.append((time.perf_counter() - start) * 1000)
    return times


def _spread(name: str, times: Sequence[float]) -> Iterator[Figure]:
    yield f"{name}, p50" if "extra" not in name else f"{name} p50", statistics.median(times), "ms"
    yield (
        f"{name}, p95" if "extra" not in name else f"{name} p95",
        statistics.quantiles(times, n=20)[-1],
        "ms",
    )


def _peak() -> float:
    """Megabytes that this process, or the largest of its children, had at most."""
    with open("/proc/self/status", encoding="ascii") as status:
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read())
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(int(found[1]) if found else 0, children) / 1024


def main() -> None:
    """What the child does: the figures as JSON on standard output."""
    path, key, vault_id, state_dir, questions = json.load(sys.stdin)
    kinds = {"warm": warm, "after": after, "rebuild": rebuild, "together": together, "semantic": semantic}
    vault = vaults.Vault(path, Identity.parse(key), vault_id, state_dir)
    print(json.dumps(list(kinds[sys.argv[1]](vault, questions))))


if __name__ == "__main__":
    main()

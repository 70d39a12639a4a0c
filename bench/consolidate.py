"""What an offline consolidation costs, as a ratio to reading all memories once in the same run.

    python -m bench.consolidate [--size 10000] [--json]

The memories are made-up prose of about 640 characters in 20 projects, every fiftieth a copy of another.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace

from bench import vaults
from gitmem.memory.ids import new_id
from gitmem.memory.memory import Memory

_PEAK = r"VmHWM:\s+(\d+) kB"
_EACH = 50  # memories of which one is a copy


def prose(count: int) -> Iterator[Memory]:
    """Memories of several sentences; a copy differs in its white space."""
    dice = random.Random(3)
    last: Memory | None = None
    for number, memory in enumerate(vaults.memories(count)):
        if last and number % _EACH == _EACH - 1:
            yield replace(last, id=new_id(1_700_000_000_000 + number), body=last.body.replace(" ", "  "))
            continue
        words = memory.body.split()
        cuts = range(0, len(words), 12)
        sentences = [" ".join(words[at : at + 12]).capitalize() for at in cuts]
        last = replace(
            memory, body=". ".join([*sentences[:-1], f"On day {dice.randrange(10**6)} {sentences[-1]}"])
        )
        yield last


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        vault = vaults.make(folder, 0, lambda _: None)
        store = vault.open()
        store.write(list(prose(chosen.size)))
        store.close()
        rows = {what: _run(vault, what) for what in ("read", "first", "second")}
    if chosen.json:
        print(json.dumps(rows))
        return
    unit = float(rows["read"]["cpu"])
    for what, row in rows.items():
        ratio = f"{float(row['cpu']) / unit:6.1f} × reading all"
        print(f"{what:8}{row['seconds']:8.1f} s{row['cpu']:8.1f} s cpu{row['megabytes']:7.0f} MB", end="")
        print(f"  {ratio}  {row['said']}")


def _run(vault: vaults.Vault, what: str) -> dict[str, float | str]:
    """One run in a process of its own: its seconds, its processor seconds, its peak memory."""
    arguments = [vault.path, vault.identity.text, vault.vault_id, vault.state_dir, what]
    call = [sys.executable, "-m", "bench.consolidate", "--inside", *arguments]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def inside(path: str, key: str, vault_id: str, state_dir: str, what: str) -> None:
    """What the child measures of itself."""
    from gitmem.flows.consolidate.offline import OfflineEngine
    from gitmem.flows.consolidate.run import Options, consolidate
    from gitmem.vault.keys import Identity

    start, used = time.perf_counter(), time.process_time()
    store = vaults.Vault(path, Identity.parse(key), vault_id, state_dir).open()
    store.new_id = lambda: new_id(time.time_ns() // 1_000_000)
    if what == "read":
        said = f"{sum(1 for _ in store.memories())} memories"
    else:
        report = consolidate(store, OfflineEngine(store.now()), Options())
        merged = sum(len(one.replaced) for one in report.made)
        said = f"{report.looked} looked at, {len(report.made)} steps, {merged} copies merged"
    with open("/proc/self/status", encoding="ascii") as status:
        peak = re.search(_PEAK, status.read())
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - start,
                "cpu": time.process_time() - used,
                "megabytes": int(peak[1]) / 1024 if peak else 0.0,
                "said": said,
            }
        )
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(*sys.argv[2:])
    else:
        main()

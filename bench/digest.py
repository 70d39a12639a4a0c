"""What a digest of everything costs to build: seconds, processor seconds and peak memory, by number of paths.

    python -m bench.digest [--size 10000] [--json]

Every memory of the vault is shared by a rule; `daily` publishes three secret paths at once, `never` one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

from bench import vaults

_PEAK = r"VmHWM:\s+(\d+) kB"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        vault = vaults.make(folder, chosen.size, lambda _: None)
        rows = {what: _run(vault, what, folder) for what in ("scan", "never", "daily")}
    if chosen.json:
        print(json.dumps(rows))
        return
    for what, row in rows.items():
        print(
            f"{what:8}{row['seconds']:8.1f} s{row['cpu']:8.1f} s cpu{row['megabytes']:7.0f} MB  {row['said']}"
        )


def _run(vault: vaults.Vault, what: str, folder: str) -> dict[str, float | str]:
    """One build in a process of its own: its seconds, its processor seconds, its peak memory."""
    site = os.path.join(folder, f"site-{what}")
    arguments = [vault.path, vault.identity.text, vault.vault_id, vault.state_dir, what, site]
    call = [sys.executable, "-m", "bench.digest", "--inside", *arguments]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def inside(path: str, key: str, vault_id: str, state_dir: str, what: str, folder: str) -> None:
    """What the child measures of itself."""
    from gitmem.flows.publish import prepare, publish_site
    from gitmem.flows.share import rule
    from gitmem.flows.site import Site
    from gitmem.memory.memory import KINDS
    from gitmem.vault.keys import Identity

    store = vaults.Vault(path, Identity.parse(key), vault_id, state_dir).open()
    rule(store, [], [], KINDS, on=True)
    start, used = time.perf_counter(), time.process_time()
    digest = prepare(store)
    said = f"{len(digest.ranked)} memories chosen and scanned"
    if what != "scan":
        done = publish_site(store, Site("dir", "https://notes.example.org/m", what), digest, folder, 8000)
        said = f"{done.shown} memories in {done.files} files"
    with open("/proc/self/status", encoding="ascii") as status:
        peak = re.search(_PEAK, status.read())
    measured = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - used}
    print(json.dumps({**measured, "megabytes": int(peak[1]) / 1024 if peak else 0.0, "said": said}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(*sys.argv[2:])
    else:
        main()

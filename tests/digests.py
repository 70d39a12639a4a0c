"""What tests of the digest share: a shared memory, and all that was published."""

from __future__ import annotations

from pathlib import Path

from machine import Machine


def share(machine: Machine, text: str, *options: str) -> str:
    """Write a shared memory; its id."""
    done = machine.run("--json", "write", "-", "--share", *options, stdin=text.encode())
    return str(done.json["memory"]["id"])


def published(folder: Path) -> str:
    """All bytes below a folder, with the names."""
    found = [
        b"%s\n%s" % (bytes(path), path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()
    ]
    return b"\n".join(found).decode()

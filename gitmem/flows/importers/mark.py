"""The mark that an import leaves in a memory; by it the next one knows whether file or vault changed."""

from __future__ import annotations

import dataclasses
import hashlib
import re

from gitmem.memory.document import dump
from gitmem.memory.memory import MAX_REV, TRUSTS, Memory
from gitmem.memory.merge import merge

_MARK = re.compile(r"^imported: ([0-9a-f]{16})\n?", re.MULTILINE)
_NOBODY = "00000000000000000000000000"


def stamp(memory: Memory) -> str:
    """16 hex digits of what a file says of a memory, but dates and project, which folders may give."""
    plain = dataclasses.replace(
        memory, id=_NOBODY, created="2000-01-01T00:00:00Z", updated="", rev=1, project="", trust="import",
        share=False, extra=_MARK.sub("", memory.extra).rstrip("\n"),
    )  # fmt: skip
    return hashlib.sha256(dump(plain)).hexdigest()[:16]


def marked(memory: Memory) -> Memory:
    """``memory`` with the mark of what it is now."""
    rest = _MARK.sub("", memory.extra).rstrip("\n")
    mark = f"imported: {stamp(memory)}"
    return dataclasses.replace(memory, extra=f"{mark}\n{rest}" if rest else mark)


def mark_of(memory: Memory) -> str:
    """What the last import left in ``memory``; ``""`` when it did not come by one."""
    match = _MARK.search(memory.extra)
    return match[1] if match else ""


def revised(existing: Memory, memory: Memory, now: str) -> Memory:
    """``existing`` with the text that its source has now; edits made in the vault since are merged."""
    new = marked(memory)
    fresh = dataclasses.replace(
        new, id=existing.id, created=existing.created, updated=now, rev=min(existing.rev + 1, MAX_REV),
        project=existing.project or new.project, trust=least_trust(existing.trust, new.trust),
        session=existing.session, path=existing.path,
    )  # fmt: skip
    if mark_of(existing) in ("", stamp(existing)):
        return fresh
    together = merge(None, existing, fresh).memory
    return dataclasses.replace(together, extra=fresh.extra, rev=fresh.rev)


def least_trust(*trusts: str) -> str:
    """The least of several trusts."""
    return max(trusts, key=TRUSTS.index)

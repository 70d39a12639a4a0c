"""What an importer hands over: entries read from files, each a memory or the reason why it is none."""

from __future__ import annotations

from dataclasses import dataclass

from gitmem.memory.memory import Memory


@dataclass(frozen=True, slots=True)
class Options:
    """How to import.

    ``project`` and ``tags`` are given to every memory that does not come from an export. ``keep`` also takes
    trust and the mark to share from the files: only for exports that the owner made. Without it nothing
    imported has more trust than ``import``, and nothing is marked to share.
    """

    project: str = ""
    tags: tuple[str, ...] = ()
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """One entry: its name for the report, and the memory in it or the reason that there is none.

    ``own`` says that it names its id, as an export of gitmem does.
    """

    name: str
    memory: Memory | None = None
    own: bool = False
    reason: str = ""

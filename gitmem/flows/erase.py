"""Deleting the inbox issues whose memories are in the vault: what a sync of the owner does besides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gitmem.errors import GitmemError
from gitmem.flows import records
from gitmem.flows.home import home, refuse_other
from gitmem.flows.sync import sync
from gitmem.github import issues
from gitmem.repo.trees import Changes
from gitmem.store import Store, Tell

if TYPE_CHECKING:  # most syncs have nothing to delete and must not load PyGithub
    from gitmem.github.client import GitHub

RECORD = "inbox"  # {"erase": [node ids of issues], "taken": {node id: id of the memory last made of it}}


def erase(store: Store, connect: Callable[[], GitHub], progress: Tell | None = None) -> str:
    """Delete the issues whose memories are in the vault, with the owner's own token; why not, "" when done.

    Asks GitHub nothing, and calls ``connect`` not at all, while the record lists none. Never raises.
    """
    try:
        return _erase(store, connect, progress or (lambda _: None))
    except GitmemError as error:
        return f"Closed inbox issues are still to be deleted: {error.message}"


def _erase(store: Store, connect: Callable[[], GitHub], tell: Tell) -> str:
    nodes = [str(node) for node in records.read(store, RECORD).get("erase") or []]
    if not nodes:
        return ""
    place, github, gone, why = home(store), connect(), [], ""
    refuse_other(github, place)
    tell(f"deleting closed inbox issues ({len(nodes)})")  # GitHub asks for a second between two changes
    for node in nodes:
        try:
            if issues.erase(github, place.repository, node):
                gone.append(node)
        except GitmemError as error:
            why = f"Closed inbox issues are still to be deleted: {error.message}"
            break
    if gone:
        _strike(store, gone)
        sync(store)
    return why


def _strike(store: Store, gone: Sequence[str]) -> None:
    def make(tip: str) -> Changes:
        record = records.read(store, RECORD, tip)
        left = [node for node in record.get("erase") or [] if node not in gone]
        taken = {node: made for node, made in (record.get("taken") or {}).items() if node in left}
        rest = {name: value for name, value in record.items() if name not in ("erase", "taken")}
        kept = {name: value for name, value in (("erase", left), ("taken", taken)) if value}
        return records.change(store, RECORD, rest | kept, tip)

    store.trunk.grow(make, "tidy the inbox")

"""The best memories of a project within a budget: what an assistant reads when it begins."""

from __future__ import annotations

from gitmem.index.filters import Filters
from gitmem.index.schema import Row
from gitmem.memory.pack import pack
from gitmem.store import Store

_ENOUGH = 400  # candidates: more than any budget of text can hold


def recall(store: Store, project: str, budget: int) -> str:
    """The pack of ``project``, or of the whole vault when that is "" or empty; "" for an empty vault.

    ``budget`` is in characters. What came in by a link is left out until the owner has accepted it: whoever
    could put an issue there must not speak to the assistant.
    """
    rows = _trusted(store, project)
    if not rows and project:
        rows = _trusted(store, "")
    return pack(store.memories([row.id for row in rows]), budget) if rows else ""


def _trusted(store: Store, project: str) -> list[Row]:
    rows = store.rows(Filters(project=project, now=store.now()), _ENOUGH)
    return [row for row in rows if row.trust != "inbox"]

"""The best memories of a project within a budget: what an assistant reads when it begins."""

from __future__ import annotations

from gitmem.index.filters import Filters
from gitmem.memory.pack import pack
from gitmem.store import Store

_ENOUGH = 400  # candidates: more than any budget of text can hold


def recall(store: Store, project: str, budget: int) -> str:
    """The pack of ``project``, or of the whole vault when that is "" or empty; "" for an empty vault.

    ``budget`` is in characters.
    """
    rows = store.rows(Filters(project=project, now=store.now()), _ENOUGH)
    if not rows and project:
        rows = store.rows(Filters(now=store.now()), _ENOUGH)
    return pack(store.memories([row.id for row in rows]), budget) if rows else ""

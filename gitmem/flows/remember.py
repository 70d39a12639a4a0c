"""Writing one memory down, and changing one: what every door does in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gitmem.memory.memory import TRUSTS, Memory
from gitmem.memory.text import derive_title
from gitmem.store import Store


class Written(NamedTuple):
    """The memory as it lies in the vault, and whether it is new there."""

    memory: Memory
    fresh: bool


def remember(
    store: Store,
    body: str,
    *,
    title: str = "",
    kind: str = "note",
    project: str = "",
    tags: Sequence[str] = (),
    importance: float | None = None,
    expires: str = "",
    share: bool = False,
    trust: str = "self",
    session: str = "",
    again: bool = False,
) -> Written:
    """Writes a memory, unless a live one says the same (``again`` insists).

    Raises:
        InvalidMemoryError: the text is empty, too long, or a field is out of bounds.
        TamperedError: the vault's history is refused; nothing is written on top of it.
    """
    memory = Memory(
        id=store.new_id(),
        created=store.now(),
        body=body.rstrip("\n"),
        title=" ".join(title.split()) or derive_title(body),
        kind=kind,
        project=project.strip(),
        tags=tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip())),
        importance=importance,
        expires=expires,
        share=share,
        trust=trust,
        session=session,
    )
    twin = None if again else store.same_text(memory)
    if twin:
        return Written(store.get(twin), fresh=False)
    store.write([memory])
    return Written(memory, fresh=True)


def revise(store: Store, before: Memory, after: Memory, trust: str) -> Memory:
    """Puts a changed memory in place of ``before`` and returns what the vault holds then.

    Its trust falls to that of whoever changed it, and never rises. Nothing changed means no new revision.

    Raises:
        InvalidMemoryError: the result is no valid memory.
    """
    least = max(before.trust, trust, key=TRUSTS.index)
    if after.title == before.title == derive_title(before.body):
        after = after._replace(title=derive_title(after.body))  # a title nobody chose follows its text
    after = after._replace(updated=before.updated, rev=before.rev, trust=before.trust)
    if after == before:
        return before
    # the mark to share is nothing that it says: what was drawn from it holds
    when = before.updated if after == before._replace(share=after.share) else store.now()
    return store.replace(after._replace(updated=when, rev=before.rev + 1, trust=least), base=before)

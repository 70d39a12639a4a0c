"""Writing one memory down, and changing one: what every door does in the same way."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gitmem.memory.memory import TRUSTS, Memory
from gitmem.memory.text import derive_title
from gitmem.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a door knows of a memory before it has an id and a time."""

    body: str
    title: str = ""
    kind: str = "note"
    project: str = ""
    tags: tuple[str, ...] = ()
    importance: float | None = None
    expires: str = ""
    share: bool = False
    trust: str = "self"
    session: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """The memory as it lies in the vault, and whether it is new there."""

    memory: Memory
    fresh: bool


def remember(store: Store, note: Note, *, again: bool = False) -> Written:
    """Writes a memory, unless a live one says the same (``again`` insists).

    Raises:
        InvalidMemoryError: the text is empty, too long, or a field is out of bounds.
        TamperedError: the vault's history is refused; nothing is written on top of it.
    """
    memory = Memory(
        id=store.new_id(),
        created=store.now(),
        body=note.body.rstrip("\n"),
        title=" ".join(note.title.split()) or derive_title(note.body),
        kind=note.kind,
        project=note.project.strip(),
        tags=tuple(dict.fromkeys(tag.strip() for tag in note.tags if tag.strip())),
        importance=note.importance,
        expires=note.expires,
        share=note.share,
        trust=note.trust,
        session=note.session,
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
        after = replace(after, title=derive_title(after.body))  # a title nobody chose follows its text
    after = replace(after, updated=before.updated, rev=before.rev, trust=before.trust)
    if after == before:
        return before
    return store.replace(replace(after, updated=store.now(), rev=before.rev + 1, trust=least), base=before)

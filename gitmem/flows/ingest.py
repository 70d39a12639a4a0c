"""Issues into memories: seal, push, see that the push arrived, and only then empty and close the issue.

Whatever is interrupted, nothing is lost and nothing comes twice: a memory's id follows from its issue's and
from what that says, and the list of issues to be deleted grows in the very commit that brings their memories.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from gitmem.errors import GitmemError, NotFoundError, RemoteError
from gitmem.flows import records
from gitmem.flows.erase import RECORD
from gitmem.flows.home import Home, home, refuse_other
from gitmem.flows.inbox import TITLE_MARK
from gitmem.flows.sync import sync
from gitmem.github import issues
from gitmem.github.issues import Issue
from gitmem.memory import letter
from gitmem.memory.ids import new_id, path_of
from gitmem.memory.memory import Memory
from gitmem.memory.text import derive_title
from gitmem.memory.times import parse_time, to_unix_ms
from gitmem.repo.trees import BLOB_MODE, Changes
from gitmem.store import Store
from gitmem.vault.inbox import Inbox

if TYPE_CHECKING:
    from gitmem.github.client import GitHub

_FOR_US = re.compile(rf"\s*{TITLE_MARK}", re.IGNORECASE)
_OWNER = "OWNER"
_LARGEST_EVENT = 16 << 20  # bytes; GitHub's are far smaller


class _Draft(NamedTuple):
    """A sealed memory that no commit has yet: its id, and its blob."""

    id: str
    blob: str


@dataclass(frozen=True, slots=True)
class Ingested:
    """What a sweep did: memories that are new in the vault, issues emptied and closed, and those left open.

    Left open is what cannot be read, what somebody else wrote, what was edited meanwhile (its new text comes
    next), and what GitHub would not close.
    """

    taken: int
    closed: int
    left: int


def ingest(store: Store, github: GitHub, number: int = 0) -> Ingested:
    """Take in every open inbox issue of the owner; safe to interrupt and to repeat.

    Args:
        store: the vault, with its remote.
        github: GitHub, with a token that may write issues.
        number: the issue that gave rise to this, 0 for none; a hint, not a limit.

    Raises:
        NotSetUpError: the vault is not on GitHub.
        TamperedError: one side's history is refused; nothing was taken or closed.
        RemoteError: GitHub or the remote cannot be reached; what was not closed stays for the next time.
    """
    sync(store)
    place = home(store)
    refuse_other(github, place)
    found = [issue for issue in issues.opened(github, place.repository, number) if _is_letter(issue)]
    box = Inbox(store.vault.identity, store.vault.id)
    drafts = {
        issue: draft
        for issue in found
        if _is_owners(issue, place) and (draft := _draft(store, issue, box)) is not None
    }
    emptied = [one.node_id for one in issues.emptied(github, place.repository) if _is_owners(one, place)]
    taken = _kept(store, drafts, emptied)
    _see_pushed(store)
    closed = sum(_close(github, place, issue) for issue in drafts)
    return Ingested(taken, closed, len(found) - closed)


def hinted(path: str) -> int:
    """The number of the issue that the event file at ``path`` is about, 0 for none.

    Nothing else of the file is looked at: what the issue says, and whose it is, GitHub is asked again.

    Raises:
        NotFoundError: the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            event = json.loads(file.read(_LARGEST_EVENT))
    except OSError as error:
        message = f"The event file cannot be read: {error.strerror}."
        raise NotFoundError(message, "Nothing was changed.") from error
    except (ValueError, RecursionError):
        return 0  # not GitHub's; the sweep finds the issue all the same
    issue = event.get("issue") if isinstance(event, dict) else None
    number = issue.get("number") if isinstance(issue, dict) else None
    return number if isinstance(number, int) and number > 0 else 0


def _is_letter(issue: Issue) -> bool:
    return _FOR_US.match(issue.title) is not None or letter.is_sealed(issue.body)


def _is_owners(issue: Issue, place: Home) -> bool:
    return bool(place.owner) and issue.author == place.owner and issue.association == _OWNER


def _draft(store: Store, issue: Issue, box: Inbox) -> _Draft | None:
    """The memory in an issue, sealed; None when it cannot be read: one bad issue stops no other."""
    try:
        if letter.is_sealed(issue.body):
            read = letter.from_sealed(box.open(letter.sealed_part(issue.body)))
        else:
            read = letter.from_plain(_FOR_US.sub("", issue.title, count=1), issue.body)
        created = parse_time(issue.created)
        memory = Memory(
            id=new_id(to_unix_ms(created), box.mark(f"{issue.node_id}\0{issue.title}\0{issue.body}")),
            created=created,
            title=read.title or derive_title(read.text),
            tags=read.tags,
            body=read.text,
            source=f"inbox:{issue.node_id}",
            trust="inbox",
        )
        return _Draft(memory.id, store.put(memory))
    except GitmemError:
        return None


def _kept(store: Store, drafts: dict[Issue, _Draft], emptied: Sequence[str]) -> int:
    """One commit with the memories that are new and the issues that are to be deleted; how many are new."""
    taken = 0

    def make(tip: str) -> Changes:
        nonlocal taken
        record = records.read(store, RECORD, tip)
        listed = [str(node) for node in record.get("erase") or []]
        former = record.get("taken") or {}
        new = [
            draft
            for issue, draft in drafts.items()
            if former.get(issue.node_id) != draft.id and not store.repo.blob(tip, path_of(draft.id))
        ]
        taken = len(new)
        nodes = list(dict.fromkeys([*listed, *(issue.node_id for issue in drafts), *emptied]))
        now = {**former, **{issue.node_id: draft.id for issue, draft in drafts.items()}}
        changes: Changes = {path_of(draft.id): (BLOB_MODE, draft.blob) for draft in new}
        if nodes:
            changes |= records.change(store, RECORD, {**record, "erase": nodes, "taken": now}, tip)
        return changes

    store.trunk.grow(make, "receive from the inbox")
    return taken


def _see_pushed(store: Store) -> None:
    """Push, and ask the remote afresh what it has: only what lies there may be taken out of an issue."""
    tip = sync(store).tip
    with store.repo.guard(store.branch):
        theirs = store.repo.remote.fetch(store.branch)
    if not theirs or not store.trunk.history.contains(theirs, tip):
        raise RemoteError(
            "The remote does not have what was pushed to it.",
            "No issue was closed; they stay open for the next run.",
        )


def _close(github: GitHub, place: Home, issue: Issue) -> bool:
    try:
        return issues.empty(github, place.repository, issue)
    except GitmemError:
        return False  # it stays open, and the next sweep, which finds its memory, closes it

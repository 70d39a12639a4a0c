"""How memories, commits and changes look as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from gitmem.doors.cli.output import Line, Piece, one_line, width
from gitmem.memory import document
from gitmem.memory.memory import Memory, short
from gitmem.memory.text import derive_title

if TYPE_CHECKING:
    from gitmem.flows.history import Change, Commit


class Listed(Protocol):
    """What a line of a list needs; rows of the index and memories both have it."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def project(self) -> str: ...
    @property
    def created(self) -> str: ...
    @property
    def trust(self) -> str: ...


def title_of(memory: Memory) -> str:
    """The title of a memory: its own, else one from its text."""
    return memory.title or derive_title(memory.body)


def entry(item: Listed, title: str) -> Line:
    """One memory on one line: short id, date, title, and dim at the end whether it came in, project, kind."""
    words = ("inbox" if item.trust == "inbox" else "", item.project, "" if item.kind == "note" else item.kind)
    about = "  ".join(word for word in words if word)
    tail = one_line(about, 24)
    room = width() - 20 - (len(tail) + 2 if tail else 0)
    line: list[Piece] = [("id", short(item.id)), "  ", ("dim", item.created[:10]), "  "]
    line.append(one_line(title, room))
    return [*line, ("dim", f"  {tail}")] if tail else line


def head(memory: Memory) -> Line:
    """The line above a memory's text: what it is, from when, and how far it can be trusted."""
    words = [short(memory.id), memory.created[:10], memory.kind, memory.project, f"trust {memory.trust}"]
    words += [f"#{tag}" for tag in memory.tags]
    return ("dim", one_line("  ".join(word for word in words if word), width()))


def whole(memory: Memory) -> str:
    """The document of a memory as text, without its padding."""
    return document.dump(memory).decode().rstrip("\n")


def commits(found: Iterable[Commit]) -> Iterator[Line]:
    """One line per commit: id, time, subject, and what is particular about it."""
    for commit in found:
        marks = [commit.anchor] if commit.anchor else []
        marks += [commit.verdict] if commit.verdict != "sealed" else []
        line: list[Piece] = [("id", commit.id[:10]), "  ", ("dim", minute(commit.time)), "  "]
        line.append(one_line(commit.subject, width() - 30 - sum(len(mark) + 2 for mark in marks)))
        yield [*line, *(("head", f"  {mark}") for mark in marks)]


def minute(when: str) -> str:
    """A time to the minute, as people read it: ``2026-11-20 07:00``; "" for ""."""
    return when[:16].replace("T", " ")


def changes(found: Sequence[Change]) -> Iterator[Line]:
    """What changed, memory by memory, as unified differences of the documents."""
    from difflib import unified_diff  # slow to import, and only these two commands need it

    for change in found:
        verb = "changed" if change.before and change.after else "added" if change.after else "removed"
        memory = change.after or change.before
        title = title_of(memory) if memory else ""
        yield ("head", f"{verb} {short(change.id)}  {one_line(title, width() - 20)}")
        old = whole(change.before).splitlines() if change.before else []
        new = whole(change.after).splitlines() if change.after else []
        for line in list(unified_diff(old, new, lineterm="", n=2))[2:]:
            style = {"+": "good", "-": "bad", "@": "dim"}.get(line[:1])
            yield (style, line) if style else line
        yield ""


def still_kept(holders: Iterable[str]) -> Iterator[Line]:
    """What in this clone still keeps the history from before a purge, and how to let go of it."""
    for name in holders:
        yield ("bad", f"Still kept here by {one_line(name, 60)}:")
        yield f"  {_let_go(name)}"


def _let_go(name: str) -> str:
    if name == "refs/stash":
        return "`git stash drop`, then `git gc --prune=now`"
    if name.startswith("refs/heads/"):
        return "rebase or delete that branch, then `git gc --prune=now`"
    if name.startswith("refs/tags/"):
        return "delete that tag, then `git gc --prune=now`"
    if name.startswith("refs/remotes/"):
        return "delete it on the remote, `git fetch --prune`, then `git gc --prune=now`"
    if name.startswith("refs/"):
        return "`git update-ref -d` it, then `git gc --prune=now`"
    return "let go of it, then `git gc --prune=now`"

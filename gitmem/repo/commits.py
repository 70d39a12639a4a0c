"""Commit objects as bytes: built for sealing, parsed without trust."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gitmem.errors import TamperedError


class Header(NamedTuple):
    """What a raw commit says of its tree and parents."""

    tree: str
    parents: tuple[str, ...]


def body(
    tree: str, parents: Sequence[str], author: str, committer: str, subject: str, trailers: Sequence[str] = ()
) -> bytes:
    """Every byte of a commit before its seal line (commit-seals.md section 2).

    Args:
        tree: its id.
        parents: their ids.
        author: ``name <email> unix-time +0000``.
        committer: the same of who makes the commit.
        subject: from a constant list.
        trailers: whole lines such as ``Gitmem-Anchor: init``.
    """
    lines = [
        f"tree {tree}",
        *(f"parent {parent}" for parent in parents),
        f"author {author}",
        f"committer {committer}",
    ]
    return ("\n".join([*lines, "", subject, "", *trailers]) + "\n").encode()


def header(raw: bytes) -> Header:
    """The tree and parents of a raw commit.

    Raises:
        TamperedError: not a commit.
    """
    lines = raw.partition(b"\n\n")[0].split(b"\n")
    if not lines[0].startswith(b"tree "):
        raise TamperedError(
            "A commit in this repository is damaged.", "Nothing was used; `git fsck` names it."
        )
    parents = []
    for line in lines[1:]:
        if not line.startswith(b"parent "):
            break
        parents.append(line[7:].decode("ascii", "replace"))
    return Header(lines[0][5:].decode("ascii", "replace"), tuple(parents))


def author_line(raw: bytes) -> str:
    """The author of a raw commit as it stands after ``author ``: name, email, time, zone."""
    return _field(raw, b"author ")


def commit_time(raw: bytes) -> int:
    """The committer's time, in seconds since 1970; 0 where it cannot be read."""
    parts = _field(raw, b"committer ").rsplit(" ", 2)
    return int(parts[1]) if len(parts) == 3 and parts[1].isdigit() else 0


def subject(raw: bytes) -> str:
    """The first line of the message. Of an unsealed commit it is a stranger's text: never print it raw."""
    return raw.partition(b"\n\n")[2].partition(b"\n")[0].decode("utf-8", "replace")


def _field(raw: bytes, name: bytes) -> str:
    for line in raw.partition(b"\n\n")[0].split(b"\n"):
        if line.startswith(name):
            return line[len(name) :].decode("utf-8", "replace")
    return ""

"""A digest to the files of a site: one page for people and assistants, and the same as plain text."""

from __future__ import annotations

from dataclasses import dataclass

from gitmem.memory.digest import Digest
from gitmem.memory.memory import short
from gitmem.memory.pack import Entry
from gitmem.memory.text import visible_line
from gitmem.site.blocks import Block, blocks
from gitmem.site.render import render

# By these a later run knows that a file in the folder is a digest's and may be replaced or removed.
MARKS = ('<meta name="generator" content="gitmem digest">', "gitmem digest (generated)")


@dataclass(frozen=True, slots=True)
class Item:
    """One memory as the templates show it."""

    anchor: str
    title: str
    date: str
    kind: str
    trust: str
    tags: tuple[str, ...]
    text: str
    body: list[Block]
    cut: bool


@dataclass(frozen=True, slots=True)
class Section:
    """The memories of one project."""

    project: str
    items: tuple[Item, ...]
    left_out: int


def build(digest: Digest) -> dict[str, bytes]:
    """The files of a site by name: ``index.html`` and ``digest.txt``, UTF-8."""
    sections = tuple(
        Section(visible_line(group.project), tuple(map(_item, group.entries)), group.left_out)
        for group in digest.groups
    )
    values = {"digest": digest, "sections": sections, "marks": MARKS}
    return {
        "index.html": render("site/index.html.jinja", **values).encode("utf-8", "replace"),
        "digest.txt": render("site/digest.txt.jinja", **values).encode("utf-8", "replace"),
    }


def is_digest(beginning: bytes) -> bool:
    """Whether a file that begins like this was made by ``build``."""
    return any(mark.encode() in beginning for mark in MARKS)


def _item(entry: Entry) -> Item:
    memory = entry.memory
    tags = tuple(filter(None, map(visible_line, memory.tags)))
    # A derived title is the first line of the text: shown once.
    text = entry.body
    first, _, rest = text.partition("\n")
    if first.strip("#* \t") == entry.title:
        text = rest.strip("\n")
    return Item(
        short(memory.id), entry.title, (memory.updated or memory.created)[:10], memory.kind, memory.trust,
        tags, text, blocks(text), entry.cut,
    )  # fmt: skip

"""A digest as the values that templates show: items, projects in pages, and an overview within a budget."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from gitmem.memory.digest import Digest, Project, day
from gitmem.memory.memory import Memory, short
from gitmem.memory.pack import entry_of
from gitmem.memory.text import shorten, visible_line
from gitmem.site.blocks import Block, Span, blocks
from gitmem.site.names import Names

WHOLE = 1 << 20  # characters: a memory's page shows all of it
_LONGEST = 1500  # characters of a memory on an overview that shows all texts
_STORY = 4000  # characters of a narrative on its project's page
_EXCERPT = 240  # the same on an overview that has no room for all texts
_TITLE, _PROJECT, _TAGS = 160, 80, 8  # characters and number of these where it is one of many
_NAMED = re.compile(r"\b([0-9A-HJKMNP-TV-Z]{6})\b")
_FRAME = 40  # characters of an entry beside its words

Links = dict[str, str]  # by a memory's id, and by its short one
Sources = tuple[tuple[str, str], ...]  # title and link of each


class Form(NamedTuple):
    """A kind of pages: how their names end, and how many characters a page and a memory on it may have."""

    ending: str
    room: int
    longest: int


@dataclass(frozen=True, slots=True)
class Item:
    """One memory as the templates show it; ``link`` leads to all of it."""

    id: str
    title: str
    date: str
    kind: str
    trust: str
    project: str
    tags: tuple[str, ...]
    text: str
    body: list[Block]
    cut: bool
    link: str
    sources: Sources = ()

    @property
    def excerpt(self) -> str:
        """Its beginning on one line."""
        return shorten(visible_line(_plain(self.body)), _EXCERPT)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a project: its number, how many there are, its items by month, and links to the others."""

    project: str
    name: str
    number: int
    of: int
    total: int
    newest: str
    narrative: Item | None
    months: tuple[tuple[str, tuple[Item, ...]], ...]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A project in a list: what is in it, and the link to its first page."""

    name: str
    count: int
    newest: str
    link: str


def item(memory: Memory, links: Links, longest: int = WHOLE, sources: Sources = ()) -> Item:
    """A memory to be shown with at most ``longest`` characters of its text.

    Short ids that consolidation wrote into a text become links to what they name: an assistant may not make
    up the address from the id.
    """
    entry = entry_of(memory, longest)
    tags = (visible_line(tag) for tag in dict.fromkeys((*memory.tags, *memory.topics)))
    # A derived title is the first line of the text: shown once.
    text = entry.body
    first, _, rest = text.partition("\n")
    if first.strip("#* \t") == entry.title:
        text = rest.strip("\n")
    body = blocks(text)
    if memory.source == "consolidation":
        body = [replace(block, lines=tuple(_linked(line, links) for line in block.lines)) for block in body]
    title, project, tagged = entry.title, visible_line(memory.project), tuple(filter(None, tags))
    if longest < WHOLE:
        title, project, tagged = shorten(title, _TITLE), shorten(project, _PROJECT), tagged[:_TAGS]
    return Item(
        short(memory.id), title, day(memory), memory.kind, memory.trust, project, tagged,
        text, body, entry.cut, links.get(memory.id, ""), sources,
    )  # fmt: skip


def paged(project: Project, names: Names, form: Form, links: Links) -> Iterator[Page]:
    """The pages of a project, newest memories first.

    ``links`` gives the link to each memory by id, and learns those of memories without a page of their own.
    """
    parts = list(_parts(project.memories, form))
    first = names.projects[project.name]
    files = [
        f"{first}{f'-p{number}' if number > 1 else ''}{form.ending}" for number in range(1, len(parts) + 1)
    ]
    for number, (file, part) in enumerate(zip(files, parts, strict=True), 1):
        for memory in part:
            links.setdefault(memory.id, names.link(file))
            links.setdefault(short(memory.id), links[memory.id])
        yield Page(
            project=visible_line(project.name),
            name=file,
            number=number,
            of=len(parts),
            total=len(project.memories),
            newest=day(project.memories[0]),
            narrative=_narrative(project.narrative, links, max(form.longest, _STORY))
            if number == 1
            else None,
            months=_months(item(memory, links, form.longest) for memory in part),
            before=names.link(files[number - 2]) if number > 1 else "",
            after=names.link(files[number]) if number < len(parts) else "",
        )


def listed(digest: Digest, names: Names, ending: str) -> list[Listed]:
    """All projects, the one with the best memory first."""
    return [
        Listed(
            shorten(visible_line(project.name), _PROJECT), len(project.memories), day(project.memories[0]),
            names.link(names.projects[project.name] + ending),
        )
        for project in digest.projects
    ]  # fmt: skip


def within(projects: list[Listed], room: int) -> list[Listed]:
    """The first of ``projects`` whose lines fit into ``room`` characters."""
    fitting_ones = []
    for project in projects:
        room -= _FRAME + len(project.name) + len(project.link)
        if room < 0:
            break
        fitting_ones.append(project)
    return fitting_ones


def told(digest: Digest, links: Links, budget: int) -> Item | None:
    """The narrative of the whole, in less than half of the budget."""
    return _narrative(digest.narrative, links, budget * 2 // 5)


def fitting(digest: Digest, links: Links, room: int) -> tuple[list[Item], bool]:
    """The best memories for an overview with ``room`` characters left, best first.

    Whether all of them fit with their texts comes too; else each is to be shown by its excerpt.
    """
    everything = _while(digest.ranked, links, room, lambda one: one.text)
    if len(everything) == len(digest.ranked):
        return everything, True
    return _while(digest.ranked, links, room, lambda one: one.excerpt), False


def _while(ranked: Iterable[Memory], links: Links, room: int, shown: Callable[[Item], str]) -> list[Item]:
    chosen: list[Item] = []
    for memory in ranked:
        one = item(memory, links, _LONGEST)
        words = (one.title, shown(one), one.link, one.project, one.kind, one.trust, *one.tags)
        room -= _FRAME + sum(map(len, words)) + 2 * one.text.count("\n")
        if room < 0:
            break
        chosen.append(one)
    return chosen


def _narrative(memory: Memory | None, links: Links, longest: int) -> Item | None:
    return item(memory, links, longest) if memory else None


def _linked(line: tuple[Span, ...], links: Links) -> tuple[Span, ...]:
    found: list[Span] = []
    for span in line:
        pieces = _NAMED.split(span.text) if span.style == "text" else [span.text]
        for piece in filter(None, pieces):
            link = links.get(piece) if span.style == "text" else None
            found.append(Span("inside", piece, link) if link else replace(span, text=piece))
    return tuple(found)


def _parts(memories: Iterable[Memory], form: Form) -> Iterator[list[Memory]]:
    part: list[Memory] = []
    left = form.room
    for memory in memories:
        cost = len(memory.title) + min(len(memory.body), form.longest) + 2 * _FRAME
        if part and cost > left:
            yield part
            part, left = [], form.room
        part.append(memory)
        left -= cost
    if part:
        yield part


def _months(items: Iterable[Item]) -> tuple[tuple[str, tuple[Item, ...]], ...]:
    found: dict[str, list[Item]] = {}
    for one in items:
        found.setdefault(one.date[:7], []).append(one)
    return tuple((month, tuple(those)) for month, those in found.items())


def _plain(body: list[Block]) -> str:
    """The words of a text in running prose: headings and code left out, items of a list set apart."""
    kept = [block for block in body if block.style not in ("heading", "code")] or body
    joints = {"ul": "; ", "ol": "; "}
    return " ".join(
        joints.get(block.style, " ").join("".join(span.text for span in line) for line in block.lines)
        for block in kept
    )

"""A digest as the files of a site: linked pages for people and assistants, or the same as text alone."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from gitmem import __version__
from gitmem.memory.digest import Digest
from gitmem.memory.memory import Memory, short
from gitmem.site.names import Names, names
from gitmem.site.pages import Form, Page, fitting, item, listed, paged, told, within
from gitmem.site.render import render, templates_dir

# By these a later run knows that a file in a folder is a digest's and may be replaced or removed.
MARKS = (
    '<meta name="generator" content="gitmem digest',
    "gitmem digest (generated)",
    '<meta name="generator" content="gitmem remember">',
)
OVERVIEW = "digest.txt"
INDEX = "llms.txt"
HOME = "index.html"
# One fetch should take in a page whole. As text a memory has no page of its own, so none is cut by much.
_HTML, _TEXT = Form(".html", 24_000, 1500), Form(".txt", 60_000, 40_000)
_SOURCES = 12  # links to where a memory was drawn from

Files = dict[str, bytes]


class Guide(NamedTuple):
    """How an assistant may offer to write back: a link's pattern, and the page for a person; "" for none."""

    writeback: str = ""
    remember: str = ""


NO_GUIDE = Guide()


def build(digest: Digest, budget: int, base: str = "", guide: Guide = NO_GUIDE) -> Files:
    """The files of a site by name, in one folder: an overview, a page per project and memory, and as text.

    Args:
        digest: what is shown.
        budget: how many characters the overview may have; without its fixed sentences it has none.
        base: the address of the folder; without one the links are relative.
        guide: how to write back.

    Raises:
        ConfigError: with this base the links would be longer than assistants fetch.
    """
    called = _names(digest, base)
    links = {one: called.link(f"{name}.html") for one, name in called.memories.items()}
    links |= {short(one): link for one, link in links.items()}
    site = _Site(digest, guide, called, links, HOME)
    files: Files = {"style.css": _style()}
    for memory in digest.published:
        whole = item(memory, links, sources=site.sources(memory))
        place = called.projects.get(memory.project)
        above = called.link(f"{place}.html") if place else ""
        files[f"{called.memories[memory.id]}.html"] = site.page("memory", item=whole, project=above)
    for page in site.projects(_HTML):
        files[page.name] = site.page("project", page=page)
    values = site.overview(budget, _HTML.ending)
    files[OVERVIEW] = site.text("digest", **values)
    files[INDEX] = site.text("llms", **values)
    files[HOME] = site.page("index", **values)
    return files


def build_text(digest: Digest, budget: int, base: str, guide: Guide = NO_GUIDE) -> Files:
    """The same as plain text, for a host that serves no pages: an overview, and all of each project.

    Raises:
        ConfigError: as :func:`build`.
    """
    called = _names(digest, base)
    links: dict[str, str] = {}
    site = _Site(digest, guide, called, links, OVERVIEW)
    files = {page.name: site.text("project", page=page) for page in site.projects(_TEXT)}
    values = site.overview(budget, _TEXT.ending)
    return {OVERVIEW: site.text("digest", **values), INDEX: site.text("llms", **values), **files}


def is_digest(beginning: bytes) -> bool:
    """Whether a file that begins like this was made here."""
    return any(mark.encode() in beginning for mark in MARKS)


def neutral() -> Files:
    """What stands above the digest's folder: two pages that say nothing and lead nowhere."""
    page = render("site/neutral.html.jinja", marks=MARKS).encode()
    return {HOME: page, "404.html": page}


def _names(digest: Digest, base: str) -> Names:
    return names((one.id for one in digest.published), (one.name for one in digest.projects), base)


def _style() -> bytes:
    with open(os.path.join(templates_dir(), "site", "style.css"), "rb") as file:
        return file.read()


class _Site:
    """What all pages of one site share."""

    def __init__(self, digest: Digest, guide: Guide, called: Names, links: dict[str, str], home: str) -> None:
        self.digest = digest
        self.names = called
        self.links = links
        self.shown = {memory.id: memory for memory in digest.published}
        self.shared = {
            "digest": digest,
            "guide": guide,
            "marks": MARKS,
            "gitmem": __version__,
            "count": len(digest.ranked),
            "home": called.link(home),
            "text": called.link(OVERVIEW),
            "index": called.link(INDEX),
        }

    def projects(self, form: Form) -> list[Page]:
        """The pages of all projects."""
        return [
            page for project in self.digest.projects for page in paged(project, self.names, form, self.links)
        ]

    def overview(self, budget: int, ending: str) -> dict[str, Any]:
        """The values of an overview whose text keeps to ``budget`` characters, if its frame leaves room."""
        every = listed(self.digest, self.names, ending)
        values: dict[str, Any] = {
            "narrative": told(self.digest, self.links, budget),
            "projects": [],
            "items": [],
            "texts": True,
            "every": every,
        }
        room = budget - len(self.text("digest", **values).decode())
        values["projects"] = within(every, room // 3)
        left = budget - len(self.text("digest", **values).decode())
        values["items"], values["texts"] = fitting(self.digest, self.links, left)
        while len(self.text("digest", **values).decode()) > budget and (
            values["items"] or values["projects"]
        ):
            (values["items"] or values["projects"]).pop()
        return values

    def sources(self, memory: Memory) -> tuple[tuple[str, str], ...]:
        """Title and link of those memories that this one was drawn from and that are shown themselves."""
        found = [self.shown[source] for source in memory.sources if source in self.shown]
        return tuple((item(one, {}, 0).title, self.links[one.id]) for one in found[:_SOURCES])

    def page(self, template: str, **values: Any) -> bytes:
        """A page in HTML."""
        return render(f"site/{template}.html.jinja", **self.shared, **values).encode("utf-8", "replace")

    def text(self, template: str, **values: Any) -> bytes:
        """A page as text."""
        return render(f"site/{template}.txt.jinja", **self.shared, **values).encode("utf-8", "replace")

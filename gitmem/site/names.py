"""What the files of a site are called, and the links to them: names that say no more than the pages do."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from gitmem.errors import ConfigError
from gitmem.memory.memory import SHORT

MAX_LINK = 250  # characters of an address that an assistant's fetch takes
NO_PROJECT = "no-project"
_SLUG = 40


@dataclass(frozen=True, slots=True)
class Names:
    """File names by memory id and by project, and where the site lies ("": links are relative)."""

    base: str
    memories: dict[str, str]
    projects: dict[str, str]

    def link(self, name: str) -> str:
        """The link to a file of the site.

        Raises:
            ConfigError: it is longer than an assistant would fetch.
        """
        link = f"{self.base}/{name}" if self.base else name
        if len(link) > MAX_LINK:
            raise ConfigError(
                f"The digest's links would pass {MAX_LINK} characters, and assistants fetch no longer ones.",
                "Nothing was published; `gitmem url --base URL` sets a shorter address.",
            )
        return link


def names(ids: Iterable[str], projects: Iterable[str], base: str) -> Names:
    """The names for these memories and projects below ``base``, alike on every run."""
    slugs = {project: _slug(project) for project in projects}
    taken = Counter(slugs.values())
    return Names(
        base.rstrip("/"),
        {memory_id: f"m-{end}" for memory_id, end in _ends(list(ids)).items()},
        {
            project: f"project-{slug if slug and taken[slug] == 1 else _digest(project)}"
            if project
            else NO_PROJECT
            for project, slug in slugs.items()
        },
    )


def _ends(ids: list[str]) -> dict[str, str]:
    """For each id the shortest end, of six characters or more, that no other one has."""
    ends: dict[str, str] = {}
    left, length = ids, SHORT
    while left:
        count = Counter(one[-length:] for one in left)
        ends |= {one: one[-length:] for one in left if count[one[-length:]] == 1}
        left, length = [one for one in left if count[one[-length:]] > 1], length + 2
    return ends


def _slug(project: str) -> str:
    words = "-".join(re.findall(r"[a-z0-9]+", project.lower()))[:_SLUG].strip("-")
    # "p2" at the end is a page's, and letters that were left out may have told two projects apart.
    return words if project.isascii() and not re.search(r"-p\d+$", words) else ""


def _digest(project: str) -> str:
    return hashlib.sha256(project.encode("utf-8", "surrogatepass")).hexdigest()[:8]

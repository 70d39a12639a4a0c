"""The inbox: links by which a phone or a chat writes back, and what the owner says to what came in."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote, urlsplit

from gitmem.errors import ConfigError, NotFoundError, NotSetUpError
from gitmem.flows import records
from gitmem.flows.home import home
from gitmem.memory.ids import path_of
from gitmem.memory.memory import Memory, short
from gitmem.repo.trees import BLOB_MODE, Changes
from gitmem.site.render import templates_dir
from gitmem.store import Store, counted
from gitmem.vault.inbox import Inbox

TITLE_MARK = "Remember:"  # what tells an issue for the inbox from any other
MAX_URL = 6000  # bytes of a built link: GitHub refuses 8,192, and a login on the way may encode it once more
PAGE = "remember.html"
_PART_ROOM = 20  # bytes for a part's number in the title
_LEAST_ROOM = 500  # bytes of text in a link, whatever the title


# Links.


def issue_pattern(repository: str, url: str) -> str:
    """The prefilled link with TITLE and TEXT to be filled in: what a digest shows to assistants.

    ``repository`` is "owner/name", ``url`` the address of GitHub. Both words must be percent-encoded.
    """
    return f"{_new(repository, url)}?title=Remember%3A%20TITLE&body=TEXT"


def issue_link(repository: str, url: str, title: str, text: str, tags: Sequence[str] = ()) -> tuple[str, ...]:
    """Links that open a prefilled issue, each at most 6,000 bytes; several, numbered, for a long text.

    Whoever follows one still has to press the button. The text travels in clear.

    Raises:
        ConfigError: there is neither title nor text, or the address leaves no room.
    """
    footer = "".join(f" #{'-'.join(tag.split())}" for tag in tags if tag.strip())
    footer = f"\n\n{footer.strip()}" if footer else ""
    head = f"{_new(repository, url)}?title={quote(f'{TITLE_MARK} {_shortened(title)}'.strip(), safe='')}"
    room = MAX_URL - len(head) - len("&body=") - len(quote(footer, safe="")) - _PART_ROOM
    if room < _LEAST_ROOM or not (title.strip() or text.strip()):
        raise ConfigError("A link needs a text, and room for it beside its address, title and tags.")
    parts = _parts(text.strip(), room)
    return tuple(
        f"{head}{quote(f' ({at}/{len(parts)})', safe='') if len(parts) > 1 else ''}"
        f"&body={quote(part + footer, safe='')}"
        for at, part in enumerate(parts, 1)
    )


def _new(repository: str, url: str) -> str:
    return f"{url.rstrip('/')}/{repository}/issues/new"


def _shortened(title: str) -> str:
    flat = " ".join(title.split())
    while len(quote(flat, safe="")) > 600:
        flat = flat[:-1]
    return flat


def _parts(text: str, room: int) -> list[str]:
    """``text`` in pieces of at most ``room`` bytes once encoded, cut at a paragraph, line or word."""
    parts: list[str] = []
    while True:
        used = at = 0
        while at < len(text) and (used := used + len(quote(text[at], safe="", errors="replace"))) <= room:
            at += 1
        if at >= len(text):
            return [*parts, text]
        found = (text.rfind(mark, at // 2, at) + len(mark) for mark in ("\n\n", "\n", "。", ". ", " "))
        cut = next((place for place in found if place > at // 2), at)
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip()


# The page.


def address(store: Store) -> str:
    """Which repository and which public key the page writes to, as it stands behind ``#`` in its link.

    Raises:
        NotSetUpError: the vault is not on GitHub.
    """
    place = home(store)
    host = urlsplit(place.url).netloc
    where = place.repository if host in ("", "github.com") else f"{host}/{place.repository}"
    return f"{where}&{Inbox(store.vault.identity, store.vault.id).recipient}"


def page_link(store: Store, page: str = "") -> str:
    """The link to the page at ``page``, else to the one that the digest's site carries.

    Raises:
        NotSetUpError: there is no such site, or the vault is not on GitHub.
    """
    base = page or str(records.read(store, "site").get("base") or "")
    if not base:
        raise NotSetUpError(
            "No site of this vault carries the page.",
            "`gitmem inbox page FILE` writes it to a file; `gitmem inbox link URL` makes the link to a copy.",
        )
    return f"{base if page else base.rstrip('/') + '/' + PAGE}#{address(store)}"


def page(store: Store | None = None) -> bytes:
    """The page itself: for any vault, or with the address of ``store`` in it, which no link then changes.

    Raises:
        NotSetUpError: the vault is not on GitHub.
    """
    with open(os.path.join(templates_dir(), "site", PAGE), encoding="utf-8") as file:
        text = file.read()
    if store is not None:
        text = text.replace('data-inbox=""', f'data-inbox="{html.escape(address(store))}"', 1)
    return text.encode()


# What came in.


def accept(store: Store, ids: Sequence[str], trust: str) -> list[Memory]:
    """Memories of the inbox, vouched for by who has looked at them; what they are then, in one commit.

    ``source`` stays, so that one can still see where each came from. ``trust`` is that of whoever accepts.

    Raises:
        NotFoundError: one of them is not in the inbox; nothing is changed.
    """
    accepted: list[Memory] = []

    def make(tip: str) -> Changes:
        accepted[:] = [
            replace(memory, trust=trust, updated=store.now(), rev=memory.rev + 1)
            for memory in _waiting(store, ids, tip)
        ]
        return {path_of(memory.id): (BLOB_MODE, store.put(memory)) for memory in accepted}

    store.trunk.grow(make, counted("accept", len(ids)))
    return accepted


def reject(store: Store, ids: Sequence[str]) -> str:
    """Take memories out of the inbox and the vault; the commit's id. The history keeps them.

    Raises:
        NotFoundError: one of them is not in the inbox; nothing is removed.
    """
    return store.trunk.grow(
        lambda tip: {path_of(memory.id): None for memory in _waiting(store, ids, tip)},
        counted("reject", len(ids)),
    )


def _waiting(store: Store, ids: Sequence[str], tip: str) -> list[Memory]:
    found = [store.get(memory_id, tip) for memory_id in ids]
    for memory in found:
        if memory.trust != "inbox":
            raise NotFoundError(
                f"Memory {short(memory.id)} is not in the inbox.",
                "Nothing was changed; `gitmem inbox` shows what is.",
            )
    return found

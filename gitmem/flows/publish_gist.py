"""The digest in a secret gist. Its revisions stay readable, so what was taken away takes the gist with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitmem.errors import ConfigError, NotFoundError, TamperedError
from gitmem.flows import share, sync
from gitmem.flows import site as sites
from gitmem.flows.publish import Published, guide, prepare
from gitmem.flows.site import Gist, Site
from gitmem.github import gists
from gitmem.memory.digest import Digest, select
from gitmem.memory.memory import Memory
from gitmem.memory.sharing import drawn, outdated, publishable
from gitmem.memory.text import fingerprint
from gitmem.site.build import OVERVIEW, build_text
from gitmem.store import Store
from gitmem.vault.capability import NEVER

if TYPE_CHECKING:  # PyGithub takes its time, and is not needed to talk about it
    from gitmem.github.client import GitHub

_WAITING = "This page is being made. Ask again in a minute.\n"


def publish(store: Store, github: GitHub, budget: int, *, fresh: bool = False) -> Published:
    """Bring the gist up to the digest of this moment.

    Nothing is sent when it holds that already. The gist is replaced by a new one, at a new address, when any
    text in it may no longer be read (unshared, forgotten, expired, edited), and when ``fresh`` asks for it.

    Raises:
        InvalidMemoryError: something in the digest looks like a secret; nothing is sent.
        GitmemError: GitHub cannot be reached, or says no.
    """
    if store.remote:
        sync.sync(store)  # another device may have made a gist meanwhile
    digest = prepare(store)
    before = sites.read(store)
    site = replace(before, host="gist", window=NEVER, base="" if before.host == "pages" else before.base)
    former = site.gist
    if former.id and (fresh or taken_away(store, former, digest)):
        gists.delete(github, former.id)
        site = replace(site, gist=Gist())
    files = 0
    if site.gist.version != digest.version:
        site, files = _sent(store, github, site, digest, budget)
    sites.keep(store, site)
    replaced = bool(former.id) and former.id != site.gist.id
    return Published("gist", len(digest.ranked), files, replaced=replaced)


def taken_away(store: Store, former: Gist, digest: Digest) -> bool:
    """Whether the gist holds text that may no longer be read, in its files or revisions.

    What it held is computed from the commit that it was made of. A consolidated memory that was rewritten
    says nothing but what its sources say; while these are shared, and as they were, its old text may stay.
    """
    if not former.commit:
        return True
    try:
        before = select(store.memories(at=former.commit), share.rules(store, former.commit), former.time)
    except (NotFoundError, TamperedError):  # purged, or sealed with a former key: nothing can be said of it
        return True
    everything = list(store.memories())
    may = publishable(everything, share.rules(store), digest.time)
    now = {memory.id: memory for memory in everything}

    def stands(memory: Memory) -> bool:
        today = now.get(memory.id)
        if today is not None and may(today) and _said(today) == _said(memory):
            return True
        if memory.source != "consolidation" or not memory.sources:
            return False
        sources = [now.get(source) for source in drawn(memory)]
        return all(one is not None and may(one) and not outdated(memory, one) for one in sources)

    return not all(map(stands, before.published))


def _said(memory: Memory) -> tuple[bytes, tuple[str, ...]]:
    return fingerprint(memory), (*memory.tags, *memory.topics)


def _sent(store: Store, github: GitHub, site: Site, digest: Digest, budget: int) -> tuple[Site, int]:
    """The gist filled with the digest, made first if there is none; the record, and how many files it has."""
    if not site.gist.id:
        # Links need the address, which only GitHub knows: an empty gist, noted before anything is in it.
        made = gists.create(github, {OVERVIEW: _WAITING})
        site = replace(site, gist=Gist(made.id, made.base))
        sites.keep(store, site)
    files = build_text(digest, budget, site.gist.base, guide(store, site))
    if len(files) > gists.MAX_FILES:
        raise ConfigError(
            f"A gist holds {gists.MAX_FILES} files, and this digest has {len(files)}.",
            "Nothing was published; share less, or `gitmem publish --to pages` or `--to dir`.",
        )
    # Noted first: if the answer is lost, the next run must still know what may lie there.
    site = replace(site, gist=replace(site.gist, commit=store.tip(), time=digest.time, version=""))
    sites.keep(store, site)
    try:
        gists.replace(github, site.gist.id, {name: data.decode() for name, data in files.items()})
    except NotFoundError:  # somebody deleted it
        return _sent(store, github, replace(site, gist=Gist()), digest, budget)
    return replace(site, gist=replace(site.gist, version=digest.version)), len(files)

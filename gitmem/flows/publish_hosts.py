"""The four places where a digest can be published, behind one verb; leaving one takes it down there."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from gitmem.errors import ConfigError, GitmemError, NotSetUpError, RemoteError
from gitmem.flows import publish_command, publish_gist, publish_pages
from gitmem.flows import site as sites
from gitmem.flows.publish import Published, prepare, publish_site
from gitmem.flows.publish_folder import clear
from gitmem.flows.site import Gist, Site
from gitmem.github import gists
from gitmem.store import Store
from gitmem.vault.capability import NEVER

if TYPE_CHECKING:  # PyGithub takes its time, and is not needed to talk about it
    from gitmem.github.client import GitHub

_SEEN = "So can the maker of an assistant that fetches it: Anthropic, for Claude."
READERS = {
    "": ("Nobody yet: the digest is published nowhere. `gitmem publish --help` shows the ways.",),
    "pages": (
        "Anybody who has the address: the site is on the public internet, its repository is not.",
        "GitHub can read it, and logs who asks for it.",
        _SEEN,
    ),
    "gist": (
        "Anybody who has the address, earlier revisions of the gist included.",
        "GitHub can read it.",
        _SEEN,
    ),
    "dir": ("Whoever can open the folder, or has the address under which it is served.", _SEEN),
    "command": ("Whoever has the address where your command puts it, and that host.", _SEEN),
}


class Outside(NamedTuple):
    """What lies outside of the vault: GitHub, made when it is needed, and a command's environment."""

    github: Callable[[], GitHub]
    env: Mapping[str, str]


def publish_to(
    store: Store, host: str, target: str, budget: int, outside: Outside, *, fresh: bool = False
) -> Published:
    """Publish the digest at ``host`` and remember it; "" is the host in use, and so for ``target``.

    Args:
        store: the vault.
        host: ``pages``, ``gist``, ``dir`` or ``command``.
        target: the folder or the command, where the host needs one.
        budget: characters of the overview.
        outside: GitHub and the environment.
        fresh: replace a gist even if nothing was taken away from it.

    Raises:
        NotSetUpError: no host was ever named, or no folder or command on this machine.
        InvalidMemoryError: something in the digest looks like a secret; nothing was changed.
        GitmemError: the host cannot be reached or refuses.
    """
    before, place = sites.read(store), sites.place(store)
    host = host or before.host
    if not host:
        raise NotSetUpError(
            "The digest is published nowhere yet.",
            "`gitmem publish --to pages`, `gist`, `dir DIR` or `command COMMAND` begins.",
        )
    target = _target(store, before, host, target)
    done = _published(store, before, host, target, budget, outside, fresh)
    sites.keep_place(store, target)
    # The former place comes last: had the new one refused, the digest would be nowhere.
    if before.host != host or (host == "dir" and target != place):
        _take_down(store, before, place, outside)
    return done


def leave(store: Store, outside: Outside) -> int:
    """Take the digest down where it is published, and note that it is off; how many files were removed here.

    Raises:
        GitmemError: the host cannot be reached or refuses; it stays on.
    """
    before = sites.read(store)
    removed = _take_down(store, before, sites.place(store), outside)
    base = "" if before.host == "pages" else before.base
    sites.keep(store, replace(before, host="", base=base, gist=Gist()))
    sites.keep_place(store, "")
    return removed


def move(store: Store, site: Site, budget: int, outside: Outside) -> None:
    """Keep the changed record ``site``, and publish again so that the old address leads nowhere.

    Raises:
        ConfigError: a gist's address follows no window.
        RemoteError: the record is kept, but publishing failed.
    """
    before = sites.read(store)
    if site.host == "gist" and site.window != NEVER:
        raise ConfigError(
            "GitHub chooses a gist's address, so it cannot follow the calendar.",
            "Nothing was changed; `gitmem url --rotate` makes a new one whenever you like.",
        )
    sites.keep(store, site)
    if not site.host or site == before:
        return
    try:
        publish_to(store, "", "", budget, outside, fresh=site.rotation != before.rotation)
    except GitmemError as error:
        raise RemoteError(
            f"The address was changed, but the former one is still up: {error.message}",
            f"{error.hint} Then `gitmem publish`; `gitmem publish --off` takes everything down.".strip(),
        ) from error


def _published(
    store: Store, before: Site, host: str, target: str, budget: int, outside: Outside, fresh: bool
) -> Published:
    if host == "gist":
        return publish_gist.publish(store, outside.github(), budget, fresh=fresh)
    digest = prepare(store)
    if host == "pages":
        try:
            publish_pages.turn_on(store, outside.github())
        except GitmemError:
            sites.keep(store, before)
            raise
        return Published(host, len(digest.ranked), 0)
    site = replace(before, host=host, base="" if before.host == "pages" else before.base)
    if host == "dir":
        done = publish_site(store, site, digest, target, budget)
    else:
        done = publish_command.publish(store, site, digest, target, budget, outside.env)
    sites.keep(store, site)
    return done


def _take_down(store: Store, before: Site, place: str, outside: Outside) -> int:
    """Remove the digest from the place that ``before`` names; how many files of this machine went with it."""
    if before.host == "gist" and before.gist.id:
        gists.delete(outside.github(), before.gist.id)
        sites.keep(store, replace(sites.read(store), gist=Gist()))
    elif before.host == "pages":
        publish_pages.turn_off(outside.github(), publish_pages.repository(store))
    elif before.host == "dir" and place:
        return clear(place)
    return 0


def _target(store: Store, before: Site, host: str, given: str) -> str:
    if host not in ("dir", "command"):
        return ""
    target = given or (sites.place(store) if before.host == host else "")
    if not target:
        raise NotSetUpError(
            f"No {'folder' if host == 'dir' else 'command'} was named for the digest on this machine.",
            f"`gitmem publish --to {host} {'DIR' if host == 'dir' else 'COMMAND'}` names it.",
        )
    if host == "command":
        publish_command.split(target)
        return target
    return os.path.abspath(os.path.expanduser(target))

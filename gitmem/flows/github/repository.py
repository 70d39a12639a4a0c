"""The vault's repository on GitHub: made, or adopted where it is private and empty or the vault's own."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gitmem.errors import ConfigError, NotFoundError, Refused, RemoteError
from gitmem.vault.description import VAULT_FILE, labels

if TYPE_CHECKING:  # PyGithub takes its time, and is not needed to talk about it
    from gitmem.github.client import GitHub

Seen = Mapping[str, Any]  # a repository as GitHub describes it
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/(?!\.\.?$)[A-Za-z0-9._-]{1,100}")
_OTHER_NAME = "Nothing was changed; choose another name."
EMPTY, FOREIGN = "", "foreign"

# What a vault's repository is: merges that keep seals, an inbox, and nothing that nobody needs.
WANTED = {
    "allow_squash_merge": False,
    "allow_rebase_merge": False,
    "allow_merge_commit": True,
    "has_issues": True,
}
_SPARE = {"has_wiki": False, "has_projects": False}


def parsed(text: str, url: str) -> str:
    """Owner and name, as "ada/memory", from what was typed: that, or the address on the GitHub at ``url``.

    Raises:
        ConfigError: it is neither.
    """
    name = text.strip().removeprefix(f"{url}/").removesuffix("/").removesuffix(".git")
    if not _NAME.fullmatch(name):
        raise ConfigError(
            "A repository on GitHub is named OWNER/NAME.",
            "For example `gitmem init --github ada/memory`; the setting github.url names another GitHub.",
        )
    return name


def address(url: str, name: str) -> str:
    """The repository's address for git."""
    return f"{url}/{name}.git"


def is_at(remote: str, url: str, name: str) -> bool:
    """Whether a git remote is that repository, be it reached by https or by ssh."""
    host = re.escape(urlsplit(url).hostname or "")
    ways = rf"{re.escape(url)}/|ssh://(?:\w+@)?{host}(?::\d+)?/|(?:\w+@)?{host}:"
    return bool(re.fullmatch(rf"(?:{ways}){re.escape(name)}(?:\.git)?/?", remote, re.IGNORECASE))


def look(hub: GitHub, name: str) -> Seen | None:
    """The repository as it is now, None where there is none that the token may see."""
    try:
        found: Seen = hub.call("GET", f"/repos/{name}")
    except NotFoundError:
        return None
    return found


def require_private(found: Seen | None, name: str) -> Seen:
    """``found``, unless anybody but the owner's own people can read it; what is not known counts as public.

    Raises:
        ConfigError: it is public or internal, or not there.
    """
    if found is None or found.get("private") is not True or found.get("visibility", "private") != "private":
        raise ConfigError(
            f"The repository {name} is not private.",
            "Nothing was sent there. A vault goes into a private one: change it in its settings on GitHub "
            "under Danger Zone, or choose another name.",
        )
    return found


def examine(hub: GitHub, name: str, vault_id: str, *, cloned: bool) -> Seen | None:
    """The repository as it is now, if the vault ``vault_id`` ("" for none yet) may go there; None for none.

    ``cloned``: the folder of the vault is a clone of that repository, so its content is wanted.

    Raises:
        ConfigError: it is not private, not the token's to administer, or holds something else.
    """
    found = look(hub, name)
    if found is None:
        return None
    require_private(found, name)
    if not found.get("permissions", {}).get("admin") or found.get("archived"):
        raise ConfigError(
            f"The repository {name} is archived, or this token may not administer it.",
            f"{_OTHER_NAME} Or use the account that it belongs to.",
        )
    _require_fit(_content(hub, found), name, vault_id, cloned=cloned)
    return found


def make(hub: GitHub, name: str, login: str) -> Seen:
    """Make the private repository; that GitHub's answer was lost is no matter.

    Raises:
        ConfigError: the name is taken.
        RemoteError: GitHub refuses.
    """
    owner, _, short = name.partition("/")
    path = "/user/repos" if owner.lower() == login.lower() else f"/orgs/{owner}/repos"
    body = {"name": short, "private": True, **WANTED, **_SPARE}
    try:
        made: Seen = hub.call("POST", path, body)
    except NotFoundError as error:
        raise RemoteError(
            f"GitHub does not let this token make repositories for {owner}.",
            "Nothing was changed. Make a private, empty one there by hand and run this again; a token needs "
            "the scope `repo`, or the permission Administration for all repositories.",
        ) from error
    except Refused as error:
        found = look(hub, name) if error.status == 422 else None  # made just now, and its answer was lost
        if found is not None:
            return found
        if error.status == 422 and "exists" in error.reason:
            raise ConfigError(
                f"The name {name} is taken on GitHub, and this token may not see the repository.", _OTHER_NAME
            ) from error
        raise
    return made


def _content(hub: GitHub, found: Seen) -> str:
    """What the repository holds: EMPTY, the id of a vault, or FOREIGN."""
    place = f"/repos/{found['full_name']}"
    try:
        hub.call("GET", f"{place}/git/ref/heads/{found['default_branch']}")
    except NotFoundError:
        return FOREIGN
    except Refused as error:
        if error.status == 409:  # "Git Repository is empty."
            return EMPTY
        raise
    try:
        file = hub.call("GET", f"{place}/contents/{VAULT_FILE}")
        return labels(base64.b64decode(file["content"]))[0]
    except (NotFoundError, ConfigError):
        return FOREIGN


def _require_fit(holds: str, name: str, vault_id: str, *, cloned: bool) -> None:
    if holds in (EMPTY, vault_id) or (holds == FOREIGN and cloned):
        return
    if holds != FOREIGN:
        raise ConfigError(
            f"The repository {name} holds a vault already, and not the one in this folder.",
            "Nothing was changed; `gitmem join` brings it here with a code from `gitmem invite`.",
        )
    raise ConfigError(
        f"The repository {name} exists already and holds something else.",
        f"{_OTHER_NAME} Or clone it and run this in the clone.",
    )


def unlike(found: Seen) -> dict[str, bool]:
    """The settings of the repository that are not as they should be, with their right values."""
    return {name: value for name, value in WANTED.items() if found.get(name, value) is not value}


def others(hub: GitHub, name: str, login: str) -> list[str]:
    """Who else may push there: whoever can change workflow files can read what Actions hold."""
    rows = hub.every(f"/repos/{name}/collaborators")
    return [str(row["login"]) for row in rows if row["login"].lower() != login.lower() and _may_push(row)]


def _may_push(row: Mapping[str, Any]) -> bool:
    rights = row.get("permissions", {})
    return bool(rights.get("push") or rights.get("maintain") or rights.get("admin"))

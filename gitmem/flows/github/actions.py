"""What GitHub Actions may do in a vault's repository, and the two secrets that it holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gitmem.errors import ConfigError, NotFoundError
from gitmem.flows.github.repository import address, is_at, look, require_private
from gitmem.store import Store
from gitmem.vault.joincode import JoinCode, encode

if TYPE_CHECKING:  # PyGithub takes its time, and is not needed to talk about it
    from gitmem.github.client import GitHub

JOIN, API_KEY = "GITMEM_JOIN", "ANTHROPIC_API_KEY"

# Only GitHub's own actions, named by commit; a token that reads unless a job asks for more.
_RULES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("", {"enabled": True, "allowed_actions": "selected", "sha_pinning_required": True}),
    ("/selected-actions", {"github_owned_allowed": True, "verified_allowed": False, "patterns_allowed": []}),
    ("/workflow", {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": False}),
)


def _place(name: str) -> str:
    return f"/repos/{name}/actions"


def restrict(hub: GitHub, name: str) -> None:
    """Let only GitHub's own, pinned actions run, with a token that can read.

    Raises:
        GitmemError: GitHub refuses.
    """
    for path, wanted in _RULES:
        hub.call("PUT", f"{_place(name)}/permissions{path}", wanted)


def lax(hub: GitHub, name: str) -> Iterator[str]:
    """In which ways Actions may do more than they need, in words."""
    words = {
        "enabled": "Actions are switched off",
        "allowed_actions": "anybody's actions may run",
        "sha_pinning_required": "actions need not be pinned by commit",
        "default_workflow_permissions": "jobs may write by default",
        "can_approve_pull_request_reviews": "jobs may approve pull requests",
    }
    for path, wanted in (_RULES[0], _RULES[2]):
        found = hub.call("GET", f"{_place(name)}/permissions{path}")
        for field, value in wanted.items():
            if found.get(field, value) != value:
                yield words[field]


def code_for(store: Store, url: str, name: str) -> str:
    """The join code that jobs get: the key, and the tip that the remote holds now as its floor.

    Its remote is the https address, whatever way this device pushes: jobs come in by their own token.
    """
    return encode(
        JoinCode(
            remote=address(url, name),
            branch=store.branch.removeprefix("refs/heads/"),
            vault_id=store.vault.id,
            identity_text=store.vault.identity.text,
            floor=store.trunk.remembered,
        )
    )


def give_key(hub: GitHub, store: Store, name: str) -> None:
    """Store the vault's key as an Actions secret of a private repository, in place of what was there.

    Only of the repository that this device pushes to: the record that names one may have been written by
    whoever had the key before.

    Raises:
        ConfigError: the repository is not private, or not the vault's.
        GitmemError: GitHub refuses.
    """
    if not is_at(store.repo.remote.shown, hub.url, name):
        raise ConfigError(
            f"The vault's remote is not at {name}, so no key was sent there.",
            "`gitmem init --github OWNER/NAME` connects the vault with the repository that it is in.",
        )
    require_private(look(hub, name), name)
    hub.secret(name, JOIN, code_for(store, hub.url, name))


def secrets(hub: GitHub, name: str) -> dict[str, str]:
    """The names of the repository's secrets, each with the time when it was last set."""
    rows = hub.every(f"{_place(name)}/secrets", "secrets")
    return {row["name"]: row["updated_at"] for row in rows}


def has_pages(hub: GitHub, name: str) -> bool:
    """Whether the repository has a Pages site."""
    try:
        hub.call("GET", f"/repos/{name}/pages")
    except NotFoundError:
        return False
    return True

"""The composition root of what lies outside: GitHub and Claude, with the credentials of this environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gitmem import config, programs
from gitmem.errors import RemoteError

if TYPE_CHECKING:
    from gitmem.github.client import GitHub


def github_url() -> str:
    """The GitHub of this environment: the runner's own in Actions, else the setting github.url."""
    own = os.environ.get("GITHUB_SERVER_URL", "") if os.environ.get("GITHUB_ACTIONS") == "true" else ""
    return own or str(config.get("github.url"))


def given_token(url: str = "") -> str:
    """The token that the environment holds for GitHub at ``url``; "" when there is none.

    As for `gh`, a server of one's own has variables of its own, which come first.
    """
    names = ["GH_TOKEN", "GITHUB_TOKEN"]
    if urlsplit(url or github_url()).hostname != "github.com":
        names = ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", *names]
    return next(filter(None, (os.environ.get(name, "").strip() for name in names)), "")


def github_token(url: str = "") -> str:
    """A token for GitHub at ``url``: from the environment, else what `gh` has; "" when there is none."""
    url = url or github_url()
    return given_token(url) or _gh_token(urlsplit(url).netloc)


def _gh_token(host: str) -> str:
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GITMEM_", "ANTHROPIC_")) and "API_KEY" not in name
    }
    ended = programs.call(["gh", "auth", "token", "--hostname", host], env, seconds=10)
    return ended.out.strip() if ended.code == 0 else ""


def github(url: str = "") -> GitHub:
    """GitHub at ``url`` (else the one of this environment), with the token of this environment.

    Raises:
        RemoteError: there is no token.
        ConfigError: the address is not one to send a token to.
    """
    from gitmem.github.client import GitHub

    url = url or github_url()
    token = github_token(url)
    if not token:
        raise RemoteError(
            "There is no token for GitHub here.",
            "`gh auth login` gets one, or set GH_TOKEN; without one use a plain git remote: "
            "`gitmem init --remote URL`.",
        )
    return GitHub(token, url)

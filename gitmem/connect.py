"""The composition root of what lies outside: GitHub and Claude, with the credentials of this environment."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from gitmem import config, programs


def github_token(url: str = "") -> str:
    """A token for GitHub at ``url`` (the setting github.url): GH_TOKEN, GITHUB_TOKEN, else what `gh` has.

    "" when there is none.
    """
    given = os.environ.get("GH_TOKEN") or os.environ.get("GITHUB_TOKEN")
    if given:
        return given
    host = urlsplit(url or str(config.get("github.url"))).netloc
    ended = programs.call(["gh", "auth", "token", "--hostname", host], os.environ, seconds=10)
    return ended.out.strip() if ended.code == 0 else ""

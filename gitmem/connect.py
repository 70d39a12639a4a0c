"""The composition root of what lies outside: remotes, GitHub, Claude, with this environment's credentials."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gitmem import config, programs
from gitmem.errors import ConfigError, RemoteError

if TYPE_CHECKING:
    from gitmem.claude.client import Claude
    from gitmem.flows.consolidate.model import ClaudeEngine
    from gitmem.github.client import GitHub
    from gitmem.repo.remote import Access
    from gitmem.vault.joincode import JoinCode

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


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


def git_access(remote: str, token: str = "") -> Access:
    """How git is let into a remote: by ``token``; into GitHub, and nowhere else, by one of this environment.

    What `gh` has is asked for only after git was refused, so that git's own credentials come before it.
    """

    def look(refused: bool) -> Mapping[str, str]:
        from gitmem.flows.join import access

        if token and not refused:
            return access(token, remote)
        url = github_url()
        secure = urlsplit(url).scheme == "https" or urlsplit(url).hostname in _LOOPBACK
        if not (secure and remote.startswith(f"{url}/")):
            return {}
        return access(_gh_token(urlsplit(url).netloc) if refused else given_token(url), remote)

    return look


def clone(code: JoinCode) -> str:
    """The path of the vault of a join code, which is cloned on first use.

    Several commands may start at once in a fresh container: one clones, the others wait for it.

    Raises:
        RemoteError: the remote cannot be reached or refuses.
        TamperedError: what came is refused.
    """
    from gitmem.flows import join

    with config.hold(f"join-{code.vault_id}"):
        known = config.vaults()
        if code.vault_id in known:
            return known[code.vault_id]
        place = os.path.join(config.data_dir(), "vaults", code.vault_id)
        if not os.path.isdir(place):
            way = git_access(code.remote, code.token)
            join.join(code, place, config.state_dir(), sparse=True, way=way)
        config.remember(code.vault_id, place)
        return place


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


def has_model() -> bool:
    """Whether this environment has credentials for Claude; looks at names only, and loads nothing.

    They are what Anthropic's SDK takes: an API key, a token, a workload identity, or a profile.
    """
    given = (
        os.environ.get("ANTHROPIC_API_KEY", "").strip()
        or os.environ.get("ANTHROPIC_AUTH_TOKEN")
        or os.environ.get("ANTHROPIC_PROFILE")
        or os.environ.get("ANTHROPIC_FEDERATION_RULE_ID")
    )
    home = os.path.expanduser("~")
    usual = (
        os.path.join(os.environ.get("APPDATA") or home, "Anthropic")
        if sys.platform == "win32"
        else os.path.join(home, ".config", "anthropic")
    )
    folder = os.environ.get("ANTHROPIC_CONFIG_DIR") or usual
    profiles = ("active_config", os.path.join("configs", "default.json"))
    return bool(given) or any(os.path.exists(os.path.join(folder, name)) for name in profiles)


def model(max_cost: str = "") -> Claude:
    """Claude with the credentials of this environment: the model of the settings, within a budget.

    ``max_cost`` is for this run: US dollars such as ``0.50``, or ``200000 tokens``; "" for the setting.

    Raises:
        ModelError: there are no credentials.
        ConfigError: the budget cannot be kept, or notes would travel in clear.
    """
    from gitmem.claude import failures
    from gitmem.claude.client import Claude
    from gitmem.claude.prices import Budget

    name = str(config.get("consolidate.model"))
    budget = Budget.of(name, max_cost, str(config.get("consolidate.budget")))
    if not has_model():
        raise failures.no_key()
    base = urlsplit(os.environ.get("ANTHROPIC_BASE_URL") or "https://api.anthropic.com")
    if base.scheme != "https" and base.hostname not in _LOOPBACK:
        raise ConfigError(
            "ANTHROPIC_BASE_URL must begin with https://, or your memories would travel in clear.",
            "Nothing was sent.",
        )
    return Claude(name, budget, os.environ.get("ANTHROPIC_API_KEY", "").strip())


def claude(today: str, max_cost: str = "") -> ClaudeEngine:
    """Claude as the engine of a consolidation on the day ``today``; else as :func:`model`."""
    from gitmem.flows.consolidate.model import ClaudeEngine
    from gitmem.site.render import templates_dir

    return ClaudeEngine(model(max_cost), today, templates_dir())

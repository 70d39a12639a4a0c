"""The digest on GitHub Pages of the vault's private repository; the workflow there builds and deploys it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitmem.errors import ConfigError, NotFoundError, NotSetUpError, Refused, RemoteError
from gitmem.flows import records, sync
from gitmem.flows import site as sites
from gitmem.store import Store

if TYPE_CHECKING:  # PyGithub takes its time, and is not needed to talk about it
    from gitmem.github.client import GitHub

WORKFLOW = "publish.yml"


def repository(store: Store) -> str:
    """The vault's repository on GitHub, "owner/name".

    Raises:
        NotSetUpError: the vault has none.
    """
    name = str(records.read(store, "github").get("repository") or "")
    if not name:
        raise NotSetUpError(
            "This vault is not connected with a repository on GitHub.",
            "`gitmem init --github OWNER/NAME` connects it; `gitmem publish --to dir DIR` needs none.",
        )
    return name


def enable(github: GitHub, name: str) -> str:
    """Turn Pages on for a private repository, to be deployed by its workflow; the site's address.

    Raises:
        ConfigError: the repository is public: what is built there can be read by anybody.
        RemoteError: the plan has no Pages for private repositories, or GitHub says no otherwise.
    """
    if not github.call("GET", f"/repos/{name}").get("private"):
        raise ConfigError(
            "The repository is public, and a digest built there can be read by anybody.",
            "Nothing was published; make the repository private first.",
        )
    try:
        github.call("POST", f"/repos/{name}/pages", {"build_type": "workflow"})
    except Refused as refused:
        if refused.status == 422:
            raise RemoteError(
                "Your GitHub plan has no Pages for private repositories.",
                "Nothing was published; `gitmem publish --to gist` uses a secret gist instead, on any plan.",
            ) from None
        if refused.status != 409:  # 409: it is on already
            raise
    pages = github.call("GET", f"/repos/{name}/pages")
    if pages.get("build_type") != "workflow":
        github.call("PUT", f"/repos/{name}/pages", {"build_type": "workflow"})
    return sites.checked_base(str(pages.get("html_url") or ""))


def turn_on(store: Store, github: GitHub) -> None:
    """Enable Pages, note it in the vault, push, and have the digest built.

    Raises:
        GitmemError: as :func:`enable`, and then nothing is noted; or as :func:`build`.
    """
    base = enable(github, repository(store))
    sites.keep(store, replace(sites.read(store), host="pages", base=base))
    build(store, github)


def build(store: Store, github: GitHub) -> None:
    """Push what the digest is made of, and start the workflow that builds and deploys it.

    Raises:
        NotSetUpError: the repository has no such workflow.
        GitmemError: the remote or GitHub cannot be reached, or says no.
    """
    name = repository(store)
    sync.sync(store)
    branch = store.branch.removeprefix("refs/heads/")
    try:
        github.call("POST", f"/repos/{name}/actions/workflows/{WORKFLOW}/dispatches", {"ref": branch})
    except NotFoundError:
        raise NotSetUpError(
            f"The repository has no workflow {WORKFLOW}, which builds the digest for Pages.",
            "The vault is safe; `gitmem doctor --fix` puts the workflows there.",
        ) from None


def turn_off(github: GitHub, name: str) -> None:
    """Take the site down; one that is down already counts.

    Raises:
        GitmemError: GitHub cannot be reached, or says no.
    """
    try:
        github.call("DELETE", f"/repos/{name}/pages")
    except NotFoundError:
        return

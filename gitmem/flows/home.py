"""Where the vault lives on GitHub, as the sealed record says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmem.errors import ConfigError, NotSetUpError
from gitmem.flows import records
from gitmem.store import Store

if TYPE_CHECKING:
    from gitmem.github.client import GitHub


@dataclass(frozen=True, slots=True)
class Home:
    """Where the vault lives on GitHub: ``repository`` is "owner/name", ``owner`` the user's number."""

    repository: str
    owner: int
    url: str


def home(store: Store) -> Home:
    """The GitHub repository that the vault was set up with.

    Raises:
        NotSetUpError: none.
        TamperedError: the history or the record is refused.
    """
    record = records.read(store, "github")
    if not record.get("repository"):
        raise NotSetUpError(
            "This vault is not connected with a repository on GitHub, whose issues are the inbox.",
            "`gitmem init --github OWNER/NAME` connects it; without GitHub use `gitmem write`.",
        )
    return Home(
        str(record["repository"]), int(record.get("owner_id") or 0), str(record.get("url", "")).rstrip("/")
    )


def refuse_other(github: GitHub, place: Home) -> None:
    """See that ``github`` is the one of ``place``: its token must go nowhere that only a record names.

    Raises:
        ConfigError: it is another.
    """
    if github.url != place.url:
        raise ConfigError(
            "The vault's repository is on another GitHub than the one of the setting github.url.",
            "Nothing was sent there; `gitmem config set github.url URL` names it.",
        )

"""What the digest publishes: chosen, scanned for secrets, built as files; where they go is others' work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from gitmem.errors import InvalidMemoryError
from gitmem.flows import inbox, records, share
from gitmem.flows import site as sites
from gitmem.flows.plaintext import refuse_inside
from gitmem.flows.publish_folder import lay_out
from gitmem.flows.site import Site
from gitmem.memory.digest import Digest, select
from gitmem.memory.memory import short
from gitmem.site.build import Guide, build, neutral
from gitmem.site.scan import Finding, scan
from gitmem.store import Store

BUDGET = 8000  # characters
_NAMED = 5  # memories that an error names


class Look(NamedTuple):
    """What would be published now, and what would stop it."""

    digest: Digest
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """What was done: the host, memories shown, files written, and former files removed.

    ``replaced``: the address is a new one, and the former one leads nowhere.
    """

    host: str
    shown: int
    files: int
    removed: int = 0
    replaced: bool = False


def look(store: Store) -> Look:
    """What the digest shows at this moment, and the secrets that seem to be in it.

    Raises:
        TamperedError: the history, a record or a memory is refused.
    """
    digest = select(store.memories(), share.rules(store), store.now())
    return Look(digest, tuple(scan(digest.published)))


def prepare(store: Store, *, named: bool = True) -> Digest:
    """The digest, if nothing in it looks like a secret.

    Args:
        store: the vault.
        named: whether the error may name memories; not where a log is kept.

    Raises:
        InvalidMemoryError: something does; nothing was built.
        TamperedError: as :func:`look`.
    """
    digest, findings = look(store)
    if findings:
        raise _stopped(findings, named)
    return digest


def publish(store: Store, folder: str, budget: int = BUDGET) -> Published:
    """The digest as pages that lie directly in ``folder``, linked relatively.

    Files of former digests in that folder are replaced or removed; a file that is not a digest's stays, and
    if it stands where ours must go, nothing is written.

    Raises:
        ConfigError: the folder lies in the vault, cannot be written, or holds a foreign file of our names.
        InvalidMemoryError: something in it looks like a secret.
    """
    refuse_inside(store, folder)
    digest = prepare(store)
    files = build(digest, budget, guide=guide(store, sites.read(store)))
    return Published("", len(digest.ranked), len(files), lay_out(folder, files))


def publish_site(store: Store, site: Site, digest: Digest, folder: str, budget: int) -> Published:
    """The whole site into ``folder``: each secret path of this moment with ``digest`` below it.

    Above them lie two pages that lead nowhere and, for a vault on GitHub, the page that writes back. Paths
    of former windows and rotations are removed.

    Raises:
        ConfigError: as :func:`publish`, or links would be longer than assistants fetch.
    """
    refuse_inside(store, folder)
    current, every, _ = sites.paths(store, site)
    base = f"{site.base}/{current}" if site.base else ""
    below = build(digest, budget, base, guide(store, site))
    files = {**neutral(), **_page(store)}
    for path in every:
        # The same pages with their links to themselves: rendering them again would take as long once more.
        files |= {
            f"{path}/{name}": data.replace(current.encode(), path.encode()) for name, data in below.items()
        }
    return Published(site.host, len(digest.ranked), len(files), lay_out(folder, files))


def guide(store: Store, site: Site) -> Guide:
    """How an assistant may offer to write back: by issues of the vault's repository, if it has one."""
    record = records.read(store, "github")
    if not record.get("repository"):
        return Guide()
    pattern = inbox.issue_pattern(str(record["repository"]), str(record.get("url") or ""))
    return Guide(pattern, inbox.page_link(store) if site.base and site.host != "gist" else "")


def _page(store: Store) -> dict[str, bytes]:
    return {inbox.PAGE: inbox.page()} if records.read(store, "github").get("repository") else {}


def _stopped(findings: tuple[Finding, ...], named: bool) -> InvalidMemoryError:
    count = len({finding.id for finding in findings})
    if not named:
        return InvalidMemoryError(
            f"The digest was not built: secrets seem to stand in {count} of its memories.",
            "Nothing was published; `gitmem digest --preview` on your own machine names them.",
        )
    said = [f"{short(finding.id)} ({finding.kind})" for finding in findings]
    more = f" and {len(said) - _NAMED} more" if len(said) > _NAMED else ""
    return InvalidMemoryError(
        f"The digest was not built: secrets seem to stand in {', '.join(said[:_NAMED])}{more}.",
        f"Nothing was published. `gitmem edit {short(findings[0].id)}` takes one out of the text, "
        f"`gitmem share {short(findings[0].id)} --off` takes the memory out of the digest.",
    )

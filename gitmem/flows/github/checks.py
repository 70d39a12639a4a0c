"""The checks of `gitmem doctor` on GitHub: repository, Actions and secrets, compared with what was set up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from gitmem.errors import GitmemError, NotSetUpError
from gitmem.flows import records, site
from gitmem.flows.checks import Finding, Patient
from gitmem.flows.github import actions, repository
from gitmem.flows.home import Home, home, refuse_other
from gitmem.flows.workflows import RECORD as WORKFLOWS
from gitmem.store import Store

if TYPE_CHECKING:  # PyGithub takes its time, and is not needed to talk about it
    from gitmem.github.client import GitHub

_DAY = 86_400
LATE_DAYS = 3  # the schedule is daily, and GitHub's is often hours late
_FIX = "`gitmem doctor --fix` mends it."


@dataclass(frozen=True, slots=True)
class Site:
    """What is looked at: the vault, where it lives, and GitHub with the owner's token."""

    store: Store
    place: Home
    hub: GitHub
    found: repository.Seen

    @property
    def name(self) -> str:
        """The repository, "owner/name"."""
        return self.place.repository

    @property
    def jobs(self) -> bool:
        """Whether workflows are installed, so that the key has to be in Actions."""
        return bool(records.read(self.store, WORKFLOWS))


def look(patient: Patient, connect: Callable[[], GitHub]) -> Iterator[Finding]:
    """Everything on GitHub, for a vault that was set up there; nothing when offline."""
    store = patient.store
    if store is None or not patient.online:
        return
    try:
        place = home(store)
    except NotSetUpError:
        return
    hub = connect()
    refuse_other(hub, place)
    found = repository.look(hub, place.repository)
    yield from _privacy(hub, place, found)
    if found is None:
        return
    seen = Site(store, place, hub, found)
    for check in (_token, _buttons, _secrets, _rules, _states, _runs, _pages):
        try:
            yield from check(seen)
        except GitmemError as error:  # what this token may not see must not hide the rest
            name = f"GitHub {check.__name__.strip('_')}"
            yield Finding(name, ok=False, detail=error.message, mend=error.hint)


def _privacy(hub: GitHub, place: Home, found: repository.Seen | None) -> Iterator[Finding]:
    name = "GitHub repository"
    if found is None:
        mend = f"Check it in a browser: {place.url}/{place.repository}. `gitmem init --github` makes it anew."
        yield Finding(name, False, f"{place.repository} is gone, or this token may not see it", mend)
        return
    private = found["private"] is True and found.get("visibility", "private") == "private"
    who = "private" if private else str(found.get("visibility", "public"))
    mend = "The seals hold, but names, sizes and times are open. `gitmem doctor --fix` makes it private."
    fix = partial(hub.call, "PATCH", f"/repos/{place.repository}", {"private": True})
    yield Finding(name, private, f"{place.repository}, {who}", mend, fix)


def _token(seen: Site) -> Iterator[Finding]:
    if seen.hub.scopes is None:
        yield Finding("GitHub token", True, "one with permissions of its own")
        return
    wanted = {"repo", "workflow"} if seen.jobs else {"repo"}
    lacking = sorted(wanted - seen.hub.scopes)
    detail = f"lacks the scope {' and '.join(lacking)}" if lacking else "has the scopes it needs"
    yield Finding("GitHub token", not lacking, detail, f"`gh auth refresh -s {','.join(lacking)}` widens it.")


def _buttons(seen: Site) -> Iterator[Finding]:
    changes: dict[str, Any] = dict(repository.unlike(seen.found))
    branch = seen.store.branch.removeprefix("refs/heads/")
    if seen.found["default_branch"] != branch:
        changes["default_branch"] = branch
    wrong = ", ".join(f"{name} is not {str(value).lower()}" for name, value in changes.items())
    detail = wrong or "squash and rebase merges are off, issues on"
    fix = partial(seen.hub.call, "PATCH", f"/repos/{seen.name}", changes)
    yield Finding("GitHub settings", not changes, detail, _FIX, fix)


def _secrets(seen: Site) -> Iterator[Finding]:
    held = actions.secrets(seen.hub, seen.name)
    has_key = actions.JOIN in held
    if seen.jobs:
        claude = "with" if actions.API_KEY in held else "without"
        detail = f"the key is there, {claude} one for Claude" if has_key else f"{actions.JOIN} is not set"
        mend = "`gitmem doctor --fix` puts the key there again; GitHub's runners can read it then."
        fix = partial(actions.give_key, seen.hub, seen.store, seen.name)
        yield Finding("Actions secrets", has_key, detail, mend, fix)
    elif has_key:
        mend = "`gitmem init --github` installs the workflows; or delete the secret on GitHub."
        yield Finding(
            "Actions secrets", False, f"{actions.JOIN} holds the key, and no workflow uses it", mend
        )
    owner = seen.name.partition("/")[0]
    others = repository.others(seen.hub, seen.name, owner)
    if has_key and others:
        detail = f"{len(others)} besides the owner may push, and so read the key: {', '.join(others[:5])}"
        mend = "Take them out on GitHub under Settings, Collaborators; then `gitmem rekey`."
        yield Finding("collaborators", False, detail, mend)
    else:
        yield Finding("collaborators", True, f"{len(others)} besides the owner may push")


def _rules(seen: Site) -> Iterator[Finding]:
    if seen.jobs:
        lax = list(actions.lax(seen.hub, seen.name))
        detail = "; ".join(lax) or "only pinned actions of GitHub's, with a token that reads"
        fix = partial(actions.restrict, seen.hub, seen.name)
        yield Finding("Actions permissions", not lax, detail, _FIX, fix)


def _states(seen: Site) -> Iterator[Finding]:
    if not seen.jobs:
        return
    rows = list(seen.hub.every(f"/repos/{seen.name}/actions/workflows", "workflows"))
    ours = records.read(seen.store, WORKFLOWS)["files"]
    asleep = [row for row in rows if row["path"] in ours and row["state"] != "active"]
    for row in asleep:
        name, state = row["path"].rpartition("/")[2], str(row["state"])
        by_hand = state == "disabled_manually"
        why = "somebody switched it off" if by_hand else f"GitHub switched it off ({state})"
        mend = f"`gh workflow enable {name}` if it was not you." if by_hand else _FIX
        wake = partial(seen.hub.call, "PUT", f"/repos/{seen.name}/actions/workflows/{row['id']}/enable")
        yield Finding("workflow state", False, f"{name}: {why}", mend, None if by_hand else wake)
    if not asleep:
        yield Finding("workflow state", True, "all are active")


def _runs(seen: Site) -> Iterator[Finding]:
    if not seen.jobs:
        return
    place = f"/repos/{seen.name}/actions/workflows/consolidate.yml"
    last = seen.hub.call("GET", f"{place}/runs?per_page=1&status=success")["workflow_runs"]
    mend = f"{seen.place.url}/{seen.name}/actions shows what happened; `gitmem consolidate` works here too."
    if last:
        age = _days_since(str(last[0]["updated_at"]))
        when = "today" if age < 1 else f"{age} day{'s' if age > 1 else ''} ago"
        yield Finding("last run", age < LATE_DAYS, f"consolidation last succeeded {when}", mend)
        return
    tried = seen.hub.call("GET", f"{place}/runs?per_page=1")["workflow_runs"]
    if tried and tried[0]["status"] == "completed":
        yield Finding("last run", False, "no consolidation has succeeded yet", mend)
        return
    age = _days_since(str(seen.hub.call("GET", place)["created_at"]))
    detail = f"the schedule has not started any in {age} days" if age >= LATE_DAYS else "none yet"
    yield Finding(
        "last run", age < LATE_DAYS, detail, f"`gh workflow run consolidate.yml` starts one. {mend}"
    )


def _days_since(stamp: str) -> int:
    """Whole days since a time as GitHub writes it: UTC, or on some servers with an offset and fractions."""
    return int((time.time() - datetime.fromisoformat(stamp).timestamp()) // _DAY)


def _pages(seen: Site) -> Iterator[Finding]:
    if site.read(seen.store).host == "pages":
        there = actions.has_pages(seen.hub, seen.name)
        detail = "on" if there else "off, though the digest goes there"
        mend = "`gitmem publish --to pages` turns them on; a plan without Pages needs `--to gist`."
        yield Finding("GitHub Pages", there, detail, mend)

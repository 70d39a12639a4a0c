"""Issues as an inbox: those that are open, one emptied and closed, one deleted for good."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from gitmem.errors import GitmemError, NotFoundError

if TYPE_CHECKING:  # every sync may delete, and few have anything to delete: PyGithub loads with the client
    from gitmem.github.client import GitHub

STUB_TITLE = "Taken into the vault"
STUB_BODY = "Its text is in the vault; the next `gitmem sync` of the owner deletes this issue."
_MOST = 1000  # open issues that one sweep looks at; the next one sees the rest
_LOOK = """
query($id: ID!) {
  node(id: $id) { ... on Issue { title closed repository { nameWithOwner } } }
}
"""
_DELETE = "mutation($id: ID!) { deleteIssue(input: {issueId: $id}) { clientMutationId } }"


class Issue(NamedTuple):
    """An issue as GitHub tells it now: ``author`` is the user's number, ``created`` an RFC 3339 time."""

    number: int
    node_id: str
    title: str
    body: str
    author: int
    association: str
    created: str


def opened(github: GitHub, repository: str, number: int = 0) -> list[Issue]:
    """All open issues of ``repository`` ("owner/name"), oldest first, without pull requests.

    GitHub's lists lag behind, so the one of that ``number`` is asked for by itself.

    Raises:
        GitmemError: GitHub cannot be reached or refuses.
    """
    found = islice(github.every(f"{_path(repository)}?state=open&sort=created&direction=asc"), _MOST)
    issues = {issue.number: issue for issue in _issues(found)}
    if number and number not in issues:
        issues |= {issue.number: issue for issue in _one(github, repository, number)}
    return list(issues.values())


def emptied(github: GitHub, repository: str) -> Iterator[Issue]:
    """The hundred issues closed last that :func:`empty` has emptied and nobody has deleted yet.

    Raises:
        GitmemError: GitHub cannot be reached or refuses.
    """
    path = f"{_path(repository)}?state=closed&sort=updated&direction=desc&per_page=100"
    return (issue for issue in _issues(github.call("GET", path)) if issue.title == STUB_TITLE)


def empty(github: GitHub, repository: str, issue: Issue) -> bool:
    """Take title and body out of an issue, close and lock it. Its edit history still holds them.

    False, and it stays open, when it was edited since it was read: what it says now is nowhere else.

    Raises:
        GitmemError: GitHub cannot be reached or refuses; to be repeated.
    """
    place = f"{_path(repository)}/{issue.number}"
    stub = {"title": STUB_TITLE, "body": STUB_BODY, "state": "closed", "state_reason": "completed"}
    github.call("PUT", f"{place}/lock", {"lock_reason": "resolved"})
    if [(now.title, now.body) for now in _issues([github.call("GET", place)])] != [(issue.title, issue.body)]:
        return False
    github.call("PATCH", place, stub)  # last: while it is open, the next sweep does both again
    return True


def erase(github: GitHub, repository: str, node_id: str) -> bool:
    """Delete an emptied issue with its edit history; False when it is open and has to wait.

    Only the owner's own token may. An issue that is gone counts as deleted; one that is not an emptied issue
    of ``repository`` is left alone: a record must not be able to have other issues deleted.

    Raises:
        GitmemError: GitHub cannot be reached or refuses.
    """
    try:
        node = github.graphql(_LOOK, {"id": node_id}).get("node") or {}
        if node.get("closed") is False:
            return False
        place = str((node.get("repository") or {}).get("nameWithOwner", ""))
        if node.get("title") == STUB_TITLE and place.lower() == repository.lower():
            github.graphql(_DELETE, {"id": node_id})
    except NotFoundError:
        return True
    return True


def _one(github: GitHub, repository: str, number: int) -> list[Issue]:
    try:
        item = github.call("GET", f"{_path(repository)}/{number}")
    except GitmemError:  # a hint that leads nowhere: transferred or deleted meanwhile
        return []
    return list(_issues([item])) if item.get("state") == "open" else []


def _issues(items: Any) -> Iterator[Issue]:
    for item in items:
        if "pull_request" not in item:
            author = item.get("user") or {}
            yield Issue(
                int(item["number"]),
                str(item["node_id"]),
                str(item.get("title") or ""),
                str(item.get("body") or ""),
                int(author.get("id") or 0),
                str(item.get("author_association") or ""),
                str(item["created_at"]),
            )


def _path(repository: str) -> str:
    return f"/repos/{repository}/issues"

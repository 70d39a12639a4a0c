"""Secret gists: several text files at an address that nobody can guess."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from gitmem.errors import NotFoundError, RemoteError

if TYPE_CHECKING:  # PyGithub takes its time, and is not needed to talk about it
    from gitmem.github.client import GitHub

MAX_FILES = 300  # what one gist holds


class Made(NamedTuple):
    """A gist: its id, and the address below which its files lie as plain text."""

    id: str
    base: str


def create(github: GitHub, files: Mapping[str, str]) -> Made:
    """A new secret gist with these files.

    Raises:
        GitmemError: GitHub cannot be reached, or says no.
    """
    shaped = {name: {"content": text} for name, text in files.items()}
    answer = github.call("POST", "/gists", {"description": "", "public": False, "files": shaped})
    first = next(iter(answer["files"].values()))
    base, mark, _ = str(first["raw_url"]).rpartition("/raw/")
    if not mark:
        raise RemoteError("GitHub's answer names no address of the gist.", "Nothing was published.")
    return Made(str(answer["id"]), f"{base}/raw")


def replace(github: GitHub, gist_id: str, files: Mapping[str, str]) -> None:
    """Put ``files`` in place of all files of the gist; what was there before stays in its revisions.

    Raises:
        NotFoundError: the gist is gone.
        GitmemError: GitHub cannot be reached, or says no.
    """
    there = github.call("GET", f"/gists/{gist_id}")["files"]
    changes: dict[str, dict[str, str] | None] = {name: {"content": text} for name, text in files.items()}
    changes |= {name: None for name in there if name not in files}
    github.call("PATCH", f"/gists/{gist_id}", {"files": changes})


def delete(github: GitHub, gist_id: str) -> None:
    """Remove the gist with all its revisions; one that is gone already counts as removed.

    Raises:
        RemoteError: it is there, but this token may not remove it.
        GitmemError: GitHub cannot be reached, or says no.
    """
    try:
        github.call("DELETE", f"/gists/{gist_id}")
    except NotFoundError:
        if _is_there(github, gist_id):
            raise RemoteError(
                "The digest's gist is still there, and this token may not remove it.",
                "Use the token of the account that made it: `gh auth refresh -s gist`, or set GH_TOKEN.",
            ) from None


def _is_there(github: GitHub, gist_id: str) -> bool:
    # GitHub says 404 as well to a token that lacks the right to delete; reading needs none.
    try:
        github.call("GET", f"/gists/{gist_id}")
    except NotFoundError:
        return False
    return True

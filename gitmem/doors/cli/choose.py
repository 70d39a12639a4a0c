"""The options by which memories are chosen, shared by list, search, export and read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from gitmem.index.filters import Filters
from gitmem.memory.memory import KINDS, TRUSTS

F = TypeVar("F", bound=Callable[..., Any])


def filter_options(function: F) -> F:
    """Adds --project --kind --tag --since --until --trust --session --all to a command."""
    options = (
        click.option("--project", default="", metavar="NAME", help="Only of this project."),
        click.option("--kind", type=click.Choice(KINDS), help="Only of this kind."),
        click.option(
            "--tag", "tags", multiple=True, metavar="TAG", help="Only with this tag (repeat: all of them)."
        ),
        click.option(
            "--since", default="", metavar="DATE", help="Only from then on: a date, or 30d, 12w, 6mo ago."
        ),
        click.option("--until", default="", metavar="DATE", help="Only up to then."),
        click.option("--trust", type=click.Choice(TRUSTS), help="Only of this trust."),
        click.option("--session", default="", metavar="ID", help="Only from this conversation."),
        click.option("--all", "everything", is_flag=True, help="Expired and superseded ones too."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def filters(now: str, chosen: dict[str, Any]) -> Filters:
    """The filters that those options ask for; a date without a time covers its whole day.

    Raises:
        ConfigError: a date cannot be read.
    """
    since, until = chosen.pop("since"), chosen.pop("until")
    if since or until:
        from gitmem.doors.cli import dates  # brings calendar, which most searches never need

        since = dates.before(since, now) if since else ""
        until = dates.before(until, now, late=True) if until else ""
    return Filters(
        project=chosen["project"],
        kind=chosen["kind"] or "",
        tags=tuple(chosen["tags"]),
        since=since,
        until=until,
        trust=chosen["trust"] or "",
        session=chosen["session"],
        everything=chosen["everything"],
        now=now,
    )

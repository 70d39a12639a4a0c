"""Which memories a question is about: the filters, and what they are in SQL."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from gitmem.index.words import storable
from gitmem.memory.times import parse_time

# Of two memories that replace each other one stays: the rule of gitmem.memory.memory.superseded, in SQL.
_TAKES = """supersede.old = memory.id AND NOT EXISTS (
    SELECT 1 FROM memory AS newer JOIN supersede AS back ON back.old = newer.id AND back.n = memory.n
    WHERE newer.n = supersede.n AND newer.id > memory.id)"""
SUPERSEDED = f"EXISTS (SELECT 1 FROM supersede WHERE {_TAKES})"


class Filters(NamedTuple):
    """What a memory must be to count; an empty value does not filter.

    ``since`` and ``until`` (dates or RFC 3339 times, both inclusive) look at ``created``; a memory needs
    every one of ``tags``. Memories that expired before ``now``, or that another memory supersedes, count only
    with ``everything``; without ``now`` none has expired.
    """

    project: str = ""
    kind: str = ""
    tags: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    trust: str = ""
    session: str = ""
    everything: bool = False
    now: str = ""


def condition(filters: Filters) -> tuple[str, list[Any]]:
    """The filters as a condition on the table ``memory``, with its parameters.

    Raises:
        InvalidMemoryError: ``since``, ``until`` or ``now`` is no date.
    """
    parts, values = _chosen(filters)
    if not filters.everything:
        parts.append(f"NOT {SUPERSEDED}")
        if filters.now:
            parts.append("(expires = 0 OR expires > ?)")
            values.append(_time(filters.now))
    return " AND ".join(parts) or "1", values


def among_passages(filters: Filters, number: str) -> tuple[str, list[Any]]:
    """The same as a condition on ``number``, the SQL for the memory's number in a table of passages.

    Few memories are hidden, so when nothing else is asked for it is cheaper to list what is left out.

    Raises:
        InvalidMemoryError: as for ``condition``.
    """
    if _chosen(filters)[0]:
        inside, values = condition(filters)
        return f"{number} IN (SELECT n FROM memory WHERE {inside})", values
    if filters.everything:
        return "1", []
    hidden = f"SELECT memory.n FROM supersede JOIN memory ON {_TAKES}"
    if not filters.now:
        return f"{number} NOT IN ({hidden})", []
    hidden += " UNION ALL SELECT n FROM memory WHERE expires <> 0 AND expires <= ?"
    return f"{number} NOT IN ({hidden})", [_time(filters.now)]


def numbers_of(connection: Any, filters: Filters) -> tuple[list[int], list[int] | None]:
    """The same as numbers of memories: those that are hidden; and, if others are asked for, the only ones.

    Raises:
        InvalidMemoryError: as for ``condition``.
    """
    if _chosen(filters)[0]:
        where, values = condition(filters)
        return [], [n for (n,) in connection.execute(f"SELECT n FROM memory WHERE {where}", values)]
    where, values = among_passages(filters, "n")
    return [n for (n,) in connection.execute(f"SELECT n FROM memory WHERE NOT ({where})", values)], None


def without_hidden(connection: Any, filters: Filters) -> Filters:
    """The same filters, with ``everything`` where nothing is hidden: then no row needs to be asked."""
    if filters.everything or connection.execute("SELECT EXISTS (SELECT 1 FROM supersede)").fetchone()[0]:
        return filters
    expired = "SELECT EXISTS (SELECT 1 FROM memory WHERE expires <> 0 AND expires <= ?)"
    if filters.now and connection.execute(expired, (_time(filters.now),)).fetchone()[0]:
        return filters
    return filters._replace(everything=True)


def tag_column(tags: tuple[str, ...]) -> str:
    """Tags as one text, in which ``,"tag"`` occurs for no other tag: JSON escapes every quote."""
    return "".join("," + json.dumps(tag) for tag in tags)


def tags_of(column: str) -> tuple[str, ...]:
    """The tags that ``tag_column`` wrote."""
    return tuple(json.loads(f"[{column[1:]}]")) if column else ()


def digits(time: str) -> int:
    """A time of a memory as a small number that sorts like it: its 14 digits, 0 for none."""
    return int(time[:4] + time[5:7] + time[8:10] + time[11:13] + time[14:16] + time[17:19]) if time else 0


def from_digits(number: int) -> str:
    """The time that ``digits`` made a number of."""
    if not number:
        return ""
    text = f"{number:014}"
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:]}Z"


def _chosen(filters: Filters) -> tuple[list[str], list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    for column in ("project", "kind", "trust", "session"):
        if value := getattr(filters, column):
            parts.append(f"{column} = ?")
            values.append(storable(value))
    for tag in filters.tags:
        parts.append("instr(tags, ?)")
        values.append(tag_column((tag,)))
    if filters.since:
        parts.append("created >= ?")
        values.append(_time(filters.since))
    if filters.until:
        parts.append("created <= ?")
        values.append(_time(filters.until, late=True))
    return parts, values


def _time(text: str, *, late: bool = False) -> int:
    whole_day = late and len(text.strip()) <= 10  # a date: 2026-11-20 or 20261120
    return digits(parse_time(text)[:11] + "23:59:59Z" if whole_day else parse_time(text))

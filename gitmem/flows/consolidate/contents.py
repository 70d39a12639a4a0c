"""The topic index of a project: one memory that says which topics there are, and where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from gitmem.memory.bounds import CONTENTS, RESERVED, SOURCE, least
from gitmem.memory.likeness import stem, terms
from gitmem.memory.memory import Memory, short
from gitmem.memory.subjects import Subjects
from gitmem.memory.text import derive_title, noun

_FEWEST = 8  # memories of a project below which a list of them is as good
_TOPICS, _SHOWN = 20, 6
_ONCE = 1500  # characters in which a word may stand once without being what they are about
_DWELT = 3  # how often one memory must name a word that stands in no title to be about it


def contents(
    project: str, current: Sequence[Memory], now: str, new_id: Callable[[], str]
) -> tuple[Memory | None, Memory] | None:
    """The index of a project as (before, after); None where nothing changes. Not marked to share.

    ``current`` are all memories that hold, of all projects.
    """
    here = [memory for memory in current if memory.project == project]
    former = next((one for one in here if one.source == SOURCE and CONTENTS in one.tags), None)
    told = [memory for memory in here if memory.source != SOURCE or memory.kind != "summary"]
    if len(told) < _FEWEST:
        return None
    topics = _topics(told)
    body = "\n".join(_line(topic, among) for topic, among in topics)
    if not topics or (former and former.body == body):
        return None
    listed = list(dict.fromkeys(memory for _, among in topics for memory in among[:_SHOWN]))
    fields = {
        "body": body,
        "title": f"Topics of {project}" if project else "Topics of notes without a project",
        "trust": least(listed),
        "sources": tuple(memory.id for memory in listed),
        "topics": tuple(topic for topic, _ in topics[:12]),
        "share": False,
    }
    if former:
        return former, replace(former, rev=former.rev + 1, updated=now, **fields)
    start = Memory(id=new_id(), body=body, created=now, project=project, kind="summary", source=SOURCE)
    return None, replace(start, tags=(CONTENTS,), importance=0.1, **fields)


def _topics(told: Sequence[Memory]) -> list[tuple[str, list[Memory]]]:
    """The topics that several memories have, commonest first, each with its memories, newest first."""
    subjects = Subjects(told)
    newest = sorted(told, key=lambda one: (one.created, one.id), reverse=True)
    found: dict[str, list[Memory]] = {}
    named = {memory.id: {*memory.topics, *memory.tags} - RESERVED for memory in newest}
    for topic in dict.fromkeys(topic for memory in newest for topic in (*memory.topics, *memory.tags)):
        found[topic] = [memory for memory in newest if topic in named[memory.id]]
    titled = {root for memory in told for root in terms(memory.title or derive_title(memory.body))}
    for topic in subjects.words(told, 3 * _TOPICS):
        often = subjects.mentions(topic)
        if stem(topic.casefold()) not in titled and max(often.values(), default=0) < _DWELT:
            continue
        among = [memory for memory in newest if often.get(memory.id, 0) > len(memory.body) // _ONCE]
        found.setdefault(topic, among)
    common = [topic for topic, among in found.items() if 1 < len(among) <= max(2, 0.7 * len(told))]
    best = sorted(common, key=lambda topic: (-len(found[topic]), topic))[:_TOPICS]
    return [(topic, found[topic]) for topic in best]


def _line(topic: str, among: Sequence[Memory]) -> str:
    shown = ", ".join(f"{short(memory.id)} ({memory.created[:10]})" for memory in among[:_SHOWN])
    more = f", and {len(among) - _SHOWN} more" if len(among) > _SHOWN else ""
    return f"- {topic}, {len(among)} {noun(len(among))}: {shown}{more}"

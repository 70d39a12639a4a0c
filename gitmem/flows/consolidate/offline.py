"""The engine without key or network: twins merged, summaries in the notes' own words, old tasks ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from gitmem.memory.bounds import OVERVIEW, SOURCE, least, stated
from gitmem.memory.days import days
from gitmem.memory.extract import Sentence, best
from gitmem.memory.memory import TRUSTS, Memory, short
from gitmem.memory.plan import Group, Plan, Step, check
from gitmem.memory.subjects import Subjects
from gitmem.memory.twins import twins

SESSION = "session"  # the tag of a conversation's summary
SHARE = 10  # a summary has at most one character in so many of what it sums up
LEAST, MOST = 200, 3000  # characters of a summary that is worth having, and that is still read
_GRACE = 30  # days that a task stays after the last day that it names: it may only be late


class OfflineEngine:
    """Plans by rules alone; the same memories give the same plan on every machine."""

    name = "offline"

    def __init__(self, now: str) -> None:
        self._now = now

    def prepare(self, groups: Sequence[Group]) -> None:
        """Nothing is spent."""

    def report(self) -> None:
        """Nothing was spent."""

    def plan(self, group: Group) -> Plan:
        """Twins merged, one summary of the group and one of each session, tasks long past ended."""
        pairs = twins(group.memories, [memory.id for memory in group.new])
        steps = [_merge(stays, goes) for stays, goes in pairs if _may_stay(stays, goes)]
        gone = {one for step in steps for one in step.sources}
        left = [memory for memory in group.new if memory.id not in gone]
        tasks = [memory for memory in left if memory.kind == "task"]
        told = [memory for memory in left if memory.kind != "task"]
        ended = [step for task in tasks if (step := self._ended(task))]
        return check(group, [*steps, *ended, *_sessions(told), *_overview(group, told)])

    def narrate(self, project: str, memories: Sequence[Memory]) -> Step | None:
        """What the memories say, in their own words: of one project by time, or of all by project."""
        told = [memory for memory in memories if memory.source != SOURCE]
        room = _room(told)
        if not room:
            return None
        if project:
            return _narrative(project, told, _lines(best(told, room // 2, _each(told))))
        names = sorted({memory.project for memory in told})
        parts = []
        for name in names:
            here = [memory for memory in told if memory.project == name]
            parts.append(_paragraph(name, here, best(here, max(LEAST, room // len(names)), 1)))
        return _narrative("", told, "\n\n".join(parts))

    def _ended(self, task: Memory) -> Step | None:
        named = days(f"{task.title}\n{task.body}", stated(task))
        if not named:
            return None
        end = (dt.date.fromisoformat(max(named)) + dt.timedelta(days=_GRACE)).isoformat() + "T00:00:00Z"
        if end > self._now:
            return None
        return Step(action="expire", sources=(), target=task.id, expires=end, reason="its last day is past")


def _may_stay(stays: Memory, goes: Memory) -> bool:
    """Whether a merge keeps its bounds: what stays is trusted no less, and does not end before what goes."""
    trusted = TRUSTS.index(stays.trust) <= TRUSTS.index(goes.trust)
    return trusted and not (stays.expires and (not goes.expires or goes.expires > stays.expires))


def _merge(stays: Memory, goes: Memory) -> Step:
    return Step(action="merge", sources=(goes.id,), target=stays.id, reason="both say the same")


def _sessions(told: Sequence[Memory]) -> Iterator[Step]:
    for session in sorted({memory.session for memory in told if memory.session}):
        here = [memory for memory in told if memory.session == session]
        chosen = best(here, _room(here), _each(here)) if len(here) > 2 else []
        if chosen:
            day = min(memory.created for memory in here)[:10]
            yield _summary(f"Conversation of {day}", chosen, here, (SESSION,), "it sums up a conversation")


def _overview(group: Group, told: Sequence[Memory]) -> Iterator[Step]:
    """A summary of what is new, added to the last one while that has room."""
    chosen = best(told, _room(told), _each(told))
    if not chosen:
        return
    name = group.project or "notes without a project"
    former = [] if group.topic else [one for one in group.known if _has_room(one, chosen)]
    if former:
        target = max(former, key=lambda one: (one.created, one.id))
        told_anew = tuple(f"({short(memory.id)})" for memory in told)  # it may say something else by now
        kept = [line for line in target.body.split("\n") if not line.endswith(told_anew)]
        lines = sorted({*kept, *_lines(chosen).split("\n")})
        yield _summary(
            target.title,
            chosen,
            told,
            (OVERVIEW,),
            "it adds what is new",
            body="\n".join(lines),
            target=target.id,
        )
        return
    about = group.topic or f"from {min(memory.created for memory in told)[:10]}"
    yield _summary(f"{name}, {about}", chosen, told, (OVERVIEW,), "it sums up what is new")


def _has_room(memory: Memory, chosen: Sequence[Sentence]) -> bool:
    ours = memory.source == SOURCE and OVERVIEW in memory.tags and memory.kind == "summary"
    trusted = TRUSTS.index(least([one.memory for one in chosen])) <= TRUSTS.index(memory.trust)
    return ours and trusted and not memory.supersedes and len(memory.body) + len(_lines(chosen)) <= MOST


def _summary(
    title: str,
    chosen: Sequence[Sentence],
    of: Sequence[Memory],
    tags: tuple[str, ...],
    reason: str,
    body: str = "",
    target: str = "",
) -> Step:
    return Step(
        action="update" if target else "create",
        sources=tuple(dict.fromkeys(one.memory.id for one in chosen)),
        target=target,
        kind="summary",
        title=title,
        body=body or _lines(chosen),
        tags=tags,
        topics=tuple(Subjects(of).words(of, 5)),
        reason=reason,
    )


def _narrative(project: str, told: Sequence[Memory], body: str) -> Step:
    title = f"What is known of {project}" if project else "What is known"
    sources = tuple(memory.id for memory in told)
    return Step(action="create", sources=sources, kind="summary", title=title, body=body)


def _paragraph(project: str, memories: Sequence[Memory], chosen: Sequence[Sentence]) -> str:
    days_ = sorted(memory.created[:10] for memory in memories)
    span = days_[0] if days_[0] == days_[-1] else f"{days_[0]} to {days_[-1]}"
    about = ", ".join(Subjects(memories).words(memories, 5))
    voices = ", ".join(dict.fromkeys(one.speaker for one in chosen if one.speaker))
    head = f"**{project or 'Without a project'}**{f' ({voices})' if voices else ''}, {span}"
    return f"{head}{': ' + about if about else ''}.\n\n{_lines(chosen)}".rstrip()


def _lines(chosen: Sequence[Sentence]) -> str:
    """One line each: when, who, what, and the memory that it stands in."""
    return "\n".join(f"- {one.memory.created[:10]}{_said(one)} ({short(one.memory.id)})" for one in chosen)


def _said(one: Sentence) -> str:
    return f", {one.speaker}: {one.text}" if one.speaker else f": {one.text}"


def _room(memories: Sequence[Memory]) -> int:
    """How long a summary of these may be; 0 where it would be too short to say anything."""
    room = min(MOST, sum(len(memory.body) for memory in memories) // SHARE)
    return room if room >= LEAST else 0


def _each(memories: Sequence[Memory]) -> int:
    """How many sentences one memory may give: the fewer there are, the more."""
    return max(1, 12 // max(1, len(memories)))

"""What checked plans make: new and changed memories as values. Nothing here reads or writes a vault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from gitmem.memory.bounds import SOURCE, Bound, Roles, least, retired, stated, untrue
from gitmem.memory.likeness import terms
from gitmem.memory.memory import Memory, short
from gitmem.memory.pack import NEUTRAL
from gitmem.memory.plan import Group, Plan, Step

_RARE = 3  # a word that at most so many other memories of the group have tells where it may come from


@dataclass(frozen=True, slots=True)
class Made:
    """One step carried out: what it writes, what that replaces, and all that it was drawn from.

    ``before`` is the memory as it was when an existing one is changed, else None. ``basis`` are the memories
    that must still be as they were read when this is written.
    """

    step: Step
    memory: Memory
    before: Memory | None
    replaced: tuple[Memory, ...]
    basis: tuple[Memory, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that was made, and why steps were refused: in their own group, or beside those of others."""

    made: tuple[Made, ...]
    refused: tuple[str, ...]


def outcome(
    plans: Iterable[Plan], now: str, new_id: Callable[[], str], may: Callable[[Memory], bool]
) -> Outcome:
    """Carry out the steps of several plans.

    Args:
        plans: checked ones; a memory may be known to several of them.
        now: the time.
        new_id: a fresh memory id.
        may: whether a memory may be published; only what was drawn in sight of such alone is shared.
    """
    roles = Roles()
    made: list[Made] = []
    refused: list[str] = []
    for plan in plans:
        refused += plan.refused
        shared = all(may(memory) for memory in plan.group.memories)
        for step in plan.steps:
            try:
                roles.claim(step)
            except Bound as bound:
                refused.append(str(bound))
                continue
            made.append(_carry_out(step, plan.group, now, new_id, shared))
    return Outcome(tuple(made), tuple(refused))


def _carry_out(step: Step, group: Group, now: str, new_id: Callable[[], str], shared: bool) -> Made:
    known = {memory.id: memory for memory in group.memories}
    target = known.get(step.target)
    replaced = tuple(known[one] for one in retired(step))
    sources = tuple(known[one] for one in step.sources)
    basis = tuple(
        {memory.id: memory for memory in (*sources, *replaced, *([target] if target else []))}.values()
    )
    if step.action == "expire" and target:
        return Made(step, _next(target, expires=step.expires or now), target, (), basis)
    if step.action == "merge" and target:
        supersedes = _ids(target.supersedes, [one.id for one in replaced])
        weight = _weight(step, (target, *replaced))
        return Made(step, _next(target, supersedes=supersedes, importance=weight), target, replaced, basis)
    if step.action == "update" and target:
        links = _alluded(step, group, (*sources, target))
        return Made(step, _updated(step, target, sources, links, now, shared), target, (), basis)
    new = _new(step, group, known, now, new_id(), shared)
    return Made(step, replace(new, links=_alluded(step, group, basis)), None, replaced, basis)


def _alluded(step: Step, group: Group, named: Sequence[Memory]) -> tuple[str, ...]:
    """Memories of the group that a text shares a rare word with, although it names them nowhere.

    It may have been drawn from them too: when one is unshared or purged later, the text must go along.
    """
    told = {*terms(_all(step.title, step.body, *step.topics, *step.tags, *step.files))}
    for memory in named:
        told.difference_update(terms(_words(memory)))
    ids = {memory.id for memory in named}
    has = {
        memory.id: told.intersection(terms(_words(memory)))
        for memory in group.memories
        if memory.id not in ids
    }
    often = Counter(word for words in has.values() for word in words)
    return tuple(one for one, words in has.items() if any(often[word] <= _RARE for word in words))


def _all(*texts: str) -> str:
    return "\n".join(texts)


def _words(memory: Memory) -> str:
    return _all(memory.title, memory.body, *memory.topics, *memory.tags, *memory.files)


def _new(
    step: Step, group: Group, known: dict[str, Memory], now: str, memory_id: str, shared: bool
) -> Memory:
    sources = [known[one] for one in step.sources]
    body, title = step.body, step.title
    replaced = [known[one] for one in retired(step)]
    if step.action == "supersede":
        newer = known[step.target]
        older = [known[one] for one in untrue(step)]
        sources = [newer, *older] if step.body else [newer]
        title = title or newer.title
        body = f"{body or newer.body}\n\n{_dates(newer, older)}"
    question = step.action == "question"
    sessions = {memory.session for memory in sources}
    return Memory(
        id=memory_id,
        body=body,
        title=title,
        kind="task" if question else step.kind,
        created=now,
        tags=_ids(step.tags, ["question"] if question else []),
        project=group.project,
        session=sessions.pop() if len(sessions) == 1 else "",
        source=SOURCE,
        trust=least(sources),
        importance=_weight(step, sources),
        expires=_end(step, replaced),
        share=shared,
        sources=tuple(memory.id for memory in sources),
        supersedes=tuple(memory.id for memory in replaced),
        topics=step.topics,
        files=step.files or _ids((), [path for memory in replaced for path in memory.files]),
    )


def _updated(
    step: Step, target: Memory, sources: Sequence[Memory], links: Sequence[str], now: str, shared: bool
) -> Memory:
    others = [memory for memory in sources if memory.id != target.id]
    return _next(
        target,
        body=step.body,
        title=step.title or target.title,
        updated=now,
        trust=least([target, *others]),
        share=target.share and shared,
        sources=_ids(target.sources, [memory.id for memory in others]),
        links=_ids(target.links, links),
        topics=_ids(step.topics, target.topics)[:12],
        files=_ids(step.files, target.files)[:20],
        importance=_weight(step, [target, *others]),
    )


def _next(memory: Memory, **changes: object) -> Memory:
    return replace(memory, rev=memory.rev + 1, **changes)


def _ids(first: Iterable[str], then: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *then)))


def _weight(step: Step, sources: Sequence[Memory]) -> float | None:
    """Importance as proposed, else the most that a source has; doubtful things weigh less."""
    given = [memory.importance for memory in sources if memory.importance is not None]
    weight = step.importance if step.importance is not None else max(given, default=None)
    if step.confidence >= 1:
        return weight
    return round((NEUTRAL if weight is None else weight) * step.confidence, 2)


def _end(step: Step, replaced: Sequence[Memory]) -> str:
    """When the new memory ends: as proposed, or when the last of those that it replaces would have."""
    ends = [memory.expires for memory in replaced]
    return step.expires or (max(ends) if ends and all(ends) else "")


def _dates(newer: Memory, older: Sequence[Memory]) -> str:
    former = ", ".join(f"{stated(one)[:10]} ({short(one.id)})" for one in sorted(older, key=stated))
    return f"Stated on {stated(newer)[:10]}; it takes the place of what was stated on {former}."

"""What is new since the marker, put into groups that an engine can look at together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from gitmem.flows import share
from gitmem.flows.consolidate import marker
from gitmem.flows.consolidate.marker import Marker
from gitmem.memory.bounds import OVERVIEW, RESERVED, SOURCE
from gitmem.memory.memory import Memory, superseded
from gitmem.memory.plan import Group
from gitmem.memory.sharing import expired, publishable
from gitmem.memory.subjects import Subjects
from gitmem.memory.twins import twins
from gitmem.store import Progress, Store

MOST = 40  # new memories of one group,
ROOM = 120_000  # and bytes of all its texts: about 40,000 tokens
_MANY = 2000  # changed memories that are surely not all of our own making
_KNOWN = 16  # older memories that come along, but for twins
_KNOWN_ROOM = 40_000

Key = tuple[str, bool, bool]  # project, publishable, imported


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run is narrowed to: a project, memories created from a time on; "" for all."""

    project: str | None = None
    since: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """All that a run starts from, as of one verified commit.

    ``everything`` are all memories by id, ``current`` those that hold now and may be shown to an engine,
    ``whole`` says that nothing new was left out by the scope, ``news`` that anything happened at all.
    """

    tip: str
    marker: Marker
    groups: tuple[Group, ...]
    everything: dict[str, Memory]
    current: tuple[Memory, ...]
    may: Callable[[Memory], bool]
    whole: bool
    news: bool


def gather(store: Store, scope: Scope, progress: Progress | None = None) -> Found:
    """The groups of what is new; without any news nothing is opened.

    A memory is new when it was written or changed since the marker, holds now (not expired, not superseded),
    was not made by consolidation, and is not set aside. What waits in the inbox is left alone until it is
    accepted. A group holds memories of one project that are all shared or all not, and all imported or all
    not: so nothing private can slip into a shared text, and nothing imported can speak for its owner.

    Raises:
        TamperedError: the branch is refused; nothing was opened.
    """
    tip = store.tip()
    mark = marker.read(store, tip)
    come, other = marker.news(store, mark, tip)
    if not (other or mark.untold or any(_is_news(one, mark) for one in _few(store, tip, come))):
        return Found(tip, mark, (), {}, (), lambda _: False, whole=True, news=False)
    everything = _opened(store, tip, progress)
    now = store.now()
    current = tuple(holding(everything.values(), now))
    rules = share.rules(store, tip)
    # what was drawn from a memory as it was before an edit comes along with it, to be brought up to date
    may = publishable(everything.values(), rules, now, edited=True)
    fresh = {
        memory.id
        for memory in current
        if memory.id in come and memory.source != SOURCE and mark.passes(memory)
    }
    wanted = {one for one in fresh if _within(everything[one], scope)}
    taken = tuple(memory for memory in current if memory.id not in mark.aside or memory.id in wanted)
    groups = tuple(_groups(taken, wanted, may))
    return Found(tip, mark, groups, everything, current, may, wanted == fresh, news=True)


def holding(memories: Iterable[Memory], now: str) -> Iterator[Memory]:
    """Those that hold now, oldest first: not expired, not superseded; no files, nothing of the inbox."""
    everything = list(memories)
    replaced = superseded(everything)
    for memory in sorted(everything, key=lambda one: (one.created, one.id)):
        holds = memory.id not in replaced and not expired(memory, now)
        if holds and memory.kind != "file" and memory.trust != "inbox":
            yield memory


def _is_news(memory: Memory | None, mark: Marker) -> bool:
    return memory is None or (memory.source != SOURCE and mark.passes(memory))


def _few(store: Store, tip: str, come: set[str]) -> Iterator[Memory | None]:
    """What came, opened one by one; of very many the first is enough to know that something did."""
    if len(come) > _MANY:
        yield None
    yield from store.memories(come, at=tip, damaged=[])


def _opened(store: Store, tip: str, progress: Progress | None) -> dict[str, Memory]:
    found: dict[str, Memory] = {}
    damaged: list[str] = []  # doctor names them; one of them must not stop all the others
    for count, memory in enumerate(store.memories(at=tip, damaged=damaged), 1):
        found[memory.id] = memory
        if progress and count % 100 == 0:
            progress(count, 0)
    return found


def _within(memory: Memory, scope: Scope) -> bool:
    return (scope.project is None or memory.project == scope.project) and memory.created >= scope.since


def _groups(current: Sequence[Memory], wanted: set[str], may: Callable[[Memory], bool]) -> Iterator[Group]:
    classes: dict[Key, list[Memory]] = {}
    for memory in current:
        if memory.source != SOURCE or RESERVED.isdisjoint(memory.tags):
            classes.setdefault((memory.project, may(memory), memory.trust == "import"), []).append(memory)
    for key in sorted(classes):
        if any(memory.id in wanted for memory in classes[key]):
            yield from _of_class(classes[key], wanted)


def _of_class(members: list[Memory], wanted: set[str]) -> Iterator[Group]:
    subjects = Subjects(members)
    pairs = twins(members, wanted)
    leads = {one.id: pair[0].id for pair in pairs for one in pair}
    known = {memory.id: memory for memory in members if memory.id not in wanted}
    new = [memory for memory in members if memory.id in wanted]
    overviews = [one for one in known.values() if one.source == SOURCE and OVERVIEW in one.tags][-1:]
    for topic, part in _parts(new, subjects, leads):
        led = {leads[one.id] for one in part if one.id in leads}
        beside = [one for one in known.values() if leads.get(one.id) in led]
        beside += overviews
        beside += [known[one] for one in subjects.related(part, known)][:_KNOWN]
        yield Group(members[0].project, topic, tuple(part), tuple(_fitting(beside)))


def _parts(
    new: list[Memory], subjects: Subjects, leads: dict[str, str]
) -> Iterator[tuple[str, list[Memory]]]:
    """The new memories in bounded parts: all at once where they fit, else by subject, twins together.

    ``leads`` gives for a twin the one that stays.
    """
    if len(new) <= MOST and sum(map(_size, new)) <= ROOM:
        yield "", new
        return
    label = {memory.id: subjects.of(memory) for memory in new}

    def order(memory: Memory) -> tuple[str, str, str, str]:
        lead = leads.get(memory.id, memory.id)
        return (label.get(lead, label[memory.id]), lead, memory.created, memory.id)

    part: list[Memory] = []
    for memory in sorted(new, key=order):
        full = len(part) >= MOST or sum(map(_size, part)) + _size(memory) > ROOM
        twin = bool(part) and memory.id in leads and leads.get(part[-1].id) == leads[memory.id]
        if part and full and not twin:
            yield _named(part, label), part
            part = []
        part.append(memory)
    yield _named(part, label), part


def _named(part: list[Memory], label: dict[str, str]) -> str:
    names = [label[memory.id] for memory in part if label[memory.id]]
    return ", ".join(sorted(set(names), key=lambda name: (-names.count(name), name))[:3])


def _fitting(memories: Iterable[Memory]) -> Iterator[Memory]:
    room = _KNOWN_ROOM
    for memory in dict.fromkeys(memories):
        if _size(memory) <= room:
            room -= _size(memory)
            yield memory


def _size(memory: Memory) -> int:
    return len(memory.title.encode()) + len(memory.body.encode()) + 200

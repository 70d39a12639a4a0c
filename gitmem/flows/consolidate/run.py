"""One consolidation from beginning to end: gather, ask, check, write."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field, replace

from gitmem.errors import ModelError
from gitmem.flows import share
from gitmem.flows.consolidate import apply, marker, proposal
from gitmem.flows.consolidate.apply import Work, Write
from gitmem.flows.consolidate.contents import contents
from gitmem.flows.consolidate.engine import BudgetSpentError, Cost, Engine, Estimate
from gitmem.flows.consolidate.gather import Found, Scope, gather, holding
from gitmem.flows.consolidate.narrative import narratives
from gitmem.flows.consolidate.think import Thoughts, think
from gitmem.memory.memory import Memory
from gitmem.memory.outcome import Made, Outcome, outcome
from gitmem.memory.sharing import publishable
from gitmem.store import Progress, Store

Told = Callable[[int, Estimate | None], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How to consolidate: of what, without writing, or on a branch to be reviewed."""

    scope: Scope = field(default_factory=Scope)
    dry_run: bool = False
    propose: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did.

    ``looked`` counts the new memories that were looked at, ``left`` those that were not because the run
    ended early (``stopped`` says why). ``written`` are the topic lists and narratives that came with it.
    ``aside`` are memories that the engine does not take, each with the reason. ``commit`` is "" when nothing
    was written; with ``proposed`` it lies on the proposal's branch. ``waiting``: nothing was done because a
    proposal waits that holds all there is.
    """

    engine: str
    looked: int = 0
    left: int = 0
    made: tuple[Made, ...] = ()
    written: tuple[Memory, ...] = ()
    refused: tuple[str, ...] = ()
    aside: tuple[tuple[Memory, str], ...] = ()
    dropped: int = 0
    estimate: Estimate | None = None
    cost: Cost | None = None
    commit: str = ""
    proposed: bool = False
    waiting: bool = False
    stopped: str = ""


def consolidate(
    store: Store,
    engine: Engine,
    options: Options,
    told: Told | None = None,
    progress: Progress | None = None,
) -> Report:
    """Consolidate what is new since the last time, in one sealed commit or none.

    Args:
        store: the vault.
        engine, options: who plans, and what to do with it.
        told: called before the first question with the number of new memories and what they may cost.
        progress: called with groups done and all groups.

    Raises:
        TamperedError: the branch is refused; nothing was opened.
        ModelError: the model could not be asked to the end; what was planned before is written.
    """
    if options.propose and not options.dry_run and proposal.is_waiting(store):
        return Report(engine.name, waiting=True)
    found = gather(store, options.scope)
    if not found.news:
        return Report(engine.name)
    estimate = _estimated(engine, found, told)
    thoughts = think(engine, found.groups, progress)
    made = outcome(thoughts.plans, store.now(), store.new_id, found.may)
    extras, untold = _extras(store, engine, found, thoughts, _after(found, made))
    work = _work(store, found, thoughts, [*_writes(made), *extras], untold=untold)
    commit, dropped = _carried_out(store, work, options)
    report = replace(
        _report(engine, found, thoughts, made, dropped),
        written=tuple(one.memory for one in extras if one.memory.id not in dropped),
        estimate=estimate,
        commit=commit,
        proposed=options.propose and bool(work.writes) and bool(commit),
    )
    if thoughts.stopped and not isinstance(thoughts.stopped, BudgetSpentError):
        raise _interrupted(thoughts.stopped, report)
    return report


def _estimated(engine: Engine, found: Found, told: Told | None) -> Estimate | None:
    if not found.groups:
        return None
    estimate = engine.prepare(found.groups)
    if told:
        told(sum(len(group.new) for group in found.groups), estimate)
    return estimate


def _report(
    engine: Engine, found: Found, thoughts: Thoughts, made: Outcome, dropped: frozenset[str]
) -> Report:
    """What the engine's part of a run came to."""
    done = {one.id for one in thoughts.looked} | thoughts.aside.keys()
    return Report(
        engine.name,
        looked=len(thoughts.looked),
        left=sum(one.id not in done for group in found.groups for one in group.new),
        made=tuple(one for one in made.made if one.memory.id not in dropped),
        refused=made.refused,
        aside=tuple(thoughts.aside.values()),
        dropped=len(dropped),
        cost=engine.report(),
        stopped=thoughts.stopped.message if thoughts.stopped else "",
    )


def _writes(made: Outcome) -> list[Write]:
    return [Write(one.memory, tuple(basis.id for basis in one.basis)) for one in made.made]


def _after(found: Found, made: Outcome) -> dict[str, Memory]:
    """All memories as they will be."""
    return {**found.everything, **{one.memory.id: one.memory for one in made.made}}


def _extras(
    store: Store, engine: Engine, found: Found, thoughts: Thoughts, after: dict[str, Memory]
) -> tuple[list[Write], bool]:
    """Topic indexes and narratives, and whether narratives are still to be told."""
    now = store.now()
    current = list(holding(after.values(), now))
    indexes = [contents(project, current, now, store.new_id) for project in _projects(found)]
    written = [
        Write(memory, (*memory.sources, *([memory.id] if before else [])))
        for before, memory in filter(None, indexes)
    ]
    if thoughts.stopped:
        return written, True
    may = publishable(after.values(), share.rules(store, found.tip), now)
    touched: Container[str] = {one.id for one in thoughts.looked} | {
        one for one in after if after[one] != found.everything.get(one)
    }
    try:
        touched = after if found.marker.untold else touched
        written.extend(narratives(engine, current, may, touched, (now, store.new_id)))
    except ModelError as error:
        thoughts.stopped = error
        return written, True
    return written, False


def _projects(found: Found) -> list[str]:
    return sorted({group.project for group in found.groups})


def _work(store: Store, found: Found, thoughts: Thoughts, writes: list[Write], *, untold: bool) -> Work:
    """The writes together with the marker that goes with them."""
    changed = [one for one in writes if one.memory != found.everything.get(one.memory.id)]
    looked = apply.look([*thoughts.looked, *(one for one, _ in thoughts.aside.values())])
    whole = found.whole and not thoughts.stopped
    if not changed and not looked and not (whole and found.marker.untold):
        return Work(found, (), found.marker, {})
    mark = marker.moved(store, found.marker, found.tip, looked) if whole else found.marker
    # what a step changed has a new rev, which is not news
    ours = apply.look([one.memory for one in changed if one.memory.id in found.everything])
    aside = {one.id: (one.rev, why) for one, why in thoughts.aside.values()}
    done = {**mark.done, **({} if whole else looked), **ours}
    kept = {one: value for one, value in mark.aside.items() if one in found.everything}
    mark = replace(mark, done=done, aside={**kept, **aside}, untold=untold)
    return Work(found, tuple(changed), mark, {**looked, **ours})


def _carried_out(store: Store, work: Work, options: Options) -> tuple[str, frozenset[str]]:
    if options.dry_run or (not work.writes and work.marker == work.found.marker):
        return "", frozenset()
    if options.propose and work.writes:
        return proposal.propose(store, work)
    return apply.commit(store, work)  # that nothing has to change needs nobody's word


def _interrupted(error: ModelError, report: Report) -> ModelError:
    if not report.commit:
        return error
    done = f"{report.looked} of {report.looked + report.left} new memories were done before and are kept"
    return type(error)(
        error.message, f"{done}; `gitmem consolidate` goes on from there. {error.hint}".strip()
    )

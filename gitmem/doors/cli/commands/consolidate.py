"""gitmem consolidate."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

from gitmem import app, connect
from gitmem.doors import wire
from gitmem.doors.cli import dates, output
from gitmem.doors.cli.planned import aside, made, money, told
from gitmem.doors.cli.verb import Call, verb
from gitmem.errors import DONE_IN_PART
from gitmem.flows import sync
from gitmem.flows.consolidate.engine import Engine, Estimate
from gitmem.flows.consolidate.gather import Scope
from gitmem.flows.consolidate.offline import OfflineEngine
from gitmem.flows.consolidate.run import Options, Report, consolidate
from gitmem.memory.text import noun
from gitmem.store import Store

EXAMPLES = (
    ("gitmem consolidate", "All that is new; with Claude where there is an API key"),
    (
        "gitmem consolidate --engine offline --dry-run",
        "What would be done without Claude; nothing is written",
    ),
    ("gitmem consolidate --max-cost 0.10", "Never more than ten cents"),
    ("gitmem consolidate --mode propose", "On a branch; `gitmem review` shows and accepts it"),
    ("gitmem undo", "Take the last consolidation back"),
)
_SHOWN = 50  # steps; a first run over an old vault may have hundreds


@verb(name="consolidate", examples=EXAMPLES)
@click.option(
    "--dry-run", is_flag=True, help="Show the plan and write nothing (Claude is asked all the same)."
)
@click.option("--project", metavar="NAME", help='Only of this project ("" for those without one).')
@click.option("--since", default="", metavar="DATE", help="Only memories from then on: a date, or 30d, 12w.")
@click.option("--max-cost", default="", metavar="USD", help="The most to spend (setting consolidate.budget).")
@click.option(
    "--engine", type=click.Choice(("claude", "offline")), help="Who thinks (claude if there is a key)."
)
@click.option("--mode", type=click.Choice(("commit", "propose")), default="commit", help="Write, or propose.")
def command(
    call: Call, dry_run: bool, project: str | None, since: str, max_cost: str, engine: str | None, mode: str
) -> None:
    """Distil new memories into fewer, better ones.

    Duplicates are merged, decisions and facts drawn together, contradictions settled by date or put as a
    question. Nothing is deleted: what was replaced stays, superseded, and `gitmem undo` takes it all back.
    """
    store = app.open_store(call.vault, output.secret_asker())
    now = store.now()
    options = Options(Scope(project, dates.before(since, now) if since else ""), dry_run, mode == "propose")
    chosen = engine or ("claude" if connect.has_model() else "offline")
    thinker: Engine = connect.claude(now[:10], max_cost) if chosen == "claude" else OfflineEngine(now)
    with output.progress("Consolidating") as progress:
        report = consolidate(store, thinker, options, _before, progress)
    public = os.environ.get("GITHUB_ACTIONS") == "true"  # its log may be read by others: counts only
    output.show(call, _counts(report) if public else _payload(report), _lines(report, options, public=public))
    _push(store, report, in_actions=public)
    if report.left and not public:  # a job that kept to its budget has not failed
        click.get_current_context().exit(DONE_IN_PART)


def _push(store: Store, report: Report, *, in_actions: bool) -> None:
    if not report.commit or report.proposed:
        return
    if in_actions and store.remote:  # nothing goes on behind the back of a job that ends
        sync.sync(store)
    else:
        app.push_later(store)


def _before(new: int, estimate: Estimate | None) -> None:
    if estimate:
        most = f"{estimate.requests} requests, at most {money(estimate.dollars)}"
        output.note(f"{new} new {noun(new)}: {most}.")


def _payload(report: Report) -> wire.Json:
    shape = wire.slots(report)
    shape["aside"] = [{"memory": wire.memory(one), "why": why} for one, why in report.aside]
    return shape


def _counts(report: Report) -> wire.Json:
    return {
        "engine": report.engine,
        "looked": report.looked,
        "left": report.left,
        "made": len(report.made),
        "written": len(report.written),
        "replaced": sum(len(one.replaced) for one in report.made),
        "refused": len(report.refused),
        "aside": len(report.aside),
        "dollars": report.cost.dollars if report.cost else 0,
        "commit": report.commit,
        "proposed": report.proposed,
        "waiting": report.waiting,
    }


def _lines(report: Report, options: Options, *, public: bool) -> Iterator[output.Line]:
    if report.waiting:
        yield "A proposal is waiting, and nothing is new since: `gitmem review` shows it."
        return
    if not public:
        for one in report.made[:_SHOWN]:
            yield from made(one)
        if len(report.made) > _SHOWN:
            yield f"… and {len(report.made) - _SHOWN} more; --json has all of them."
        yield from aside(report.aside)
    yield from told(report)
    yield _ending(report, options)


def _ending(report: Report, options: Options) -> output.Line:
    if options.dry_run:
        return "Nothing was written."
    if not report.commit:
        return "Nothing was new." if not report.looked else "Nothing was changed."
    if not report.made and not report.written:
        return "Nothing had to change; how far this looked is noted."
    if report.proposed:
        return "Proposed; `gitmem review` shows it, --accept or --reject decides."
    return ["Consolidated in ", ("id", report.commit[:10]), "; `gitmem undo` takes it back."]

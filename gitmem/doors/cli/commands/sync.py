"""gitmem sync."""

from __future__ import annotations

import click

from gitmem import app
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.verb import Call, verb
from gitmem.flows import sync
from gitmem.flows.background import push

EXAMPLES = (
    ("gitmem sync", "Fetch, merge, push"),
    ("gitmem sync --restore", "Put the last verified state on top of a refused one"),
)


@verb(name="sync", examples=EXAMPLES)
@click.option("--restore", is_flag=True, help="Put the last verified state on top of what was refused.")
@click.option(
    "--background", is_flag=True, hidden=True, help="As started after a write: silent, one at a time."
)
def command(call: Call, restore: bool, background: bool) -> None:
    """Fetch, merge and push.

    Two edits of one memory are merged; where they contradict each other both texts stay, marked. Nothing
    that was not made by a key holder is taken over.
    """
    store = app.open_store(call.vault, None if background else output.secret_asker())
    if background:
        push(store)
        return
    with output.progress("Syncing") as step:
        report = sync.restore(store, step) if restore else sync.sync(store, step)
    output.show(call, wire.slots(report), _lines(report))


def _lines(report: sync.SyncReport) -> list[output.Line]:
    lines: list[output.Line] = [f"pulled {report.pulled}, pushed {report.pushed}; now at {report.tip[:10]}."]
    if report.conflicts:
        lines.append(("bad", "Both sides changed these; both texts are kept, marked:"))
        lines += [["  gitmem edit ", ("id", str(item)[-6:])] for item in report.conflicts]
    return lines

"""gitmem sync."""

from __future__ import annotations

from collections.abc import Iterator

import click

from gitmem import app, connect
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.verb import Call, verb
from gitmem.flows import restore as restoring
from gitmem.flows import sync
from gitmem.flows.background import pack, work
from gitmem.flows.erase import erase
from gitmem.memory.memory import short

EXAMPLES = (
    ("gitmem sync", "Fetch, merge, push"),
    ("gitmem sync --restore", "Put the last verified state on top of a refused one"),
)


@verb(name="sync", examples=EXAMPLES)
@click.option("--restore", is_flag=True, help="Put the last verified state on top of what was refused.")
@click.option("--background", is_flag=True, help="As started after a write: one at a time, in silence.")
def command(call: Call, restore: bool, background: bool) -> None:
    """Fetch, merge and push.

    Two edits of one memory are merged; where they contradict each other both texts stay, marked. Nothing
    that was not made by a key holder is taken over.
    """
    store = app.open_store(call.vault, None if background else output.secret_asker())
    if background:
        work(store, connect.github)
        return
    report = (restoring.restore if restore else sync.sync)(store, output.activity())
    output.show(call, wire.slots(report), _lines(report))
    undeleted = erase(store, connect.github)
    if undeleted:
        output.note(undeleted)
    pack(store)


def _lines(report: sync.SyncReport) -> Iterator[output.Line]:
    yield f"{report.pulled} pulled, {report.pushed} pushed; now at {report.tip[:10]}."
    if report.conflicts:
        yield ("bad", "Both sides changed these; both texts are in them, marked:")
    for memory_id in report.conflicts:
        yield ["  gitmem edit ", ("id", short(memory_id))]
    if report.changed_paths:
        names = output.one_line(", ".join(report.changed_paths[:5]), 60)
        yield f"Other files that the remote changed, for which no seal speaks: {names}"
    if any(path.startswith(".github/") for path in report.changed_paths):
        yield ("bad", "Among them workflows. If it was not you and Actions holds the key, the key is stolen.")

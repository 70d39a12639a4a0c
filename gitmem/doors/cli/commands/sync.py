"""gitmem sync."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from gitmem import app, connect
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.lines import still_kept
from gitmem.doors.cli.verb import Call, verb
from gitmem.flows import restore as restoring
from gitmem.flows import sync
from gitmem.flows.background import pack, work
from gitmem.flows.erase import erase
from gitmem.memory.memory import short
from gitmem.store import Store

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
    output.show(call, wire.slots(report), _lines(store, report))
    undeleted = erase(store, connect.github, output.activity())
    if undeleted:
        output.note(undeleted)
    pack(store)


def _lines(store: Store, report: sync.SyncReport) -> Iterator[output.Line]:
    yield f"{report.pulled} pulled, {report.pushed} pushed; now at {report.tip[:10]}."
    if report.conflicts:
        yield ("bad", "Both sides changed these; both texts are in them, marked:")
    for memory_id in report.conflicts:
        yield ["  gitmem edit ", ("id", short(memory_id))]
    yield from still_kept(report.holders)
    if any(path.startswith(".github/") for path in report.changed_paths):
        yield from _of_workflows(store, report)
    elif report.changed_paths:
        yield f"Other files that the remote changed, for which no seal speaks: {_few(report.changed_paths)}"


def _of_workflows(store: Store, report: sync.SyncReport) -> Iterator[output.Line]:
    """What the remote changed besides memories, where workflows are among it: gitmem's own are no news."""
    from gitmem.flows.workflows import vouched  # only then, for it knows the whole package

    ours = vouched(store)
    strange = [path for path in report.changed_paths if path not in ours]
    if strange:
        yield f"Other files that the remote changed, for which no seal speaks: {_few(strange)}"
    if len(strange) < len(report.changed_paths):
        yield "The workflows are those that another of your devices installed."
    if any(path.startswith(".github/") for path in strange):
        yield ("bad", "Among them workflows. If you did not do this and Actions holds the key,")
        yield ("bad", "the key is stolen: `gitmem rekey`, then look at who may push there.")


def _few(paths: Sequence[str]) -> str:
    return output.one_line(", ".join(paths[:5]), 60)

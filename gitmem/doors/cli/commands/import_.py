"""gitmem import."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import click

from gitmem import app
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.verb import Call, verb
from gitmem.errors import DONE_IN_PART
from gitmem.flows.importing import ImportReport, Options, import_path, import_text

EXAMPLES = (
    ("gitmem import ~/notes", "A folder of markdown, Obsidian style"),
    ("gitmem import chats.jsonl --project family --tag chat", "JSON lines"),
    ("gitmem import backup.jsonl --keep", "Your own export, with trust and share marks as they were"),
    ("gitmem import - < note.md", "From standard input"),
)
_SHOWN = 20


@verb(name="import", examples=EXAMPLES)
@click.argument("path", metavar="PATH")
@click.option("--project", default="", metavar="NAME", help="The project of what is imported.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A tag for what is imported; repeat.")
@click.option(
    "--keep", is_flag=True, help="Take trust and share marks from the files: only your own exports."
)
def command(call: Call, path: str, project: str, tags: tuple[str, ...], keep: bool) -> None:
    """Bring in a folder of markdown, or a JSONL file.

    All of it is one commit, and doing it again adds nothing: entries are known by their source and text. What
    is imported has the trust `import` and is not shared. Ends with 3 when entries were left out.
    """
    options = Options(project, tags, keep)
    store = app.open_store(call.vault, output.secret_asker())
    with output.progress("Importing") as step:
        if path == "-":
            report = import_text(store, sys.stdin.buffer.read(), options)
        else:
            report = import_path(store, os.path.expanduser(path), options, step)
    payload = {
        **wire.slots(report),
        "skipped": [{"name": name, "reason": reason} for name, reason in report.skipped],
    }
    output.show(call, payload, _lines(report))
    if report.commit:
        app.push_later(store)
    if report.skipped:
        click.get_current_context().exit(DONE_IN_PART)


def _lines(report: ImportReport) -> Iterator[output.Line]:
    yield f"{report.added} added, {report.updated} updated, {report.unchanged} already there."
    for name, reason in report.skipped[:_SHOWN]:
        yield ("bad", f"left out {output.one_line(name, 40)}: {reason}")
    if len(report.skipped) > _SHOWN:
        yield f"and {len(report.skipped) - _SHOWN} more left out; --json names all."

"""gitmem export."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from gitmem import app
from gitmem.doors.cli import choose, output
from gitmem.doors.cli.verb import Call, verb
from gitmem.errors import DONE_IN_PART
from gitmem.flows.export import export_folder, export_lines
from gitmem.memory.memory import short
from gitmem.memory.text import noun

EXAMPLES = (
    ("gitmem export ~/plain", "Every memory as a markdown file, into a new folder"),
    ("gitmem export backup.jsonl", "As JSON lines: a backup that `gitmem import --keep` reads back"),
    ("gitmem export - --project shop | jq .title", "To standard output"),
)


@verb(name="export", examples=EXAMPLES)
@click.argument("target", metavar="FOLDER|FILE.jsonl|-")
@choose.filter_options
def command(call: Call, target: str, **chosen: Any) -> None:
    """Write all memories as markdown or JSONL.

    The result is readable by anybody who gets it, and `gitmem import --keep` reads it back to the same vault.
    Without filters every memory is written, expired and superseded ones too. Ends with 3 when one could not
    be opened.
    """
    store = app.open_store(call.vault, output.secret_asker())
    filtered = any(chosen.values())
    wanted = [row.id for row in store.rows(choose.filters(app.now(), chosen))] if filtered else None
    if target == "-":
        done = export_lines(store, sys.stdout.buffer, wanted)
    else:
        path = os.path.abspath(os.path.expanduser(target))
        with output.progress("Exporting") as step:
            write = export_lines if path.endswith(".jsonl") else export_folder
            done = write(store, path, wanted, step)
        said = f"{done.written:,} {noun(done.written)} written, in plain text, to {path}"
        payload = {"path": path, "memories": done.written, "damaged": list(done.damaged)}
        output.show(call, payload, [said])
    for memory_id in done.damaged:
        output.note(
            f"memory {short(memory_id)} cannot be opened and was left out; `gitmem doctor` says more."
        )
    if done.damaged:
        click.get_current_context().exit(DONE_IN_PART)

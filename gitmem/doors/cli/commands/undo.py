"""gitmem undo."""

from __future__ import annotations

import click

from gitmem import app
from gitmem.doors.cli import output
from gitmem.doors.cli.verb import Call, verb
from gitmem.flows import undo

EXAMPLES = (
    ("gitmem undo", "The last change; once more undoes the undoing"),
    ("gitmem undo 3f9c2ab1", "That one alone"),
)


@verb(name="undo", examples=EXAMPLES)
@click.argument("commit", default="")
def command(call: Call, commit: str) -> None:
    """Revert the last change, or the named commit.

    The history stays: a new sealed commit puts back what was there before.
    """
    store = app.open_store(call.vault, output.secret_asker())
    made = undo.undo(store, store.resolve_commit(commit) if commit else "")
    line: output.Line = ["undone by ", ("id", made[:10]), "; `gitmem undo` again takes it back."]
    output.show(call, {"commit": made}, [line if made else "There is nothing to undo."])
    app.push_later(store)

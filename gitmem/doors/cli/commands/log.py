"""gitmem log."""

from __future__ import annotations

import click

from gitmem import app
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.lines import commits
from gitmem.doors.cli.verb import Call, complete_id, verb
from gitmem.flows import history
from gitmem.memory.memory import is_id

EXAMPLES = (
    ("gitmem log", "The last commits"),
    ("gitmem log 7Q2K9F", "The commits that touched one memory"),
    ("git log -p -- memories", "With the changes in plain text, in the vault's folder"),
)


@verb(name="log", examples=EXAMPLES)
@click.argument("memory_id", metavar="[ID]", default="", shell_complete=complete_id)
@click.option("--limit", "-n", type=click.IntRange(1), default=20, show_default=True, help="At most so many.")
def command(call: Call, memory_id: str, limit: int) -> None:
    """Show the vault's commits, or those of one memory.

    Each was verified. What is not an ordinary sealed commit is marked: plain (made without the key, touching
    no memory), merge (an honest merge by git), vouched (under an anchor), or the kind of anchor.
    """
    store = app.open_store(call.vault, output.secret_asker())
    full = memory_id if not memory_id or is_id(memory_id) else store.resolve(memory_id)
    found = history.log(store, full, limit)
    output.show(call, {"commits": [wire.slots(commit) for commit in found]}, commits(found))

"""gitmem diff."""

from __future__ import annotations

import click

from gitmem import app
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.lines import changes
from gitmem.doors.cli.verb import Call, verb
from gitmem.flows import history

EXAMPLES = (
    ("gitmem diff", "What the last commit changed"),
    ("gitmem diff 2026-11-01", "What changed since that day"),
    ("gitmem diff 3f9c2ab1 HEAD~2", "Between two commits"),
    ("gitmem diff HEAD gitmem/proposal", "What a proposed consolidation would change"),
)


@verb(name="diff", examples=EXAMPLES)
@click.argument("a", metavar="[FROM]", default="HEAD~1")
@click.argument("b", metavar="[TO]", default="HEAD")
def command(call: Call, a: str, b: str) -> None:
    """Show what changed between two commits, decrypted.

    FROM and TO are commits, branches, dates, or HEAD~2; without them the last commit is shown.
    """
    store = app.open_store(call.vault, output.secret_asker())
    found = history.difference(store, store.resolve_commit(a), store.resolve_commit(b))
    payload = {"changes": [wire.slots(change) for change in found]}
    output.show(call, payload, list(changes(found)) or ["No memory changed."])

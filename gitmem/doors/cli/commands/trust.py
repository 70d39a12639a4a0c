"""gitmem trust."""

from __future__ import annotations

import click

from gitmem import app
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.lines import changes
from gitmem.doors.cli.verb import Call, verb
from gitmem.flows import trust

EXAMPLES = (
    ("gitmem trust 3f9c2ab1", "Shows what it changes, decrypted, then asks"),
    ("gitmem trust 3f9c2ab1d0e4a7b6c5f8091a2b3c4d5e6f708192 --yes", "Without a terminal: the full id"),
    ("gitmem sync --restore", "The other answer: leave it out"),
)


@verb(name="trust", examples=EXAMPLES)
@click.argument("commit")
@click.option("--yes", "-y", is_flag=True, help="Do not ask (wants the full commit id).")
def command(call: Call, commit: str, yes: bool) -> None:
    """Accept a commit that was not made by gitmem.

    Everything up to that commit becomes part of the vault, by a sealed commit that every device accepts. Look
    at the difference first: whoever pushed it does not need to have the key.
    """
    if yes and len(commit) not in (40, 64):
        raise click.UsageError("--yes wants the full commit id, so that nothing else can be meant.")
    store = app.open_store(call.vault, output.secret_asker())
    found = trust.preview(store, commit)
    shown = list(changes(found)) or ["It changes no memory."]
    if not yes:
        output.ask_first(shown, "Keep this?")
    made = trust.trust(store, commit)
    payload = {"commit": made, "changes": [wire.slots(change) for change in found]}
    output.show(call, payload, [*(shown if yes else []), f"Trusted by {made[:10]}."])
    app.push_later(store)

"""gitmem review."""

from __future__ import annotations

import os

import click

from gitmem import app
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.lines import changes
from gitmem.doors.cli.verb import Call, verb
from gitmem.flows.consolidate import proposal
from gitmem.memory.text import noun

EXAMPLES = (
    ("gitmem review", "Show what the waiting proposal would change, decrypted"),
    ("gitmem review --accept", "Bring it into the vault"),
    ("gitmem review --reject", "Take it away; its memories do not come up again"),
)


@verb(name="review", examples=EXAMPLES)
@click.option("--accept", "decision", flag_value="accept", help="Bring the proposal into the vault.")
@click.option(
    "--reject", "decision", flag_value="reject", help="Take the proposal away, here and on the remote."
)
def command(call: Call, decision: str | None) -> None:
    """Look at a proposed consolidation; accept or reject it.

    The proposal lies sealed on the branch gitmem/proposal. It is verified before any of it is opened.
    """
    store = app.open_store(call.vault, output.secret_asker())
    offer = proposal.pending(store)
    count = len(offer.changes)
    payload: wire.Json = {"proposal": offer.commit, "changes": count, "decision": decision or ""}
    public = os.environ.get("GITHUB_ACTIONS") == "true"
    if decision:
        made = (proposal.accept if decision == "accept" else proposal.reject)(store, offer)
        payload["commit"] = made
        output.show(call, payload, [f"{decision.capitalize()}ed: {count} {noun(count)}."])
        app.push_later(store)
        return
    if not public:
        payload["changes"] = [wire.slots(change) for change in offer.changes]
    lines: list[output.Line] = [] if public else list(changes(offer.changes))
    end = f"{count} {noun(count)} would change. `gitmem review --accept` or `--reject` decides."
    output.show(call, payload, [*lines, end])

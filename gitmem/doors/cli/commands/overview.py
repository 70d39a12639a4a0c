"""gitmem alone: how to begin, or how things stand."""

from __future__ import annotations

from gitmem import app
from gitmem.doors.cli import output
from gitmem.doors.cli.lines import minute
from gitmem.doors.cli.verb import Call, verb
from gitmem.memory.text import noun

BEGIN: list[output.Line] = [
    "gitmem init          make a vault: sealed memories in a git repository of yours",
    "gitmem join          bring a vault from another device, by its join code",
    "gitmem --help        all commands",
]
FIVE: list[output.Line] = [
    "gitmem write TEXT    remember something",
    "gitmem search WORDS  find it again",
    "gitmem list          the newest memories",
    "gitmem sync          fetch, merge, push",
    "gitmem --help        all commands",
]


@verb(name="overview", examples=())
def command(call: Call) -> None:
    """How to begin, or how things stand."""
    if not app.has_vault(call.vault):
        output.show(call, {"vault": None}, BEGIN)
        return
    from gitmem.flows.status import status  # who has no vault yet need not wait for git and the index

    found = status(app.open_store(call.vault, output.secret_asker()))
    count = f"{found.memories:,} {noun(found.memories)} in {found.path}"
    when = minute(found.last_sync) or "never"
    synced = f"Last sync: {when}." if found.remote else "No remote: this device holds the only copy."
    payload = {"vault": {"path": found.path, "memories": found.memories, "last_sync": found.last_sync}}
    output.show(call, payload, [("head", count), synced, "", *FIVE])

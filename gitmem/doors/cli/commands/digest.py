"""gitmem digest."""

from __future__ import annotations

import os

import click

from gitmem import app, config
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.verb import Call, verb
from gitmem.flows.publish import publish
from gitmem.memory.text import noun

EXAMPLES = (
    ("gitmem write 'We ship on Thursdays' --share", "Mark a memory"),
    ("gitmem digest ~/public", "index.html and digest.txt, of nothing but marked memories"),
    ("gitmem digest ~/public --budget 20000", "A longer one"),
)


@verb(name="digest", examples=EXAMPLES)
@click.argument("directory", metavar="DIR")
@click.option(
    "--budget", type=click.IntRange(200), help="At most so many characters (setting digest.budget)."
)
def command(call: Call, directory: str, budget: int | None) -> None:
    """Render the memories marked to share as a page.

    One plain HTML page without scripts, and the same as text. Whoever can open the folder can read it;
    nothing that is not marked ever appears.
    """
    store = app.open_store(call.vault, output.secret_asker())
    folder = os.path.abspath(os.path.expanduser(directory))
    made = publish(store, folder, budget or int(config.get("digest.budget")))
    lines: list[output.Line] = [
        f"{made.shown} shared {noun(made.shown)} in {name}"
        for name in (os.path.join(folder, file) for file in made.files)
    ]
    if made.left_out:
        lines.append(f"{made.left_out} left out for want of room; --budget makes more.")
    if not made.shown:
        lines.append("Nothing is marked to share yet: `gitmem edit ID --share` marks a memory.")
    output.show(call, wire.slots(made), lines)

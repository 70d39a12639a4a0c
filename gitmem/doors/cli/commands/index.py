"""gitmem index."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

from gitmem import app
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.verb import Call, verb
from gitmem.flows import embedding
from gitmem.flows.embedding import State
from gitmem.memory.text import noun

EXAMPLES = (
    ("gitmem index", "Bring the search index up, and show what is in it"),
    ("gitmem index --rebuild", "Make it anew from the vault"),
)


@verb(name="index", examples=EXAMPLES)
@click.option("--rebuild", is_flag=True, help="Drop the index first.")
@click.option("--background", is_flag=True, hidden=True, help="As started after a search: in silence.")
def command(call: Call, rebuild: bool, background: bool) -> None:
    """Bring the search index up to date, and show its state.

    Searches do so by themselves. With a model (`gitmem model install`) every passage also gets a vector:
    beside the next searches, or here at once. It may be stopped at any time, and goes on from there.
    """
    store = app.open_store(call.vault, None if background else output.secret_asker())
    embedder = app.embedder()
    if background and embedder is not None:
        if hasattr(os, "nice"):
            os.nice(10)  # it may take minutes, and nobody waits for it
        embedding.fill(store, embedder, wait=False)
    if background:
        return
    if rebuild:
        store.drop_index()
    store.indexing = output.late_progress("Indexing memories")
    found = embedding.state(store)
    if embedder is not None and (found.embedder, found.embedded) != (embedder.name, found.memories):
        with output.progress("Making vectors") as step:
            why = embedding.fill(store, embedder, step)
        if why:
            output.note(why)
        found = embedding.state(store)
    model = embedder.name if embedder else ""
    output.show(call, {**wire.slots(found), "model": model}, _lines(found, model))


def _lines(found: State, model: str) -> Iterator[output.Line]:
    size = f"{found.bytes / 1e6:.1f} MB"
    yield f"{found.memories:,} {noun(found.memories)} in {found.passages:,} passages, {size}."
    if found.embedder:
        yield f"{found.vectors:,} vectors of {found.embedder}, for {found.embedded:,} of the memories."
    if not model:
        yield "Searches go by words alone; `gitmem model status` says what would add their meaning."

"""gitmem read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from gitmem import app, config
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.lines import head, whole
from gitmem.doors.cli.verb import Call, complete_id, verb
from gitmem.flows.recall import recall
from gitmem.memory.memory import Memory, is_id
from gitmem.memory.text import derive_title
from gitmem.store import Store

EXAMPLES = (
    ("gitmem read", "The best memories of this project, within 8,000 characters"),
    ("gitmem read 7Q2K9F", "One memory"),
    ("gitmem read 7Q2K9F --at 2026-11-01", "As it was on that day"),
    ("gitmem read 7Q2K9F --raw", "With its front matter"),
)


@verb(name="read", examples=EXAMPLES)
@click.argument("memory_ids", metavar="[ID]...", nargs=-1, shell_complete=complete_id)
@click.option("--at", default="", metavar="DATE|COMMIT", help="As it was then.")
@click.option("--raw", is_flag=True, help="The whole document (control characters stay visible).")
@click.option("--project", metavar="NAME", help="Without an id: this project's memories ('' for all).")
@click.option(
    "--budget", type=click.IntRange(200), help="Without an id: so many characters (setting read.budget)."
)
def command(
    call: Call, memory_ids: tuple[str, ...], at: str, raw: bool, project: str | None, budget: int | None
) -> None:
    """Print memories, or the best ones of this project."""
    store = app.open_store(call.vault, output.secret_asker())
    store.indexing = output.late_progress()
    if not memory_ids:
        _pack(call, store, app.default_project(store.path) if project is None else project, budget)
        return
    commit = store.resolve_commit(at) if at else ""
    ids = [text if at and is_id(text) else store.resolve(text) for text in memory_ids]
    found = [store.get(memory_id, at=commit) for memory_id in ids]
    output.show(call, wire.memories(found), _texts(found, raw))


def _texts(found: Sequence[Memory], raw: bool) -> Iterator[output.Line]:
    for place, memory in enumerate(found):
        if place:
            yield ""
        if raw:
            yield whole(memory)
            continue
        yield head(memory)
        if memory.title and memory.title != derive_title(memory.body):
            yield ("head", memory.title)
        yield memory.body


def _pack(call: Call, store: Store, project: str, budget: int | None) -> None:
    text = recall(store, project, budget or int(config.get("read.budget")))
    empty = "This vault is empty. `gitmem write 'text'` remembers something."
    output.show(call, {"project": project, "text": text}, [text.rstrip("\n") or empty])

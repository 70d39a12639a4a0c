"""gitmem forget."""

from __future__ import annotations

import click

from gitmem import app
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.lines import entry, title_of
from gitmem.doors.cli.verb import Call, complete_id, verb
from gitmem.memory.text import noun

EXAMPLES = (
    ("gitmem forget 7Q2K9F", "Shows it, asks, removes it"),
    ("gitmem forget 7Q2K9F M3X0PA --yes", "Two at once, without asking"),
    ("gitmem undo", "Brings them back"),
)


@verb(name="forget", examples=EXAMPLES)
@click.argument("memory_ids", metavar="ID...", nargs=-1, required=True, shell_complete=complete_id)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def command(call: Call, memory_ids: tuple[str, ...], yes: bool) -> None:
    """Remove memories (history keeps them until a purge).

    They vanish from search, lists and the digest on every device. The history still holds them, sealed:
    whoever has the key can read them there, and `gitmem undo` brings them back.
    """
    store = app.open_store(call.vault, output.secret_asker())
    found = [store.get(memory_id) for memory_id in dict.fromkeys(store.resolve(text) for text in memory_ids)]
    listed: list[output.Line] = [entry(memory, title_of(memory)) for memory in found]
    if not yes:
        output.ask_first(
            listed, f"Forget {'this memory' if len(found) == 1 else f'these {len(found)} memories'}?"
        )
    commit = store.forget([memory.id for memory in found])
    are, them = ("is", "it") if len(found) == 1 else ("are", "them")
    said = f"{len(found)} {noun(len(found))} {are} forgotten"
    closing = f"{said}; the history still holds {them}, and `gitmem undo` brings {them} back."
    output.show(call, {**wire.memories(found), "commit": commit}, [*(listed if yes else []), closing])
    app.push_later(store)

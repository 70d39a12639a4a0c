"""gitmem write."""

from __future__ import annotations

from typing import Any

import click

from gitmem import app
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.lines import title_of
from gitmem.doors.cli.typed import text_of
from gitmem.doors.cli.verb import Call, verb
from gitmem.flows.remember import Written, remember
from gitmem.memory.memory import KINDS, short
from gitmem.store import Store

EXAMPLES = (
    ("gitmem write 'The staging database is read-only on Fridays'", "One line"),
    ("git log -1 --format=%B | gitmem write - --kind decision --tag release", "From another command"),
    ("gitmem write --file notes.md --title 'Release steps' --share", "A file, marked for the digest"),
    ("gitmem write", "In your editor"),
)


@verb(name="write", examples=EXAMPLES)
@click.argument("text", nargs=-1)
@click.option("--file", default="", metavar="PATH", help="Read the text from a file (- for standard input).")
@click.option("--title", default="", help="A title (else the first line stands for one).")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A tag; may be repeated.")
@click.option(
    "--project", default=None, metavar="NAME", help="The project (else this folder's; '' for none)."
)
@click.option("--kind", type=click.Choice(KINDS), default="note", show_default=True, help="What it is.")
@click.option("--importance", type=click.FloatRange(0, 1), help="From 0 to 1.")
@click.option("--expires", default="", metavar="DATE", help="2026-12-31, or a span: 30d, 12w, 6mo, 1y.")
@click.option("--share", is_flag=True, help="May appear in the digest.")
@click.option("--again", is_flag=True, help="Write it even if a memory says the same already.")
@click.option("--resume", is_flag=True, help="Take up the text that an interrupted `gitmem write` kept.")
def command(
    call: Call,
    text: tuple[str, ...],
    file: str,
    project: str | None,
    expires: str,
    again: bool,
    resume: bool,
    **fields: Any,
) -> None:
    """Remember something: text, a file, or what you type.

    Text comes from the arguments, from --file, from standard input (- or no terminal), or from your editor.
    Writing the same text again changes nothing and prints its id.
    """
    if text and file:
        raise click.UsageError("Give the text as arguments or by --file, not both.")
    given = None if resume else text_of(text, file)
    store = app.open_store(call.vault, output.secret_asker())
    origin = app.origin()
    fields["project"] = app.default_project(store.path) if project is None else project
    fields["expires"] = _expiry(expires) if expires else ""

    def keep(body: str) -> Written:
        return remember(store, body, trust=origin.trust, session=origin.session, again=again, **fields)

    if given is not None:
        _tell(call, store, keep(given))
        return
    from gitmem.doors.cli import compose  # brings YAML and signals, which a plain write does not need

    _tell(call, store, compose.compose(store, keep, resume=resume))


def _expiry(text: str) -> str:
    from gitmem.doors.cli import dates  # most memories have none

    return dates.after(text, app.now())


def _tell(call: Call, store: Store, written: Written) -> None:
    memory = written.memory
    said = "wrote" if written.fresh else "already there"
    title = output.one_line(title_of(memory), output.width() - len(said) - 9)
    output.show(
        call,
        {"memory": wire.memory(memory), "written": written.fresh},
        [[f"{said} ", ("id", short(memory.id)), f"  {title}"]],
    )
    if written.fresh:
        app.push_later(store)

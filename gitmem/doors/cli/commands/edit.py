"""gitmem edit."""

from __future__ import annotations

from dataclasses import replace

import click

from gitmem import app
from gitmem.doors import wire
from gitmem.doors.cli import compose, dates, output
from gitmem.doors.cli.lines import title_of
from gitmem.doors.cli.typed import text_of
from gitmem.doors.cli.verb import Call, complete_id, verb
from gitmem.flows import draft
from gitmem.flows.remember import revise
from gitmem.memory.memory import KINDS, Memory, short

EXAMPLES = (
    ("gitmem edit 7Q2K9F", "In your editor"),
    ("gitmem edit 7Q2K9F --tag release --tag ci --importance 0.9", "Without an editor"),
    ("gitmem edit 7Q2K9F --body - < better.md", "A new text from standard input"),
    ("gitmem edit 7Q2K9F --expires never --no-share", "Take an expiry date and the share mark away"),
)


@verb(name="edit", examples=EXAMPLES)
@click.argument("memory_id", metavar="ID", shell_complete=complete_id)
@click.option("--title", help="A new title ('' for none).")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="All tags anew; repeat ('' for none).")
@click.option("--project", metavar="NAME", help="Another project ('' for none).")
@click.option("--kind", type=click.Choice(KINDS), help="Another kind.")
@click.option("--importance", type=click.FloatRange(0, 1), help="From 0 to 1.")
@click.option("--expires", metavar="DATE", help="A date or a span; `never` takes it away.")
@click.option("--share/--no-share", default=None, help="Whether it may appear in the digest.")
@click.option("--body", metavar="TEXT", help="A new text (- for standard input).")
@click.option("--resume", is_flag=True, help="Take up the draft that an interrupted edit kept.")
def command(call: Call, memory_id: str, resume: bool, **options: object) -> None:
    """Change a memory, in your editor or by options.

    A half-edited text is never lost: when the edit fails, the draft is kept sealed and --resume takes it up.
    """
    store = app.open_store(call.vault, output.secret_asker())
    before = store.get(store.resolve(memory_id))
    trust = app.origin().trust
    changes = {name: value for name, value in options.items() if value is not None and value != ()}
    if changes:
        after = revise(store, before, _changed(before, changes), trust)
    else:
        text = draft.kept(store, before.id) if resume else draft.form(before)
        again = f"gitmem edit {short(before.id)} --resume"
        after = compose.edit(
            store,
            before.id,
            text,
            lambda form: revise(store, before, draft.parse(form, before), trust),
            again,
        )
    said = "unchanged" if after.rev == before.rev else "edited"
    line: output.Line = [
        f"{said} ",
        ("id", short(after.id)),
        f"  {output.one_line(title_of(after), output.width() - 18)}",
    ]
    output.show(call, {"memory": wire.memory(after), "written": after.rev != before.rev}, [line])
    if after.rev != before.rev:
        app.push_later(store)


def _changed(memory: Memory, options: dict[str, object]) -> Memory:
    if "body" in options:
        options["body"] = (text_of([str(options["body"])], "") or "").strip("\n")
    if "tags" in options:
        tags = options["tags"]
        options["tags"] = tuple(tag for tag in tags if tag) if isinstance(tags, tuple) else ()
    if "expires" in options:
        text = str(options["expires"])
        options["expires"] = "" if text in ("", "never") else dates.after(text, app.now())
    return replace(memory, **options)

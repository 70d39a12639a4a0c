"""gitmem list."""

from __future__ import annotations

import click

from gitmem import app
from gitmem.doors import wire
from gitmem.doors.cli import choose, output
from gitmem.doors.cli.lines import entry
from gitmem.doors.cli.verb import Call, verb

EXAMPLES = (
    ("gitmem list", "The newest ones"),
    ("gitmem list --project shop --kind decision --since 30d", "Last month's decisions of one project"),
    ("gitmem list --limit 0 --json", "Everything, for a program"),
)


@verb(name="list", examples=EXAMPLES)
@choose.filter_options
@click.option(
    "--limit", "-n", type=click.IntRange(0), default=20, show_default=True, help="At most so many; 0: all."
)
def command(call: Call, limit: int, **chosen: object) -> None:
    """List memories, newest first."""
    store = app.open_store(call.vault, output.secret_asker())
    store.indexing = output.late_progress()
    filters = choose.filters(app.now(), chosen)
    rows = store.rows(filters, limit or None)
    lines: list[output.Line] = [entry(row, row.title) for row in rows]
    total = store.count(filters) if limit and len(rows) == limit else len(rows)
    if total > len(rows):
        lines.append(("dim", f"{total - len(rows)} more; --limit 0 shows all."))
    payload = {"memories": [wire.row(row) for row in rows], "total": total}
    output.show(
        call, payload, lines or ["No memories fit. `gitmem list` without filters shows the newest ones."]
    )

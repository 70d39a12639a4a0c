"""gitmem search."""

from __future__ import annotations

from collections.abc import Iterator

import click

from gitmem import app, config
from gitmem.doors import wire
from gitmem.doors.cli import choose, output
from gitmem.doors.cli.lines import entry, title_of
from gitmem.doors.cli.verb import Call, verb
from gitmem.store import Hit

EXAMPLES = (
    ("gitmem search 'how do we deploy to staging'", "A question or some words"),
    ("gitmem search postgres --project shop --since 6mo", "Within one project, lately"),
    ("gitmem search 'release steps' --json --limit 3", "For a program"),
)


@verb(name="search", examples=EXAMPLES)
@click.argument("query", nargs=-1, required=True)
@choose.filter_options
@click.option("--limit", "-n", type=click.IntRange(1, 1000), help="At most so many (setting search.limit).")
def command(call: Call, query: tuple[str, ...], limit: int | None, **chosen: object) -> None:
    """Find memories by what they say, best first."""
    store = app.open_store(call.vault, output.secret_asker())
    words = " ".join(query)
    hits = store.search(words, choose.filters(app.now(), chosen), limit or int(config.get("search.limit")))
    shapes = [{**wire.memory(hit.memory), "score": hit.score, "snippet": hit.snippet} for hit in hits]
    output.show(call, {"query": words, "hits": shapes}, _lines(hits))


def _lines(hits: list[Hit]) -> Iterator[output.Line]:
    for hit in hits:
        yield entry(hit.memory, title_of(hit.memory))
        yield ("dim", f"        {output.one_line(hit.snippet, output.width() - 8)}")
    if not hits:
        yield "Nothing was found. Other words may help, or --all for expired and superseded memories."

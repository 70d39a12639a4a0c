"""gitmem digest."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

from gitmem import app, config
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.lines import entry, title_of
from gitmem.doors.cli.verb import Call, verb
from gitmem.flows import publish
from gitmem.flows import site as sites
from gitmem.flows.publish_hosts import READERS
from gitmem.memory.digest import is_narrative
from gitmem.memory.memory import short
from gitmem.memory.text import noun

EXAMPLES = (
    ("gitmem write 'We ship on Thursdays' --share", "Mark a memory"),
    ("gitmem digest --preview", "What would be visible, and to whom"),
    ("gitmem digest ~/public", "The pages, in a folder"),
    ("gitmem digest ~/public --budget 20000", "With a longer overview"),
)


@verb(name="digest", examples=EXAMPLES)
@click.argument("directory", metavar="[DIR]", default="")
@click.option("--preview", is_flag=True, help="List exactly what would be visible, and to whom.")
@click.option(
    "--budget", type=click.IntRange(200), help="Characters of the overview (setting digest.budget)."
)
def command(call: Call, directory: str, preview: bool, budget: int | None) -> None:
    """Show or render what the digest publishes.

    An overview, a page for each project and memory, and the same as text, without scripts. Nothing that is
    not shared ever appears; `gitmem publish` puts it where an assistant can fetch it.
    """
    if preview == bool(directory):
        raise click.UsageError("Name a folder for the pages, or look at them by --preview.")
    store = app.open_store(call.vault, output.secret_asker())
    if preview:
        host, seen = sites.read(store).host, publish.look(store)
        output.show(call, _payload(host, seen), _preview(host, seen))
        return
    folder = os.path.abspath(os.path.expanduser(directory))
    made = publish.publish(store, folder, budget or int(config.get("digest.budget")))
    lines: list[output.Line] = [
        f"{made.shown} shared {noun(made.shown)} in {made.files} files.",
        f"Begin with {os.path.join(folder, 'index.html')}",
    ]
    if made.removed:
        lines.append(f"{made.removed} files of a former digest were removed.")
    if not made.shown:
        lines.append("Nothing is shared yet: `gitmem share ID` marks a memory.")
    output.show(call, {"folder": folder, **wire.slots(made)}, lines)


def _payload(host: str, seen: publish.Look) -> dict[str, object]:
    digest = seen.digest
    return {
        "host": host,
        "readers": list(READERS[host]),
        "version": digest.version,
        "memories": [wire.memory(memory) for memory in digest.published],
        "held": [{"id": one.memory.id, "why": one.why} for one in digest.held],
        "secrets": [finding._asdict() for finding in seen.findings],
    }


def _preview(host: str, seen: publish.Look) -> Iterator[output.Line]:
    digest = seen.digest
    shown = len(digest.published)
    yield ("head", f"Visible: {shown} {noun(shown)}, with their titles, dates, tags, projects and texts")
    for memory in digest.published:
        mark = "  (narrative)" if is_narrative(memory) else ""
        line = entry(memory, title_of(memory))
        yield [*line, ("dim", mark)] if isinstance(line, list) and mark else line
    if digest.held:
        yield ""
        yield ("head", f"Shared, and yet not visible: {len(digest.held)}")
        for one in digest.held:
            title = output.one_line(title_of(one.memory), output.width() - len(one.why) - 12)
            yield ["  ", ("id", short(one.memory.id)), f"  {title}", ("dim", f"  {one.why}")]
    if seen.findings:
        yield ""
        yield ("bad", "Nothing is published while secrets seem to stand in it:")
        for finding in seen.findings:
            yield ["  ", ("id", short(finding.id)), f"  {finding.kind}"]
    yield ""
    yield ("head", "Who can read it")
    yield from (f"  {line}" for line in READERS[host])

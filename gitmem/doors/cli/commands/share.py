"""gitmem share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from gitmem import app
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.lines import entry, title_of
from gitmem.doors.cli.verb import Call, complete_id, verb
from gitmem.flows import share
from gitmem.memory.memory import KINDS, short
from gitmem.memory.sharing import Rules
from gitmem.memory.text import noun
from gitmem.store import Store

EXAMPLES = (
    ("gitmem share 7Q2K9F M3X0PA", "These two may appear in the digest"),
    ("gitmem share 7Q2K9F --off", "Not any more"),
    ("gitmem share --project shop --kind decision", "Rules: all of that project, and all decisions"),
    ("gitmem share --tag public --off", "Take a rule away"),
    ("gitmem share --list", "The rules, and everything that is shared"),
)


@verb(name="share", examples=EXAMPLES)
@click.argument("memory_ids", metavar="[ID]...", nargs=-1, shell_complete=complete_id)
@click.option("--project", "projects", multiple=True, metavar="NAME", help="Everything of this project.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Everything with this tag.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Everything of this kind.")
@click.option("--off", is_flag=True, help="Take the mark or the rule away.")
@click.option("--list", "listing", is_flag=True, help="Show the rules and what is shared.")
def command(
    call: Call,
    memory_ids: tuple[str, ...],
    projects: tuple[str, ...],
    tags: tuple[str, ...],
    kinds: tuple[str, ...],
    off: bool,
    listing: bool,
) -> None:
    """Mark memories to share, or set a rule that does.

    What is shared may appear in the digest, once you publish one. Rules are sealed in the vault and cover
    what you write later as well. `gitmem digest --preview` shows what would be visible.
    """
    named = bool(projects or tags or kinds)
    if listing + bool(memory_ids) + named != 1:
        raise click.UsageError("Name memories, or a rule (--project, --tag, --kind), or --list.")
    store = app.open_store(call.vault, output.secret_asker())
    if listing:
        _list(call, store)
        return
    if named:
        known = share.rule(store, projects, tags, kinds, not off)
        output.show(call, {"rules": wire.slots(known)}, _rules(known))
    else:
        ids = dict.fromkeys(store.resolve(text) for text in memory_ids)
        done = share.mark(store, list(ids), not off)
        output.show(call, {"shared": [wire.slots(one) for one in done]}, _marked(done, off))
    app.push_later(store)


def _list(call: Call, store: Store) -> None:
    known = share.rules(store)
    found = sorted(share.marked(store), key=lambda memory: memory.created, reverse=True)
    payload = {"rules": wire.slots(known), **wire.memories(found)}
    lines: list[output.Line] = [*_rules(known), f"{len(found)} {noun(len(found))} shared:"]
    output.show(call, payload, [*lines, *(entry(memory, title_of(memory)) for memory in found)])


def _rules(known: Rules) -> Iterator[output.Line]:
    parts = (("project", known.projects), ("tag", known.tags), ("kind", known.kinds))
    lines = [f"  --{name} {output.one_line(word, 60)}" for name, words in parts for word in words]
    yield "Rules that share whatever fits:" if lines else "No rule shares anything by itself."
    yield from lines


def _marked(done: Sequence[share.Shared], off: bool) -> Iterator[output.Line]:
    for one in done:
        said = "not marked" if off else "marked"
        yield [f"{said}  ", ("id", short(one.memory.id)), "  ", output.one_line(title_of(one.memory), 54)]
    for one in done if off else ():
        for rule in one.rules:
            line = f"{short(one.memory.id)} is still shared by a rule: `gitmem share {rule} --off` ends it."
            yield ("bad", output.one_line(line, 200))

"""gitmem inbox."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

import click

from gitmem import app, connect
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.lines import entry, head, title_of
from gitmem.doors.cli.verb import Call, Verbs, complete_id, verb
from gitmem.flows import inbox
from gitmem.flows.ingest import hinted
from gitmem.flows.ingest import ingest as take_in
from gitmem.flows.plaintext import write_file
from gitmem.index.filters import Filters
from gitmem.memory.memory import Memory
from gitmem.memory.text import noun
from gitmem.store import Store


@click.group(name="inbox", cls=Verbs, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Accept or reject what came in by a link.

    Alone it is `gitmem inbox list`. What came in is found by search and marked `trust inbox`; it is never
    published and never given to an assistant by itself until you accept it.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


@verb(
    name="list",
    examples=[
        ("gitmem inbox list", "What came in, decrypted, oldest first"),
        ("gitmem inbox accept 7Q2K9F", "Vouch for one"),
    ],
)
def list_(call: Call) -> None:
    """Show what came in and waits for your word."""
    store = app.open_store(call.vault, output.secret_asker())
    found = _waiting(store)
    output.show(call, wire.memories(found), _shown(found))


def _waiting(store: Store) -> list[Memory]:
    rows = store.rows(Filters(trust="inbox", everything=True))
    return list(store.memories([row.id for row in reversed(rows)]))


def _shown(found: Sequence[Memory]) -> Iterator[output.Line]:
    for memory in found:
        yield head(memory)
        yield ("head", output.one_line(title_of(memory), output.width()))
        yield memory.body
        yield ""
    if found:
        yield "`gitmem inbox accept ID` vouches for one, `gitmem inbox reject ID` removes it."
    else:
        yield "The inbox is empty."


_IDS = click.argument("memory_ids", metavar="ID...", nargs=-1, required=True, shell_complete=complete_id)
_YES = click.option("--yes", "-y", is_flag=True, help="Do not show it and ask.")


@verb(
    name="accept",
    examples=[
        ("gitmem inbox accept 7Q2K9F", "Shows it, asks, vouches for it"),
        ("gitmem inbox accept 7Q2K9F M3X0PA --yes", "Two at once, without asking"),
    ],
)
@_IDS
@_YES
def accept(call: Call, memory_ids: tuple[str, ...], yes: bool) -> None:
    """Vouch for memories that came in.

    They get your trust (`self`, or `assistant` where Claude Code runs this) and keep where they came from.
    """
    store = app.open_store(call.vault, output.secret_asker())
    found = _named(store, memory_ids)
    if not yes:
        shown = [line for memory in found for line in (head(memory), ("head", title_of(memory)), memory.body)]
        output.ask_first(shown, f"Accept {'it' if len(found) == 1 else f'these {len(found)}'}?")
    accepted = inbox.accept(store, [memory.id for memory in found], app.origin().trust)
    lines: list[output.Line] = [entry(memory, title_of(memory)) for memory in accepted]
    output.show(call, wire.memories(accepted), [*lines, f"{len(accepted)} accepted."])
    app.push_later(store)


@verb(
    name="reject",
    examples=[
        ("gitmem inbox reject 7Q2K9F", "Shows it, asks, removes it"),
        ("gitmem undo", "Brings it back"),
    ],
)
@_IDS
@_YES
def reject(call: Call, memory_ids: tuple[str, ...], yes: bool) -> None:
    """Remove memories that came in (history keeps them until a purge)."""
    store = app.open_store(call.vault, output.secret_asker())
    found = _named(store, memory_ids)
    listed: list[output.Line] = [entry(memory, title_of(memory)) for memory in found]
    if not yes:
        output.ask_first(listed, f"Remove {'it' if len(found) == 1 else f'these {len(found)}'}?")
    commit = inbox.reject(store, [memory.id for memory in found])
    closing = f"{len(found)} rejected; `gitmem undo` brings back what was."
    output.show(call, {**wire.memories(found), "commit": commit}, [*(listed if yes else []), closing])
    app.push_later(store)


def _named(store: Store, memory_ids: Sequence[str]) -> list[Memory]:
    ids = dict.fromkeys(store.resolve(text) for text in memory_ids)
    return [store.get(memory_id) for memory_id in ids]


@verb(
    name="link",
    examples=[
        ("gitmem inbox link", "The link to the page on your digest's site, for your phone"),
        ("gitmem inbox link https://example.org/remember.html", "The same to a copy of the page there"),
    ],
)
@click.argument("page", default="", metavar="[URL]")
@click.option("--qr/--no-qr", default=None, help="The QR code, for a phone (else at a terminal only).")
def link(call: Call, page: str, qr: bool | None) -> None:
    """Print the link to the page on which you write, or paste, what to remember.

    The page seals the text before it leaves your browser. The link holds the repository's name and a public
    key that only seals; it is no secret.
    """
    store = app.open_store(call.vault, output.secret_asker())
    address = inbox.page_link(store, page)
    output.show(call, {"link": address}, _linked(address, sys.stdout.isatty() if qr is None else qr))


def _linked(address: str, qr: bool) -> Iterator[output.Line]:
    yield address
    if qr:
        from gitmem.site import qr as codes

        style = output.has_colour()
        yield from (("qr", row) if style else row for row in codes.rows(address, inverted=not style))


@verb(
    name="page",
    examples=[("gitmem inbox page remember.html", "To copy to a phone, or to put on any web host")],
)
@click.argument("file", metavar="FILE")
@click.option("--bare", is_flag=True, help="Without the vault's address, which its link then has to carry.")
def page(call: Call, file: str, bare: bool) -> None:
    """Write the page to a file, to save anywhere.

    One file that asks for nothing from elsewhere. It holds the repository's name and the public key, and so
    needs no link to work.
    """
    content = inbox.page(None if bare else app.open_store(call.vault, output.secret_asker()))
    path = os.path.abspath(os.path.expanduser(file))
    write_file(path, content, 0o644)
    output.show(call, {"file": path}, [f"The page is at {path}. Open it in a browser."])


@verb(
    name="ingest",
    examples=[
        ("gitmem inbox ingest", "Take in every open inbox issue of yours now"),
        ('gitmem inbox ingest --event "$GITHUB_EVENT_PATH"', "In Actions"),
    ],
)
@click.option("--event", default="", metavar="FILE", help="The event that started this, as GitHub wrote it.")
def ingest(call: Call, event: str) -> None:
    """Take the owner's inbox issues into the vault, then empty and close them.

    What GitHub Actions runs when an issue is opened. Only issues of the vault's owner count; of each the
    title, tags and text are taken. Prints counts, never text.
    """
    store = app.open_store(call.vault, output.secret_asker())
    done = take_in(store, connect.github(), hinted(event) if event else 0)
    lines: list[output.Line] = [f"{done.taken} {noun(done.taken)} taken in, {done.closed} issues closed."]
    if done.left:
        lines.append(f"{done.left} left open: not readable, not the owner's, or not to be closed just now.")
    output.show(call, wire.slots(done), lines)


for part in (list_, accept, reject, link, page, ingest):
    command.add_command(part)

"""gitmem forget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from gitmem import app
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.lines import entry, still_kept, title_of
from gitmem.doors.cli.verb import Call, complete_id, verb
from gitmem.flows import purge as purging
from gitmem.memory.memory import Memory, short
from gitmem.memory.text import noun
from gitmem.store import Store

EXAMPLES = (
    ("gitmem forget 7Q2K9F", "Shows it, asks, removes it"),
    ("gitmem forget 7Q2K9F M3X0PA --yes", "Two at once, without asking"),
    ("gitmem undo", "Brings them back"),
    ("gitmem forget 7Q2K9F --purge", "Out of the whole history too; nothing brings it back"),
)


@verb(name="forget", examples=EXAMPLES)
@click.argument("memory_ids", metavar="ID...", nargs=-1, required=True, shell_complete=complete_id)
@click.option("--purge", is_flag=True, help="Erase them from the history too, here and on the remote.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def command(call: Call, memory_ids: tuple[str, ...], purge: bool, yes: bool) -> None:
    """Remove memories (history keeps them until a purge).

    They vanish from search, lists and the digest on every device. The history still holds them, sealed:
    whoever has the key can read them there, and `gitmem undo` brings them back.

    With --purge the history is rewritten without them, and replaces the one on the remote. Also works for
    memories that were forgotten before. Other devices follow by their next `gitmem sync`.
    """
    store = app.open_store(call.vault, output.secret_asker())
    if purge:
        _purge(call, store, memory_ids, yes)
        return
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


def _purge(call: Call, store: Store, texts: tuple[str, ...], yes: bool) -> None:
    say = output.activity()
    purging.resume(store, say or (lambda _: None))
    ids = list(dict.fromkeys(purging.find(store, text) for text in texts))
    drawn = purging.drawn_from(store, ids)
    if not yes:
        output.ask_first(_warning(store, ids), f"Erase {'it' if len(ids) == 1 else 'them'} for good?")
        if drawn and _taken_too(drawn):
            ids, drawn = [*ids, *(memory.id for memory in drawn)], []
    done = purging.purge(store, ids, say or (lambda _: None), output.counting(say))
    output.show(call, {**wire.slots(done), "drawn": [one.id for one in drawn]}, _told(store, done, drawn))


def _warning(store: Store, ids: Sequence[str]) -> Iterator[output.Line]:
    here = {memory.id: memory for memory in store.memories(ids)}
    for memory_id in ids:
        memory = here.get(memory_id)
        gone: output.Line = [("id", short(memory_id)), "  (forgotten; only the history has it)"]
        yield entry(memory, title_of(memory)) if memory else gone
    yield "Every commit since then is rewritten without it: commit ids change, and no"
    yield "undo exists. Git's reflogs in this clone are emptied, and what no branch, tag or"
    yield "stash needs is erased."
    if store.remote:
        yield f"The new history replaces the one at {store.repo.remote.shown}."


def _taken_too(drawn: Sequence[Memory]) -> bool:
    output.aside(
        ["These were drawn from it and may say the same:", *(entry(one, title_of(one)) for one in drawn)]
    )
    return output.confirm("Erase these, too?")


def _told(store: Store, done: purging.Purged, drawn: Sequence[Memory]) -> Iterator[output.Line]:
    count, commits = len(done.ids), "commit" if done.rewritten == 1 else "commits"
    are = "is" if count == 1 else "are"
    yield (
        "good",
        f"{count} {noun(count)} {are} erased from the history; {done.rewritten} {commits} rewritten.",
    )
    yield from still_kept(done.holders)
    if store.remote:
        yield from _remote(done)
    if drawn:
        yield ("bad", "These were drawn from it and may say the same; if so, purge them too:")
        for memory in drawn:
            yield ["  gitmem forget ", ("id", short(memory.id)), " --purge"]
    yield "Other devices follow by `gitmem sync`. Backups, exports and copies elsewhere"
    yield "keep what they have."


def _remote(done: purging.Purged) -> Iterator[output.Line]:
    for name in done.remote_holders:
        branch = output.one_line(name.removeprefix("refs/heads/"), 40)
        yield ("bad", f"Still kept by {branch} on the remote: `git push origin --delete {branch}`")
    if done.remote_cleaned:
        return
    yield "The remote may keep the old objects, for whoever knows their ids, until it cleans up."
    yield "On a server of yours, in that repository:"
    yield "  git reflog expire --expire=now --all && git gc --prune=now"
    yield "On GitHub: ask its support to remove cached views and pull-request references."

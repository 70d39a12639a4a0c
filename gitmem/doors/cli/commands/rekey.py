"""gitmem rekey."""

from __future__ import annotations

from collections.abc import Iterator

import click

from gitmem import app, connect
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.verb import Call, verb
from gitmem.flows import rekey
from gitmem.memory.text import noun

EXAMPLES = (
    ("gitmem rekey --dry-run", "What it would do"),
    ("gitmem log", "After a theft look first: what the thief wrote verifies"),
    ("gitmem rekey", "Says what it means, asks, and does it"),
    ("gitmem invite", "Then a new code for each other device, and there:"),
    ("gitmem join", "In its vault, or anywhere: it takes the new key over"),
)


@verb(name="rekey", examples=EXAMPLES)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def command(call: Call, dry_run: bool, yes: bool) -> None:
    """Give the vault a new key; old ones open nothing new.

    Every memory is sealed anew with the new key, in one commit that is pushed at once. Whoever has only an
    old key can read the history up to there and nothing after, and nothing that he commits is accepted. The
    old key stays on this machine, for the history.
    """
    store = app.open_store(call.vault, output.secret_asker())
    scope = rekey.scope(store, app.key_source(call.vault).source)
    if dry_run:
        output.show(call, {**wire.slots(scope), "tip": store.tip()}, _plan(scope))
        return
    if not yes:
        output.ask_first(_plan(scope), "Give the vault a new key?")
    passphrase = output.new_passphrase() if scope.has_slot and output.has_terminal() else ""
    say = output.activity()
    done = rekey.rekey(store, passphrase, say or (lambda _: None), output.counting(say))
    jobs = rekey.renew_jobs(store, connect.github)
    payload = {**wire.slots(done), "jobs": wire.slots(jobs)}
    output.show(call, payload, _told(scope, done, jobs))


def _plan(scope: rekey.Scope) -> Iterator[output.Line]:
    yield f"{scope.memories} {noun(scope.memories)} will be sealed anew, in one commit, with a new key."
    if scope.records:
        yield f"So will {scope.records} of the vault's own records."
    if scope.has_slot:
        yield "The copy under your passphrase is replaced; without a terminal it is taken out."
    if scope.remote:
        yield f"The commit is pushed at once, without force, to {scope.remote}."
    yield "Every other device then needs `gitmem join` with a new code; the codes of today"
    yield "lead nowhere any more."
    if scope.repository:
        yield f"If jobs of {scope.repository} have the key, they get the new one."
    yield "The digest's address and the inbox link change with the key."
    yield "Copies of today's history stay readable with the old key. After a theft read"
    yield "`gitmem log` first: what the thief committed until now verifies, and stays."


def _told(scope: rekey.Scope, done: rekey.Rekeyed, jobs: rekey.Jobs) -> Iterator[output.Line]:
    if done.finished:
        yield ("good", "An earlier rekey had reached the remote; this device has its new key now.")
    else:
        yield ("good", f"The vault has a new key since {done.tip[:10]}.")
    if done.key_path:
        yield f"It is at {done.key_path};"
        yield "the old one is kept beside it, for the history."
        yield "Back the new one up now: `gitmem key show --paper`."
    else:
        yield "It lies in the vault, under your new passphrase; the old one is not kept here."
    if done.slot == "removed":
        yield (
            "bad",
            "The copy under your passphrase is gone; `gitmem key passphrase` makes one.",
        )
    if scope.remote:
        yield "On every other device: `gitmem join`, with a new code from `gitmem invite`."
    yield from _github(jobs)
    yield "The digest's address and the inbox link have changed: `gitmem publish`, then"
    yield "`gitmem url`."
    yield "Old commits, clones and backups stay readable with the old key."


def _github(jobs: rekey.Jobs) -> Iterator[output.Line]:
    if jobs.repository and not jobs.problem:
        yield f"The jobs of {jobs.repository} have the new key (secret GITMEM_JOIN)."
    elif jobs.repository:
        yield ("bad", f"Jobs of {jobs.repository} with the old key stop working: {jobs.problem}")
        yield "  If they have it: `gitmem init --github " + jobs.repository + "` gives them the new one."

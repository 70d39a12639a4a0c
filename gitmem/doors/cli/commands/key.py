"""gitmem key."""

from __future__ import annotations

import os
import sys

import click

from gitmem import app, config
from gitmem.doors.cli import output
from gitmem.doors.cli.typed import from_file
from gitmem.doors.cli.verb import Call, Verbs, verb
from gitmem.flows import keyslot, settle
from gitmem.vault.keys import paper


@click.group(name="key", cls=Verbs)
def command() -> None:
    """Show, find, lock or restore the vault's key."""


@verb(
    name="show",
    examples=[
        ("gitmem key show", "The key, as age programs read it"),
        ("gitmem key show --paper", "Four lines to write down and type back"),
    ],
)
@click.option(
    "--paper", "on_paper", is_flag=True, help="In a form to write down, each line with its own check."
)
def show(call: Call, on_paper: bool) -> None:
    """Print the key.

    Whoever has it can read and change every memory.
    """
    store = app.open_store(call.vault, output.secret_asker())
    identity = store.vault.identity
    text = paper(identity) if on_paper else identity.text
    output.note("this is the key: whoever has it can read and change every memory.")
    output.show(call, {"key": text, "paper": on_paper}, [text.rstrip("\n")])


@verb(name="where", examples=[("gitmem key where", "The path of the key file, or what stands in for it")])
def where(call: Call) -> None:
    """Say where the key comes from on this machine."""
    found = app.key_source(call.vault)
    output.show(call, {"source": found.source, "path": found.path}, [found.path or found.source])


@verb(
    name="passphrase",
    examples=[
        ("gitmem key passphrase", "Lock a copy of the key into the vault"),
        (
            "gitmem key passphrase --only",
            "And take the key file away: the passphrase is asked for from then on",
        ),
        ("gitmem key passphrase --remove", "Take the locked copy out again"),
    ],
)
@click.option("--only", is_flag=True, help="Also remove the key file from this machine.")
@click.option("--remove", is_flag=True, help="Remove the locked copy from the vault (history keeps it).")
def passphrase(call: Call, only: bool, remove: bool) -> None:
    """Lock a copy of the key into the vault.

    Every clone of the vault then carries the locked key, so choose a long passphrase: whoever gets the files
    can try as many as they like.
    """
    store = app.open_store(call.vault, output.secret_asker())
    if remove:
        commit = keyslot.remove(store)
        output.show(
            call, {"commit": commit}, ["The locked copy is out of the vault; its history still holds it."]
        )
        app.push_later(store)
        return
    commit = keyslot.lock(store, output.new_passphrase())
    lines: list[output.Line] = ["The key now lies in the vault under your passphrase (.gitmem/key.age)."]
    if only:
        lines.append(f"The key file is gone: {settle.drop_key(store)}")
        lines += [
            f"A key from before a rekey stays: {path}" for path in config.other_keys(store.vault.id).values()
        ]
    output.show(call, {"commit": commit, "key_file": not only}, lines)
    app.push_later(store)


@verb(
    name="restore",
    examples=[
        ("gitmem key restore", "Type or paste the key, or its four paper lines"),
        ("gitmem key restore backup.txt", "From a file"),
    ],
)
@click.argument("file", default="", metavar="[FILE]")
def restore(call: Call, file: str) -> None:
    """Bring the key back from a backup or paper.

    It is kept only if it opens the vault.
    """
    if file and file != "-":
        text = from_file(os.path.expanduser(file))
    elif output.has_terminal():
        text = output.ask_lines("The key, or its paper lines; an empty line ends")
    else:
        text = sys.stdin.read()
    path = settle.restore_key(lambda identity: app.open_with(call.vault, identity), text)
    output.show(call, {"path": path}, [f"The key fits, and is kept at {path}."])


@verb(name="fingerprint", examples=[("gitmem key fingerprint", "To compare two devices")])
def fingerprint(call: Call) -> None:
    """Print 16 digits that tell keys apart.

    They say nothing about the key, so they can be read out to compare two devices.
    """
    store = app.open_store(call.vault, output.secret_asker())
    output.show(call, {"fingerprint": store.vault.fingerprint}, [store.vault.fingerprint])


for part in (show, where, passphrase, restore, fingerprint):
    command.add_command(part)

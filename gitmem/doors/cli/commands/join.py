"""gitmem join."""

from __future__ import annotations

from collections.abc import Iterator

import click

from gitmem import app, connect
from gitmem.doors.cli import output
from gitmem.doors.cli.verb import Call, verb
from gitmem.flows import settle

EXAMPLES = (
    ("gitmem join", "Asks for the code, without showing it"),
    ("gitmem join ~/memory < code.txt", "From a file, into that folder"),
    ("gitmem join", "Again, after a rekey elsewhere: the vault here takes the new key over"),
    ("gitmem join --sparse", "For a large vault: sealed files stay out of the work tree"),
)
_PREFIX = "gitmem"


@verb(name="join", examples=EXAMPLES)
@click.argument("code", default="", metavar="[CODE]")
@click.argument("directory", default="", metavar="[DIR]")
@click.option("--sparse", is_flag=True, help="Keep memories/ out of the work tree (faster in large vaults).")
def command(call: Call, code: str, directory: str, sparse: bool) -> None:
    """Bring a vault to this machine by its join code.

    The code is read from a prompt or from standard input. As an argument it works too, but then it stays in
    your shell's history. A vault that is here already takes over the new key that a `gitmem rekey` elsewhere
    gave it.
    """
    if code and not directory and not code.startswith(_PREFIX):
        code, directory = "", code
    if code:
        output.note(
            "the code is now in your shell's history; remove it there. Next time run `gitmem join` alone."
        )
    text = code or output.secret("Join code")
    joined = settle.join(
        text,
        directory,
        sparse=sparse,
        progress=output.activity(),
        way=connect.git_access,
        open_store=lambda path: app.open_store(path, output.secret_asker()),
    )
    payload = {
        "path": joined.path,
        "vault_id": joined.vault_id,
        "tip": joined.commit,
        "key_path": joined.key_path,
        "renewed": joined.renewed,
    }
    output.show(call, payload, _told(joined))


def _told(joined: settle.Settled) -> Iterator[output.Line]:
    if joined.renewed:
        yield f"The vault at {joined.path} has its new key now; what was not pushed came along."
        yield f"The key is at {joined.key_path};"
        yield "the old one stays beside it, for the history."
        return
    yield f"Joined: the vault is at {joined.path}."
    yield f"Its key is at {joined.key_path}."
    yield "Try: `gitmem list`"

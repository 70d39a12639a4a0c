"""gitmem invite."""

from __future__ import annotations

import click

from gitmem import app
from gitmem.doors.cli import output
from gitmem.doors.cli.verb import Call, verb
from gitmem.flows.invite import invitation

EXAMPLES = (
    ("gitmem invite", "The code, on one line"),
    ("gitmem join", "On the other device: paste it there"),
    ("GITMEM_JOIN=CODE gitmem search deploy", "In a throw-away container: no set-up at all"),
)


@verb(name="invite", examples=EXAMPLES)
@click.option(
    "--with-token", is_flag=True, help="Put an access token for the remote in (asked for, or from stdin)."
)
def command(call: Call, with_token: bool) -> None:
    """Print a join code for another device.

    The code holds the key: whoever has it can read and change every memory, now and later. It is shown once
    and stored nowhere.
    """
    store = app.open_store(call.vault, output.secret_asker())
    token = output.secret("Access token for the remote") if with_token else ""
    code = invitation(store, token)
    output.note("this line is the key. Hand it over privately; it is stored nowhere.")
    output.show(call, {"code": code}, [code])

"""gitmem init."""

from __future__ import annotations

import os

import click

from gitmem import app, config
from gitmem.doors.cli import output
from gitmem.doors.cli.verb import Call, verb
from gitmem.flows import settle
from gitmem.flows.background import attempt
from gitmem.vault.keys import Identity

EXAMPLES = (
    ("gitmem init", "A short conversation"),
    ("gitmem init ~/memory --remote git@github.com:ada/memory.git --yes", "Without questions"),
    ("gitmem init --bare ~/memory.git --yes", "Without a work tree: fastest, any size"),
)


@verb(name="init", examples=EXAMPLES)
@click.argument("directory", metavar="[DIR]", default="")
@click.option("--remote", default="", metavar="URL", help="A private git remote to share the vault through.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--bare", is_flag=True, help="A bare repository, without a work tree.")
def command(call: Call, directory: str, remote: str, yes: bool, bare: bool) -> None:
    """Make a vault.

    DIR becomes a git repository of sealed memories; one that exists already keeps its commits. Ends with
    where the key is and how to back it up.
    """
    if not yes and output.has_terminal():
        directory, remote = _conversation(directory, remote)
    if os.path.isdir(os.path.expanduser(remote)):
        remote = os.path.abspath(os.path.expanduser(remote))  # git would read it from the vault's folder
    # A key in the environment would be used by every later command, so the vault is made for it.
    given = os.environ.get("GITMEM_KEY")
    identity = Identity.parse(given) if given else Identity.generate()
    made = settle.create(directory or ".", remote, identity, bare=bare)
    output.show(call, *_answer(made, remote))


def _answer(made: settle.Settled, remote: str) -> tuple[dict[str, str], list[output.Line]]:
    where = os.path.relpath(made.path) if made.path.startswith(os.getcwd()) else made.path
    lines: list[output.Line] = [
        ("good", f"The vault is ready at {where if where != '.' else made.path}."),
        "",
        f"Its key: {made.key_path}",
        "Without the key nobody can read the vault, you included. Back it up now:",
        "  gitmem key show --paper    four lines to write down",
        "  gitmem key passphrase      or lock a copy into the vault",
        "",
        "Then: `gitmem write 'the first thing to remember'`",
    ]
    if len(config.vaults()) > 1 and not config.get("vault.default"):
        lines.append(
            f"This machine knows several vaults; `gitmem config set vault.default {where}` prefers this one."
        )
    problem = attempt(app.open_store(made.path)) if remote else ""
    if problem:
        lines.insert(1, ("bad", f"It is not pushed yet: {problem} `gitmem sync` tries again."))
    elif remote:
        lines.insert(1, f"Shared through {remote}; another device comes in by `gitmem invite`.")
    payload = {
        "path": made.path,
        "vault_id": made.vault_id,
        "commit": made.commit,
        "key_path": made.key_path,
        "problem": problem,
    }
    return payload, lines


def _conversation(directory: str, remote: str) -> tuple[str, str]:
    click.echo("A vault is a git repository of sealed memories; its key stays on this machine.\n", err=True)
    if not directory:
        fits = os.path.isdir("memories") or not os.listdir(".")  # a copy of gitmem's own repository, or empty
        directory = click.prompt("Folder", default="." if fits else os.path.join("~", "memory"), err=True)
    if not remote:
        click.echo(
            "A private git repository keeps it safe and shares it; it sees only sealed files.", err=True
        )
        remote = click.prompt("Remote URL (empty for none yet)", default="", show_default=False, err=True)
    return os.path.expanduser(directory), remote.strip()

"""gitmem init."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from gitmem import app, config, connect
from gitmem.doors.cli import output
from gitmem.doors.cli.verb import Call, verb
from gitmem.errors import ConfigError
from gitmem.flows import settle
from gitmem.flows.background import attempt
from gitmem.vault.keys import Identity

if TYPE_CHECKING:
    from gitmem.flows.github import setup

EXAMPLES = (
    ("gitmem init", "A short conversation"),
    ("gitmem init --github ada/memory", "With a private repository on GitHub, its workflows and all"),
    ("gitmem init ~/memory --remote git@github.com:ada/memory.git --yes", "With any git remote"),
    ("gitmem init --bare ~/memory.git --yes", "Without a work tree: fastest, any size"),
)
_READERS = (
    "The vault's key goes to GitHub Actions, as a secret of that repository. From",
    "then on others than you can read every memory: GitHub's runners, and whoever",
    "may push workflow files there. --no-actions stores nothing: then nothing is",
    "consolidated or taken in on GitHub, and all else works.",
)


@verb(name="init", examples=EXAMPLES)
@click.argument("directory", metavar="[DIR]", default="")
@click.option("--remote", default="", metavar="URL", help="A private git remote to share the vault through.")
@click.option("--github", "repository", default="", metavar="OWNER/NAME", help="A private GitHub repository.")
@click.option(
    "--anthropic-key-from",
    "variable",
    default="",
    metavar="ENV",
    help="The variable with the API key that jobs on GitHub get.",
)
@click.option(
    "--no-actions", is_flag=True, help="Let nothing run on GitHub: no key and no workflow goes there."
)
@click.option("--dry-run", is_flag=True, help="With --github: show the steps and change nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--bare", is_flag=True, help="A bare repository, without a work tree.")
def command(
    call: Call,
    directory: str,
    remote: str,
    repository: str,
    variable: str,
    no_actions: bool,
    dry_run: bool,
    yes: bool,
    bare: bool,
) -> None:
    """Make a vault.

    DIR becomes a git repository of sealed memories; one that exists already keeps its commits. Ends with
    where the key is and how to back it up.

    With --github it is made or adopted on GitHub too; run again, it goes on where it was interrupted.
    """
    if repository:
        if remote or bare:
            raise click.UsageError("--github goes with neither --remote nor --bare.")
        _on_github(call, directory, repository, variable, actions=not no_actions, dry_run=dry_run, yes=yes)
        return
    if variable or no_actions or dry_run:
        raise click.UsageError("--anthropic-key-from, --no-actions and --dry-run go with --github.")
    if not yes and output.has_terminal():
        directory, remote = _conversation(directory, remote)
    if os.path.isdir(os.path.expanduser(remote)):
        remote = os.path.abspath(os.path.expanduser(remote))  # git would read it from the vault's folder
    made = settle.create(directory or ".", remote, _identity(), bare=bare)
    output.show(call, *_answer(made, remote))


def _identity() -> Identity:
    # A key in the environment would be used by every later command, so the vault is made for it.
    given = os.environ.get("GITMEM_KEY")
    return Identity.parse(given) if given else Identity.generate()


def _answer(made: settle.Settled, remote: str) -> tuple[dict[str, str], list[output.Line]]:
    where = os.path.relpath(made.path) if made.path.startswith(os.getcwd()) else made.path
    lines: list[output.Line] = [
        ("good", f"The vault is ready at {where if where != '.' else made.path}."),
        "",
        *_backup(made.key_path),
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


def _backup(key_path: str) -> list[output.Line]:
    return [
        f"Its key: {key_path}",
        "Without the key nobody can read the vault, you included. Back it up now:",
        "  gitmem key show --paper    four lines to write down",
        "  gitmem key passphrase      or lock a copy into the vault",
    ]


def _conversation(directory: str, remote: str) -> tuple[str, str]:
    click.echo("A vault is a git repository of sealed memories; its key stays on this machine.\n", err=True)
    if not directory:
        directory = click.prompt("Folder", default=_usual_folder(os.path.join("~", "memory")), err=True)
    if not remote:
        click.echo(
            "A private git repository keeps it safe and shares it; it sees only sealed files.", err=True
        )
        remote = click.prompt("Remote URL (empty for none yet)", default="", show_default=False, err=True)
    return os.path.expanduser(directory), remote.strip()


def _usual_folder(other: str) -> str:
    """The working folder where it is a copy of gitmem's own repository, or empty; else ``other``."""
    return "." if os.path.isdir("memories") or not os.listdir(".") else other


# With GitHub.


def _on_github(
    call: Call, directory: str, typed: str, variable: str, *, actions: bool, dry_run: bool, yes: bool
) -> None:
    from gitmem.flows.github import repository, setup

    url = connect.github_url()
    name = repository.parsed(typed, url)
    place = directory or _usual_folder(name.partition("/")[2])
    wish = setup.Wish(name, place, _identity(), actions=actions, api_key=_api_key(variable))
    asker = output.secret_asker()
    run = setup.SetUp(connect.github(url), wish, lambda path: app.open_store(path, asker))
    steps = list(run.steps())
    plan = _plan(run, steps, actions=actions)
    if dry_run:
        titles = [one.title for one in steps]
        payload = {"repository": name, "exists": run.found() is not None, "path": run.path, "steps": titles}
        output.show(call, payload, [*plan, "", "Nothing was changed."])
        return
    _ask(plan, yes=yes)
    setup.carry_out(steps, lambda line: output.aside([line]))
    output.show(call, *_ready(run, f"{url}/{name}", actions=actions))


def _ready(run: setup.SetUp, address: str, *, actions: bool) -> tuple[dict[str, object], list[output.Line]]:
    vault_id = run.store.vault.id
    key_path = config.key_path(vault_id)
    payload = {
        "repository": run.wish.name,
        "path": run.path,
        "vault_id": vault_id,
        "commit": run.store.tip(),
        "key_path": key_path,
        "actions": actions,
    }
    lines: list[output.Line] = [
        ("good", f"The vault is ready at {run.path}"),
        ("good", f"and at {address}."),
        "",
        *_backup(key_path),
        "",
        "`gitmem doctor` compares GitHub with what should be.",
        "`gitmem invite` brings in another device.",
    ]
    return payload, lines


def _api_key(variable: str) -> str:
    key = os.environ.get(variable, "").strip() if variable else ""
    if variable and not key:
        raise ConfigError(
            "The variable that --anthropic-key-from names is not set, or is empty.",
            "Nothing was changed. Name the variable, not the key: `--anthropic-key-from ANTHROPIC_API_KEY`.",
        )
    return key


def _plan(run: setup.SetUp, steps: Sequence[setup.Step], *, actions: bool) -> list[output.Line]:
    found = run.found()
    lines: list[output.Line] = [
        f"As {run.login}, {'with the' if found else 'making a new'} private repository:"
    ]
    for number, step in enumerate(steps, 1):
        lines.append(f"  {number} {step.title}")
        if step.right:
            lines.append(("dim", f"      needs {step.right}"))
    if actions:
        lines += ["", *_READERS]
        others = run.others() if found else []
        if others:
            lines.append(("bad", f"Others who may push there already: {', '.join(others[:8])}"))
    return lines


def _ask(lines: list[output.Line], *, yes: bool) -> None:
    if not yes:
        output.ask_first(lines, "Go on?")
        return
    output.aside(lines)

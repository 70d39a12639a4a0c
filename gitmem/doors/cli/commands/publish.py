"""gitmem publish."""

from __future__ import annotations

import os

import click

from gitmem import app, config, connect
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.verb import Call, verb
from gitmem.flows import publish_hosts
from gitmem.flows import site as sites
from gitmem.flows.publish import Published, prepare, publish_site
from gitmem.memory.text import noun

EXAMPLES = (
    ("gitmem digest --preview", "Look first: what would be visible, and to whom"),
    ("gitmem publish --to pages", "GitHub Pages of your private repository (needs GitHub Pro)"),
    ("gitmem publish --to gist", "A secret gist, on any plan"),
    ("gitmem publish --to dir ~/site", "A folder that you serve yourself"),
    ("gitmem publish --to command ~/bin/upload-site", "Your own command; it gets the folder as argument"),
    ("gitmem publish", "Again, to the same place"),
    ("gitmem publish --off", "Take it down"),
)
_DONE = {
    "pages": "GitHub builds the page now; it is up in a minute or two",
    "gist": "in a secret gist",
    "dir": "in the folder, below a secret path",
    "command": "taken by your command",
}


@verb(name="publish", examples=EXAMPLES)
@click.argument("target", metavar="[DIR|COMMAND]", default="")
@click.option("--to", "host", type=click.Choice(sites.HOSTS), help="Where to (else where it was last).")
@click.option("--dir", "folder", default="", metavar="DIR", help="Only build the site of --to, into DIR.")
@click.option("--off", is_flag=True, help="Take the digest down, and publish no more.")
def command(call: Call, target: str, host: str | None, folder: str, off: bool) -> None:
    """Publish the digest where browser assistants read it.

    It holds nothing but shared memories, at an address that nobody can guess; `gitmem url` prints it. A
    secret in any of them stops everything. What you unshare is gone from there with the next run.
    """
    if off and (host or target or folder):
        raise click.UsageError("--off stands alone.")
    store = app.open_store(call.vault, output.secret_asker())
    budget = int(config.get("digest.budget"))
    outside = publish_hosts.Outside(connect.github, os.environ)
    if off:
        removed = publish_hosts.leave(store, outside)
        output.show(call, {"host": "", "removed": removed}, ["The digest is down, and off."])
        app.push_later(store)
        return
    in_actions = os.environ.get("GITHUB_ACTIONS") == "true"
    if folder or (in_actions and host == "dir"):
        site = sites.read(store)
        if site.host != host and not target:
            output.show(call, {"host": site.host, "built": False}, ["The digest is not published there."])
            return
        place = os.path.abspath(os.path.expanduser(folder or target))
        digest = prepare(store, named=not in_actions)
        _tell(call, publish_site(store, site, digest, place, budget), "the site is built")
        return
    say = output.activity()
    if say:
        say("building the digest")
    done = publish_hosts.publish_to(store, host or "", target, budget, outside)
    _tell(call, done, _DONE[done.host])
    app.push_later(store)


def _tell(call: Call, done: Published, where: str) -> None:
    lines: list[output.Line] = [f"{done.shown} shared {noun(done.shown)}: {where}."]
    if done.removed:
        lines.append(f"{done.removed} files of former digests were removed.")
    if done.replaced:
        lines.append("What was taken away is gone, and the address is a new one: `gitmem url` prints it.")
    if not done.shown:
        lines.append("Nothing is shared yet: `gitmem share ID` marks a memory.")
    output.show(call, wire.slots(done), lines)

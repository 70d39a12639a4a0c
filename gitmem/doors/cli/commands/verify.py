"""gitmem verify."""

from __future__ import annotations

from collections import Counter

import click

from gitmem import app
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.lines import commits
from gitmem.doors.cli.verb import Call, verb
from gitmem.flows import verify
from gitmem.repo.history import RefusedError

EXAMPLES = (
    ("gitmem verify", "How many commits, and of which sort"),
    ("gitmem verify --all", "Each one"),
)


@verb(name="verify", examples=EXAMPLES)
@click.option("--all", "everything", is_flag=True, help="List every commit.")
def command(call: Call, everything: bool) -> None:
    """Check that every commit was made by a key holder.

    The whole history is read again, without what this device remembers of earlier checks. Exit code 13 and
    the commit's id when one is refused.
    """
    store = app.open_store(call.vault, output.secret_asker())
    found = verify.audit(store)
    refused = [commit for commit in found if commit.verdict == "refused"]
    if refused and not everything:
        raise RefusedError(refused[-1].id)
    count = Counter(commit.verdict for commit in found)
    parts = ", ".join(f"{number} {verdict}" for verdict, number in count.most_common())
    summary = f"{len(found)} commits: {parts}." if found else "There are no commits yet."
    payload: dict[str, object] = {"commits": len(found), "verdicts": dict(count), "tip": store.tip()}
    if everything:
        payload["list"] = [wire.slots(commit) for commit in found]
    style = "bad" if refused else "good"
    output.show(call, payload, [*(commits(found) if everything else ()), (style, summary)])
    if refused:
        click.get_current_context().exit(RefusedError.exit_code)

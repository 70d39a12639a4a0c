"""gitmem status."""

from __future__ import annotations

from gitmem import app
from gitmem.doors import wire
from gitmem.doors.cli import output
from gitmem.doors.cli.lines import minute
from gitmem.doors.cli.verb import Call, verb
from gitmem.flows.status import Status, status

EXAMPLES = (
    ("gitmem status", "Here and on the remote, without asking the remote"),
    ("gitmem status --json", "For a prompt or a script"),
)


@verb(name="status", examples=EXAMPLES)
def command(call: Call) -> None:
    """Show the vault's state, here and on its remote.

    The remote is not contacted: ahead and behind are as of the last sync.
    """
    store = app.open_store(call.vault, output.secret_asker())
    found = status(store)
    output.show(call, wire.slots(found), _lines(found))


def _lines(found: Status) -> list[output.Line]:
    rows = [
        ("vault", found.path),
        ("id", found.vault_id),
        ("key", f"fingerprint {found.fingerprint}"),
        ("memories", f"{found.memories:,}"),
        ("tip", f"{found.tip[:10]}  {minute(found.updated)}"),
        ("remote", found.remote or "none (`git remote add origin URL`, then `gitmem sync`)"),
    ]
    if found.remote:
        rows.append(("synced", _synced(found)))
    if found.unsealed:
        commits = "plain commit" if found.unsealed == 1 else "plain commits"
        rows.append(
            ("unsealed", f"{found.unsealed} {commits} since the last seal; the next write covers that")
        )
    return [[("dim", f"{name:<10}"), text] for name, text in rows]


def _synced(found: Status) -> str:
    if not found.last_sync:
        return "never; `gitmem sync` does it"
    ahead_behind = [f"{found.ahead} to push"] if found.ahead else []
    ahead_behind += [f"{found.behind} to pull"] if found.behind else []
    return f"{minute(found.last_sync)}, {' and '.join(ahead_behind) or 'in step'}"

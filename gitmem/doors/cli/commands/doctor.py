"""gitmem doctor."""

from __future__ import annotations

import click

from gitmem import app, connect
from gitmem.doors.cli import output
from gitmem.doors.cli.verb import Call, verb
from gitmem.errors import DONE_IN_PART
from gitmem.flows import doctor
from gitmem.flows.checks import Patient

EXAMPLES = (
    ("gitmem doctor", "Look at everything"),
    ("gitmem doctor --fix", "And mend what can be mended safely"),
    ("gitmem doctor --offline --json", "Without the remote, for a program"),
)


@verb(name="doctor", examples=EXAMPLES)
@click.option("--fix", is_flag=True, help="Mend what can be mended safely.")
@click.option("--offline", is_flag=True, help="Do not contact the remote.")
def command(call: Call, fix: bool, offline: bool) -> None:
    """Check every promise, and say how to mend each.

    Ends with 0 when all is well and with 3 when something needs mending.
    """
    asker = output.secret_asker()

    def patient() -> Patient:
        source = app.key_source(call.vault).source
        return doctor.admit(
            app.find(call.vault), source, lambda: app.open_store(call.vault, asker), online=not offline
        )

    report = doctor.examine(patient, connect.github, fix=fix)
    lines: list[output.Line] = [("good", f"mended  {name}") for name in report.mended]
    for finding in report.findings:
        mark = ("good", "ok      ") if finding.ok else ("bad", "problem ")
        lines.append([mark, f"{finding.name}: {finding.detail}"])
        if not finding.ok and finding.mend:
            lines.append(f"        → {finding.mend}")
    problems = sum(not finding.ok for finding in report.findings)
    closing = "All is well." if report.well else f"{problems} to mend."
    payload = {
        "well": report.well,
        "mended": list(report.mended),
        "findings": [
            {"name": one.name, "ok": one.ok, "detail": one.detail, "mend": "" if one.ok else one.mend}
            for one in report.findings
        ],
    }
    output.show(call, payload, [*lines, closing])
    if not report.well:
        click.get_current_context().exit(DONE_IN_PART)

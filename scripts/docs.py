"""Writes the reference in docs/cli.md anew from the commands' own help: `python scripts/docs.py [--check]`.

Only what stands between the two marks is replaced; the text around them is written by people.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import click

from gitmem.doors.cli.main import cli

PAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "docs", "cli.md")
BEGIN = "<!-- reference: written by `make docs`, do not edit below -->"
END = "<!-- end of the reference -->"
START = f"# Commands\n\n{BEGIN}\n{END}\n"


def commands(
    command: click.Command, path: str = "gitmem", parent: click.Context | None = None
) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command below ``command`` and itself: its words as typed, the command, its context."""
    context = click.Context(
        command, parent, path.rpartition(" ")[2], terminal_width=80, max_content_width=80, color=False
    )
    yield path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None and not found.hidden:
                yield from commands(found, f"{path} {name}", context)


def reference() -> str:
    """The whole reference: one heading per command, and its help as it is printed at 80 columns."""
    parts = [
        f"## {path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
        for path, command, context in commands(cli)
    ]
    return "\n".join(parts)


def renewed(page: str) -> str:
    """``page`` with the reference as it should be now."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{reference()}\n{END}{after or chr(10)}"


def main(arguments: list[str]) -> int:
    """0 when the page is right; with --check nothing is written and a stale page gives 1."""
    try:
        with open(PAGE, encoding="utf-8") as file:
            page = file.read()
    except FileNotFoundError:
        page = ""
    wanted = renewed(page or START)
    if page == wanted:
        return 0
    if "--check" in arguments:
        print("docs/cli.md is not what the commands say. Run: make docs", file=sys.stderr)
        return 1
    with open(PAGE, "w", encoding="utf-8", newline="\n") as file:
        file.write(wanted)
    print("docs/cli.md is written anew.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

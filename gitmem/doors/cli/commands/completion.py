"""gitmem completion."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from gitmem.doors.cli import output
from gitmem.doors.cli.verb import Call, verb

EXAMPLES = (
    ('eval "$(gitmem completion bash)"', "In ~/.bashrc"),
    ('eval "$(gitmem completion zsh)"', "In ~/.zshrc"),
    ("gitmem completion fish > ~/.config/fish/completions/gitmem.fish", "For fish"),
)


@verb(name="completion", examples=EXAMPLES)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(call: Call, shell: str) -> None:
    """Print the completion script of your shell.

    It completes commands, options and short ids.
    """
    kind = get_completion_class(shell)
    root = click.get_current_context().find_root().command
    script = kind(root, {}, "gitmem", "_GITMEM_COMPLETE").source() if kind else ""
    output.show(call, {"shell": shell, "script": script}, [script.rstrip("\n")])

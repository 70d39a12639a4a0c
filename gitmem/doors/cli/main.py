"""The command line: a table of commands, each imported only when it runs; errors are shown here alone."""

from __future__ import annotations

import errno
import os
from importlib import import_module
from typing import NamedTuple

import click

from gitmem import __version__
from gitmem.doors.cli.verb import Call, Helped, shared_options, show
from gitmem.errors import INTERRUPTED, GitmemError

_VERSION = f"gitmem, version {__version__}"
PACKAGE = "gitmem.doors.cli.commands"
# A full or read-only disk, missing rights, too many open files: the machine's trouble, not a bug of ours.
_MACHINE = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE, errno.EIO)
)


class Entry(NamedTuple):
    """One row of the table: its module, its summary in the help, and the section that it stands in."""

    module: str
    summary: str
    section: str


SECTIONS = ("Remember", "Find", "Distil", "History", "Share and sync", "Set up")
COMMANDS: dict[str, Entry] = {
    "write": Entry("write", "Remember something: text, a file, or what you type.", "Remember"),
    "edit": Entry("edit", "Change a memory, in your editor or by options.", "Remember"),
    "forget": Entry("forget", "Remove memories (history keeps them until a purge).", "Remember"),
    "import": Entry("import_", "Bring in a folder of markdown, or a JSONL file.", "Remember"),
    "search": Entry("search", "Find memories by what they say, best first.", "Find"),
    "list": Entry("list_", "List memories, newest first.", "Find"),
    "read": Entry("read", "Print memories, or the best ones of this project.", "Find"),
    "consolidate": Entry("consolidate", "Distil new memories into fewer, better ones.", "Distil"),
    "review": Entry("review", "Look at a proposed consolidation; accept or reject it.", "Distil"),
    "inbox": Entry("inbox", "Accept or reject what came in by a link.", "Distil"),
    "log": Entry("log", "Show the vault's commits, or those of one memory.", "History"),
    "diff": Entry("diff", "Show what changed between two commits, decrypted.", "History"),
    "undo": Entry("undo", "Revert the last change, or the named commit.", "History"),
    "verify": Entry("verify", "Check that every commit was made by a key holder.", "History"),
    "trust": Entry("trust", "Accept a commit that was not made by gitmem.", "History"),
    "sync": Entry("sync", "Fetch, merge and push.", "Share and sync"),
    "status": Entry("status", "Show the vault's state, here and on its remote.", "Share and sync"),
    "invite": Entry("invite", "Print a join code for another device.", "Share and sync"),
    "export": Entry("export", "Write all memories as markdown or JSONL.", "Share and sync"),
    "share": Entry("share", "Mark memories to share, or set a rule that does.", "Share and sync"),
    "digest": Entry("digest", "Show or render what the digest publishes.", "Share and sync"),
    "publish": Entry("publish", "Publish the digest where browser assistants read it.", "Share and sync"),
    "url": Entry("url", "Print the digest's secret address, or change it.", "Share and sync"),
    "init": Entry("init", "Make a vault.", "Set up"),
    "join": Entry("join", "Bring a vault to this machine by its join code.", "Set up"),
    "key": Entry("key", "Show, find, lock or restore the vault's key.", "Set up"),
    "rekey": Entry("rekey", "Give the vault a new key; old ones open nothing new.", "Set up"),
    "model": Entry("model", "Install the model that finds by meaning, or remove it.", "Set up"),
    "index": Entry("index", "Bring the search index up to date, and show its state.", "Set up"),
    "config": Entry("config", "Read and change this machine's settings.", "Set up"),
    "doctor": Entry("doctor", "Check every promise, and say how to mend each.", "Set up"),
    "completion": Entry("completion", "Print the completion script of your shell.", "Set up"),
}


class Table(Helped, click.Group):
    """The group that knows its commands by the table alone."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = import_module(f"{PACKAGE}.{entry.module}").command
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches  # only for a mistyped command

            near = get_close_matches(args[0], COMMANDS, n=2)
            meant = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
            raise click.UsageError(f"No such command {args[0]!r}.{meant}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        for section in SECTIONS:
            rows = [(name, entry.summary) for name, entry in COMMANDS.items() if entry.section == section]
            with formatter.section(section):
                formatter.write_dl(rows, col_max=12)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        formatter.write_paragraph()
        formatter.write_text("`gitmem COMMAND --help` shows the options and examples of one command.")


@click.group(
    cls=Table,
    invoke_without_command=True,
    params=[*shared_options(), show(["--version"], "Show the version and exit.", lambda _: _VERSION)],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
@click.pass_context
def cli(context: click.Context) -> None:
    """Long-term memory for Claude: sealed markdown in your own git repository."""
    if context.invoked_subcommand is None:
        context.invoke(import_module(f"{PACKAGE}.overview").command)


def run(arguments: list[str]) -> int:
    """Runs one command line and returns its exit code; errors are shown here and nowhere else."""
    if "_GITMEM_COMPLETE" in os.environ:  # the shell asks for completions; click answers and exits
        cli.main(arguments, prog_name="gitmem")
    as_json = "--json" in arguments[: arguments.index("--") if "--" in arguments else None]
    try:
        with cli.make_context("gitmem", arguments, obj=Call()) as context:
            cli.invoke(context)
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except click.Abort:
        click.echo("\ngitmem: stopped; nothing was changed.", err=True)
        return INTERRUPTED
    except (GitmemError, click.ClickException) as error:
        return _show(error, as_json)
    except OSError as error:
        if error.errno not in _MACHINE:
            raise
        return _show(_trouble(error), as_json)
    return 0


def _trouble(error: OSError) -> GitmemError:
    where = f" at {error.filename}" if isinstance(error.filename, str) else ""
    return GitmemError(
        f"The system refuses to go on{where}: {error.strerror}.",
        "Everything that was confirmed is safe; make room or mend the permissions, then run it again.",
    )


def _show(error: GitmemError | click.ClickException, as_json: bool) -> int:
    from gitmem.doors.cli import output  # `--help` prints nothing of ours and must not pay for it

    return output.fail(error, as_json) if isinstance(error, GitmemError) else output.misuse(error, as_json)

"""What every command shares: --vault and --json, examples in its help, and the completion of ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Examples = Sequence[tuple[str, str]]  # a command line, and what it does


class Call:
    """How gitmem was called: which vault was named ("" for none), and whether the answer is to be JSON.

    The shared options fill it in wherever they stand on the line.
    """

    __slots__ = ("json", "vault")

    def __init__(self) -> None:
        self.vault = ""
        self.json = False


def _set_vault(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value:
        context.ensure_object(Call).vault = value


def _set_json(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Call).json = True


def shared_options() -> list[click.Parameter]:
    """The two options that stand before or after any command."""
    vault = click.Option(
        ["--vault"],
        metavar="PATH",
        expose_value=False,
        is_eager=True,
        callback=_set_vault,
        help="The vault to use (else GITMEM_VAULT, this folder's, the default one).",
    )
    as_json = click.Option(
        ["--json"], is_flag=True, expose_value=False, is_eager=True, callback=_set_json, help="Print JSON."
    )
    return [vault, as_json]


class Helped(click.Command):
    """A command with a ``--help`` of its own: click's looks for a translation, which loads ``locale``."""

    _own_help: click.Option | None = None

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        if self._own_help is None:  # one for good: click compares options by identity
            names = self.get_help_option_names(ctx)
            self._own_help = show(names, "Show this message and exit.", lambda context: context.get_help())
        return self._own_help


def show(names: Sequence[str], summary: str, text: Callable[[click.Context], str]) -> click.Option:
    """An option that prints ``text`` and ends the command."""

    def callback(context: click.Context, _: click.Parameter, value: bool) -> None:
        if value and not context.resilient_parsing:
            click.echo(text(context), color=context.color)
            context.exit()

    return click.Option(
        names, is_flag=True, is_eager=True, expose_value=False, callback=callback, help=summary
    )


class Verb(Helped):
    """A command with the shared options and an Examples block."""

    def __init__(self, *args: Any, examples: Examples = (), **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.examples = tuple(examples)
        self.params += shared_options()

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Examples"):
            for line, meaning in self.examples:
                formatter.write_text(f"{meaning}:")
                with formatter.indentation():
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")


class Verbs(Helped, click.Group):
    """A command that only holds others."""

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.params += shared_options()


def verb(
    *, examples: Examples, name: str | None = None, **attributes: Any
) -> Callable[[Callable[..., None]], Verb]:
    """Makes a command of a function whose first argument is the :class:`Call`."""

    def wrap(function: Callable[..., None]) -> Verb:
        return click.command(name, cls=Verb, examples=examples, **attributes)(click.pass_obj(function))

    return wrap


def complete_id(context: click.Context, _: click.Parameter, typed: str) -> list[CompletionItem]:
    """Short ids that begin with what was typed, newest first; none when the vault cannot be opened."""
    from click.shell_completion import CompletionItem  # only the shell needs these, not `--help`

    from gitmem import app
    from gitmem.errors import GitmemError
    from gitmem.index.filters import Filters
    from gitmem.memory.memory import short

    call = context.find_object(Call) or Call()
    try:
        rows = app.open_store(call.vault).rows(Filters(), 200)
    except GitmemError:
        return []  # a shell that completes is no place for messages
    found = [(short(row.id), row.title) for row in rows]
    return [CompletionItem(sid, help=title) for sid, title in found if sid.startswith(typed.upper())]

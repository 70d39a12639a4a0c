"""What gitmem prints: answers on stdout, everything else on stderr, and nothing that a memory could steer.

Text of memories, git authors, subjects and paths may hold control sequences. So commands hand over *lines*
made of plain strings and ``(style, text)`` pairs; each is made visible here, and only here colour is added.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from gitmem.doors import wire
from gitmem.doors.cli.verb import Call
from gitmem.errors import ConfigError, GitmemError
from gitmem.memory.text import visible

Piece = str | tuple[str, str]
Line = Piece | list[Piece]
Step = Callable[[int, int], None]  # done, total

_STYLES: dict[str, dict[str, object]] = {
    "id": {"fg": "yellow"},
    "head": {"bold": True},
    "dim": {"dim": True},
    "good": {"fg": "green"},
    "bad": {"fg": "red"},
    "hit": {"bold": True},
    "qr": {"fg": "black", "bg": "bright_white"},
}
WIDTH = 80


def show(call: Call, payload: object, lines: Iterable[Line]) -> None:
    """Prints the answer of a command: ``payload`` as JSON when that was asked for, else the lines."""
    if call.json:
        click.echo(as_json(payload))
        return
    for line in lines:
        click.echo(_rendered(line))


def as_json(payload: object) -> str:
    """JSON in ASCII alone, so that no character in it can act on a terminal."""
    return json.dumps(payload, indent=2, ensure_ascii=True).replace("\x7f", "\\u007f")


def _rendered(line: Line) -> str:
    pieces = line if isinstance(line, list) else [line]
    return "".join(_piece(piece) for piece in pieces)


def _piece(piece: Piece) -> str:
    if isinstance(piece, str):
        return visible(piece)
    style, text = piece
    clean = visible(text)
    return click.style(clean, **_STYLES[style]) if has_colour() and style in _STYLES else clean  # type: ignore[arg-type]


def has_colour() -> bool:
    """Whether answers are coloured: on a terminal, unless NO_COLOR is set (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def has_terminal() -> bool:
    """Whether somebody is there to answer questions."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def width() -> int:
    """Columns to fill: the terminal's, at most 120; 80 where there is no terminal."""
    try:
        return min(os.get_terminal_size(sys.stdout.fileno()).columns, 120) or WIDTH
    except (OSError, ValueError):
        return WIDTH


def one_line(text: str, room: int) -> str:
    """``text`` as one line of at most ``room`` columns; an ellipsis says that it was cut."""
    flat = " ".join(visible(text).split())
    if flat.isascii():
        return flat if len(flat) <= room else flat[: max(room - 1, 0)] + "…"
    return _cut_wide(flat, room)


def _cut_wide(text: str, room: int) -> str:
    from unicodedata import east_asian_width  # only for text beyond ASCII

    sizes = [2 if east_asian_width(char) in "WF" else 1 for char in text]
    if sum(sizes) <= room:
        return text
    used = 0
    for place, size in enumerate(sizes):
        used += size
        if used > room - 1:
            return text[:place] + "…"
    return text


def note(text: str) -> None:
    """One line beside the answer, on stderr."""
    click.echo(f"gitmem: {visible(text)}", err=True)


def fail(error: GitmemError, as_json_: bool) -> int:
    """Shows an error and returns its exit code."""
    if as_json_ and _told(wire.error(error)):
        return error.exit_code
    note(error.message)
    if error.hint:
        click.echo(visible(error.hint), err=True)
    return error.exit_code


def _told(failure: wire.Json) -> bool:
    try:
        click.echo(as_json(failure))
    except OSError:
        return False  # standard output is what failed: it must be said where somebody may see it
    return True


def misuse(error: click.ClickException, as_json_: bool) -> int:
    """Shows a usage error and returns click's code for it (2)."""
    if as_json_ and _told(wire.failure(type(error).__name__, error.format_message(), "", error.exit_code)):
        return error.exit_code
    if type(error).__name__ == "NoArgsIsHelpError":  # `gitmem key`: older clicks have no such class
        click.echo(error.format_message(), err=True)
        return error.exit_code
    note(error.format_message())
    context = getattr(error, "ctx", None)
    if context is not None:
        click.echo(f"`{context.command_path} --help` shows how it is used.", err=True)
    return error.exit_code


@contextmanager
def progress(label: str) -> Iterator[Step | None]:
    """A bar on stderr, as a function to call with (done, total); None where there is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr, width=30) as bar:

        def step(done: int, total: int) -> None:
            bar.length = total or None  # not every source knows how much is coming
            bar.update(done - bar.pos)

        yield step


def late_progress(label: str = "Indexing memories") -> Step | None:
    """A bar on stderr that appears with the first step and goes with the last; None without a terminal."""
    if not sys.stderr.isatty():
        return None
    bar: Any = None

    def step(done: int, total: int) -> None:
        nonlocal bar
        if bar is None:
            bar = click.progressbar(length=total, label=label, file=sys.stderr, width=30)
            bar.__enter__()
        bar.update(done - bar.pos)
        if done == total:
            bar.__exit__(None, None, None)

    return step


def activity() -> Callable[[str], None] | None:
    """A function that says on stderr what is being done; None where there is no terminal."""
    if not sys.stderr.isatty():
        return None
    return lambda word: click.echo(f"{word} …", err=True)


def counting(say: Callable[[str], None] | None) -> Step | None:
    """What tells by ``say`` how far long work is, every thousand; None where nobody listens."""
    if say is None:
        return None
    return lambda done, total: say(f"{done:,} of {total:,}") if done and done % 1000 == 0 else None


def confirm(question: str) -> bool:
    """A yes/no question on stderr; "no" is the default."""
    return click.confirm(visible(question), default=False, err=True)


def ask_secret(prompt: str) -> str:
    """A secret typed without echo."""
    answer: str = click.prompt(visible(prompt), hide_input=True, err=True)
    return answer


def new_passphrase() -> str:
    """A new passphrase: typed twice at a terminal, else the first line of standard input.

    Raises:
        ConfigError: it is shorter than 12 characters.
    """
    if has_terminal():
        typed: str = click.prompt("New passphrase", hide_input=True, confirmation_prompt=True, err=True)
    else:
        typed = sys.stdin.readline().rstrip("\r\n")
    if len(typed) < 12:
        raise ConfigError(
            "The passphrase is shorter than 12 characters.", "Nothing was changed. Five words do well."
        )
    return typed


def ask_lines(prompt: str) -> str:
    """Several secret lines, typed without echo; an empty one ends them. A whole key needs only one."""
    lines = [ask_secret(prompt)]
    while lines[-1] and "AGE-SECRET-KEY-" not in lines[-1].upper():
        lines.append(
            str(click.prompt("  next line", hide_input=True, default="", show_default=False, err=True))
        )
    return "\n".join(lines)


def secret(prompt: str) -> str:
    """A secret line: asked for at a terminal, else read from standard input."""
    return ask_secret(prompt) if has_terminal() else sys.stdin.read().strip()


def secret_asker() -> Callable[[str], str] | None:
    """The function that asks for a passphrase, or None when nobody is there to type it."""
    return ask_secret if has_terminal() else None


def ask_first(lines: Iterable[Line], question: str) -> None:
    """Shows on stderr what is about to happen and asks; without a terminal that is refused.

    Raises:
        click.UsageError: there is no terminal; ``--yes`` is the way.
        click.Abort: the answer was no.
    """
    if not has_terminal():
        raise click.UsageError("There is no terminal to ask on; --yes goes on without asking.")
    aside(lines)
    if not confirm(question):
        raise click.Abort


def aside(lines: Iterable[Line]) -> None:
    """Shows lines beside the answer, on stderr."""
    for line in lines:
        click.echo(_rendered(line), err=True)

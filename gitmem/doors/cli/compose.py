"""Texts in the user's editor: in a private file in memory, and never lost.

Whatever ends the edit other than success (an invalid result, a conflict, a full disk, a signal) leaves the
text as a sealed draft, and only when that fails too the plain file itself. Else that is always removed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

import click

from gitmem import config
from gitmem.doors.cli import output
from gitmem.errors import GitmemError, InvalidMemoryError
from gitmem.flows import draft
from gitmem.store import Store

T = TypeVar("T")


def compose(store: Store, finish: Callable[[str], T], *, resume: bool = False) -> T:
    """A new text from the editor, handed to ``finish``.

    Raises:
        click.Abort: nothing was typed.
    """
    return edit(
        store, draft.NEW, draft.kept(store, draft.NEW) if resume else "", finish, "gitmem write --resume"
    )


def edit(store: Store, name: str, text: str, finish: Callable[[str], T], again: str) -> T:
    """Opens ``text`` in the editor and hands the result to ``finish``; ``again`` is the command to go on.

    An invalid result can be edited once more. Raises what ``finish`` raises, after the text was kept.
    """
    if not output.has_terminal():
        raise click.UsageError("There is no terminal to open an editor in.")
    with _private_file(text) as path, _signals_raise():
        try:
            done = _until_valid(path, text, finish)
        except BaseException:
            _save(store, name, path, text, again)
            raise
    draft.drop(store, name)
    return done


def _until_valid(path: str, before: str, finish: Callable[[str], T]) -> T:
    while True:
        # click copies our environment for the editor, so the secrets in it are blanked, not left out
        click.edit(filename=path, env=dict.fromkeys(config.SECRET_VARIABLES, ""))
        text = _read(path)
        if not text.strip() or (text == before and not before.strip()):
            raise click.Abort
        try:
            return finish(text)
        except InvalidMemoryError as error:
            output.fail(error, as_json_=False)
            if not output.confirm("Open the editor again?"):
                raise


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def _save(store: Store, name: str, path: str, before: str, again: str) -> None:
    text = _read(path)
    if not text.strip() or text == before:
        return
    try:
        draft.keep(store, name, text)
        output.note(f"your text is kept, sealed; `{again}` goes on with it.")
    except (OSError, GitmemError):
        saved = f"{path}.kept.md"
        os.rename(path, saved)
        output.note(f"your text could not be sealed; it lies in plain at {saved}.")


@contextmanager
def _private_file(text: str) -> Iterator[str]:
    path = os.path.join(_folder(), f"gitmem-{os.getpid()}-{os.urandom(6).hex()}.md")
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            file.write(text)
        yield path
    finally:
        # editors leave copies beside the file under these names
        for leftover in (
            path,
            f"{path}~",
            os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.swp"),
        ):
            if os.path.exists(leftover):
                os.unlink(leftover)


def _folder() -> str:
    for folder in (os.environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm"):  # noqa: S108 - memory, not disk
        if folder and os.path.isdir(folder) and os.access(folder, os.W_OK):
            return folder
    folder = os.path.join(config.state_dir(), "edit")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    return folder


@contextmanager
def _signals_raise() -> Iterator[None]:
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), _stop) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _stop(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)

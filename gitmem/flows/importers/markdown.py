"""Markdown notes to memories: a folder in the manner of Obsidian, or one file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from gitmem.errors import InvalidMemoryError
from gitmem.flows.importers.found import Found, Options
from gitmem.flows.importers.note import Note, memory_of
from gitmem.memory.memory import MAX_BYTES
from gitmem.memory.text import visible_line
from gitmem.memory.times import from_unix

ENDINGS = (".md", ".markdown")


def walk(folder: str) -> list[tuple[str, str]]:
    """The markdown files under ``folder``: (path inside it, reason to skip it or ""), in order.

    Whatever is hidden (.obsidian, .git, .trash) is passed over, other files as well; links are not followed.
    """
    found: list[tuple[str, str]] = []

    def closed(error: OSError) -> None:
        found.append((os.path.relpath(error.filename, folder), f"cannot be read: {error.strerror}"))

    for place, folders, names in os.walk(folder, onerror=closed):
        inside = os.path.relpath(place, folder)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        notes = [name for name in names if name.lower().endswith(ENDINGS) and not name.startswith(".")]
        for name in sorted(notes + links):
            path = os.path.normpath(os.path.join(inside, name))
            found.append((path, _reason_to_skip(os.path.join(place, name))))
    return found


def read_folder(folder: str, files: list[tuple[str, str]], options: Options) -> Iterator[Found]:
    """Each file that ``walk`` found in ``folder`` as an entry, in that order."""
    root = os.path.basename(os.path.realpath(folder))
    for inside, reason in files:
        first, slash, _ = inside.replace(os.sep, "/").partition("/")
        project = visible_line(_clean(first if slash else root))
        yield (
            Found(_clean(inside), reason=reason)
            if reason
            else _read(os.path.join(folder, inside), _clean(inside), project, options)
        )


def read_file(path: str, options: Options) -> Found:
    """One markdown file as an entry; its folder is its project unless ``options`` name one."""
    name = _clean(os.path.basename(path))
    reason = _reason_to_skip(path)
    project = visible_line(_clean(os.path.basename(os.path.dirname(os.path.realpath(path)))))
    return Found(name, reason=reason) if reason else _read(path, name, project, options)


def read_text(data: bytes, note: Note, options: Options) -> Found:
    """The text of one note as an entry."""
    if len(data) > MAX_BYTES:
        return Found(note.name, reason="larger than 1 MiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Found(note.name, reason="not UTF-8 text")
    if not text.strip():
        return Found(note.name, reason="empty")
    try:
        memory, own = memory_of(text, note, options)
    except InvalidMemoryError as error:
        return Found(note.name, reason=error.message)
    return Found(note.name, memory, own)


def _read(path: str, name: str, project: str, options: Options) -> Found:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
            time = from_unix(os.fstat(file.fileno()).st_mtime)
    except OSError as error:
        return Found(name, reason=f"cannot be read: {error.strerror}")
    stem = os.path.splitext(os.path.basename(name))[0]
    return read_text(data, Note(name, _source(path), stem, project, time), options)


def _reason_to_skip(path: str) -> str:
    try:
        info = os.lstat(path)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if stat.S_ISLNK(info.st_mode):
        return "a symbolic link, which is not followed"
    if not stat.S_ISREG(info.st_mode):
        return "not an ordinary file"
    return "larger than 1 MiB" if info.st_size > MAX_BYTES else ""


def _source(path: str) -> str:
    """Where a note lies, the same on two machines when it lies in the same place of the home folder."""
    path, home = os.path.realpath(path), os.path.realpath(os.path.expanduser("~"))
    if path.startswith(home + os.sep):
        path = f"~{path[len(home) :]}"
    return _clean(path.replace(os.sep, "/"))


def _clean(name: str) -> str:
    # A file name may be any bytes; a memory is text.
    return os.fsencode(name).decode("utf-8", "replace")

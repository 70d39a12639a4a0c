"""The same sessions as plain markdown files, and what every system to compare answers with."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from bench.dialogues import Text
from bench.reference import day

Run = Callable[[], None]


class Asked(NamedTuple):
    """A question and the conversation to look in, "" for all of them."""

    text: str
    project: str


class Answer(NamedTuple):
    """The keys of the units found, best first, and the milliseconds it took."""

    keys: list[str]
    milliseconds: float


class Rival(Protocol):
    """A system to compare: what it is called, and which units it finds (sessions, turns)."""

    name: str
    units: tuple[str, ...]

    def answer(self, asked: Sequence[Asked], unit: str) -> Iterator[Answer]:
        """Every question in turn, by one process that is warm."""

    def cold(self, asked: Asked) -> Run:
        """One question as a whole process."""

    def disk(self) -> int:
        """Bytes of everything it keeps to answer from."""


class Plaintext:
    """One markdown file per session in a folder per conversation: title, day, and one line per turn."""

    def __init__(self, folder: str, texts: Sequence[Text]) -> None:
        self.folder = folder
        self.texts = list(texts)
        self.projects = list(dict.fromkeys(text.memory.project for text in texts))
        self._keys: dict[tuple[str, int], str] = {}
        for text in texts:
            memory = text.memory
            path = os.path.join(self.place(memory.project), self._name(memory.source))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            head = f"# {memory.title}\n\n{day(memory.created)}\n\n"
            with open(path, "w", encoding="utf-8") as file:
                file.write(head + memory.body + "\n")
            for number, (_, _, key) in enumerate(text.places, start=head.count("\n") + 1):
                self._keys[os.path.basename(path), number] = key

    def place(self, project: str) -> str:
        """The folder of a conversation, or of all."""
        return os.path.join(self.folder, project) if project else self.folder

    def session_of(self, name: str) -> str:
        """The key of the session in the file of that name."""
        conversation, _, number = name.removesuffix(".md").rpartition("-")
        return f"{conversation}/{number}"

    def turn_at(self, name: str, line: int) -> str:
        """The key of the turn in that line (the first is 1) of a file, "" for its heading."""
        return self._keys.get((name, line), "")

    @staticmethod
    def _name(source: str) -> str:
        return source.replace("/", "-") + ".md"


def whole(argv: Sequence[str], env: dict[str, str] | None = None) -> Run:
    """A run of a whole process; what it finds does not matter, but that it ends well."""

    def run() -> None:
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
        if done.returncode > 1:  # 1: ripgrep found nothing
            raise SystemExit(f"{argv[0]} failed: {done.stderr.strip()[-300:]}")

    return run


def folder_size(folder: str) -> int:
    """Bytes of all files in it."""
    return sum(
        os.path.getsize(os.path.join(place, name)) for place, _, names in os.walk(folder) for name in names
    )

"""The simple systems to compare with, over the same files, and gitmem itself."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

from bench.conversations import Talks
from bench.plaintext import Answer, Asked, Plaintext, Run, folder_size, whole
from bench.reference import content
from gitmem.index.embedder import Embedder

_DEPTH = 10


class Grep:
    """ripgrep for any content word of the question; files and lines with more different words come first."""

    name = "ripgrep"
    units: tuple[str, ...] = ("sessions", "turns")

    def __init__(self, plain: Plaintext, program: str) -> None:
        self._plain, self._program = plain, program

    def answer(self, asked: Sequence[Asked], unit: str) -> Iterator[Answer]:
        """One process for each question: it has no other way."""
        for one in asked:
            start = time.perf_counter()
            done = subprocess.run(self._call(one), capture_output=True, text=True, check=False)
            words: defaultdict[str, set[str]] = defaultdict(set)
            for found in done.stdout.splitlines():
                path, line, word = found.split(":", 2)
                name = os.path.basename(path)
                key = (
                    self._plain.session_of(name)
                    if unit == "sessions"
                    else self._plain.turn_at(name, int(line))
                )
                words[key].add(word.lower())
            words.pop("", None)
            keys = sorted(words, key=lambda key: (-len(words[key]), key))[:_DEPTH]
            yield Answer(keys, (time.perf_counter() - start) * 1000)

    def cold(self, asked: Asked) -> Run:
        """The program by itself, without the ranking."""
        return whole(self._call(asked))

    def disk(self) -> int:
        """The files."""
        return folder_size(self._plain.folder)

    def _call(self, asked: Asked) -> list[str]:
        words = [part for word in content(asked.text) for part in ("-e", word)]
        options = ["--ignore-case", "--fixed-strings", "--only-matching", "--line-number", "--no-heading"]
        return [self._program, *options, "--with-filename", *words, self._plain.place(asked.project)]


class FullText:
    """SQLite FTS5 alone: a row per session or per turn, content words joined by OR, bm25."""

    name = "SQLite FTS5 alone"
    units: tuple[str, ...] = ("sessions", "turns")
    _QUERY = "SELECT key FROM {0} WHERE {0} MATCH ? AND (? = '' OR project = ?) ORDER BY rank LIMIT 10"
    _COLD = """
import sqlite3, sys
path, query, *values = sys.argv[1:]
print(sqlite3.connect(path).execute(query, values).fetchall())
"""

    def __init__(self, plain: Plaintext, folder: str) -> None:
        self._path = os.path.join(folder, "fulltext.db")
        self._base = sqlite3.connect(self._path)
        for unit in self.units:
            columns = "body, key UNINDEXED, project UNINDEXED"
            self._base.execute(
                f"CREATE VIRTUAL TABLE {unit} USING fts5({columns}, tokenize='porter unicode61')"
            )
        for text in plain.texts:
            memory = text.memory
            with open(
                os.path.join(plain.place(memory.project), memory.source.replace("/", "-") + ".md")
            ) as file:
                row = (file.read(), memory.source, memory.project)
            self._base.execute("INSERT INTO sessions VALUES (?, ?, ?)", row)
            turns = [(memory.body[start:end], key, memory.project) for start, end, key in text.places]
            self._base.executemany("INSERT INTO turns VALUES (?, ?, ?)", turns)
        self._base.commit()

    def answer(self, asked: Sequence[Asked], unit: str) -> Iterator[Answer]:
        """Through one connection."""
        for one in asked:
            start = time.perf_counter()
            found = self._base.execute(self._QUERY.format(unit), self._values(one)).fetchall()
            yield Answer([key for (key,) in found], (time.perf_counter() - start) * 1000)

    def cold(self, asked: Asked) -> Run:
        """The shortest Python program that can ask it."""
        query = [self._path, self._QUERY.format("sessions"), *self._values(asked)]
        return whole([sys.executable, "-c", self._COLD, *query])

    def disk(self) -> int:
        """The database, which holds the texts."""
        return os.path.getsize(self._path)

    @staticmethod
    def _values(asked: Asked) -> tuple[str, str, str]:
        return " OR ".join(f'"{word}"' for word in content(asked.text)), asked.project, asked.project


class Vectors:
    """MiniLM alone: the cosine of the question and every turn; a session is as good as its best turn."""

    name = "MiniLM alone"
    units: tuple[str, ...] = ("sessions", "turns")
    _COLD = """
import sys, numpy
from gitmem import app
matrix = numpy.load(sys.argv[1])
vector = numpy.frombuffer(app.embedder().embed([sys.argv[2]])[0], dtype=numpy.int8).astype(numpy.float32)
print(numpy.argsort(-(matrix.astype(numpy.float32) @ vector))[:10])
"""

    def __init__(self, plain: Plaintext, folder: str, embedder: Embedder) -> None:
        import numpy as np

        self._numpy, self._embedder = np, embedder
        self._path = os.path.join(folder, "vectors.npy")
        places = [(text.memory, *place) for text in plain.texts for place in text.places]
        self._turns = [key for _, _, _, key in places]
        self._projects = np.array([memory.project for memory, *_ in places])
        made = embedder.embed([memory.body[start:end] for memory, start, end, _ in places])
        matrix = np.frombuffer(b"".join(made), dtype=np.int8).reshape(len(made), -1)
        np.save(self._path, matrix)
        self._matrix = matrix.astype(np.float32)

    def answer(self, asked: Sequence[Asked], unit: str) -> Iterator[Answer]:
        """With the model and the vectors in memory."""
        np = self._numpy
        for one in asked:
            start = time.perf_counter()
            vector = np.frombuffer(self._embedder.embed([one.text])[0], dtype=np.int8).astype(np.float32)
            scores = self._matrix @ vector
            if one.project:
                scores[self._projects != one.project] = -np.inf
            keys = (self._turns[row] for row in np.argsort(-scores))
            if unit == "sessions":
                keys = (key.rpartition(":")[0] for key in keys)
            different = list(dict.fromkeys(keys))[:_DEPTH]
            yield Answer(different, (time.perf_counter() - start) * 1000)

    def cold(self, asked: Asked) -> Run:
        """A process that loads the model and the vectors."""
        return whole([sys.executable, "-c", self._COLD, self._path, asked.text])

    def disk(self) -> int:
        """The vectors, one byte per number; the weights come on top of that."""
        return os.path.getsize(self._path)


class Gitmem:
    """gitmem over an encrypted vault, by words or with the model."""

    units: tuple[str, ...] = ("sessions", "turns")

    def __init__(self, talks: Talks, embedder: Embedder | None) -> None:
        self.name = f"gitmem {'semantic' if embedder else 'lexical'}"
        self._talks, self._embedder = talks, embedder

    def answer(self, asked: Sequence[Asked], unit: str) -> Iterator[Answer]:
        """Through ``Store.search``: the memories found are decrypted and their snippets made."""
        self._talks.use(self._embedder)
        rank = self._talks.sessions if unit == "sessions" else self._talks.passages
        for one in asked:
            start = time.perf_counter()
            found = rank(one.text, one.project, _DEPTH)[:_DEPTH]
            yield Answer(found, (time.perf_counter() - start) * 1000)

    def cold(self, asked: Asked) -> Run:
        """``gitmem search`` as a whole process."""
        project = ["--project", asked.project] if asked.project else []
        mode = [] if self._embedder else ["--lexical"]
        call = [sys.executable, "-P", "-m", "gitmem", "search", asked.text, *project, *mode]
        return whole(call, self._talks.vault.env)

    def disk(self) -> int:
        """The whole vault: sealed memories, history and index, vectors where there are any."""
        return folder_size(self._talks.vault.path)

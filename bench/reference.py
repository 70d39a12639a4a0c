"""The plain system that the bars of docs/benchmarks.md come from, to see that the figures here count alike.

Standard library only: an FTS5 table of turns or facts (porter, unicode61) with date and speaker before the
text and a second column of the turn before, of it and after, at weight .5 (facts stand for themselves);
plus half the score of an FTS5 table of whole sessions; each list divided by its best; stop words out of the
question.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator

from bench.dialogues import Dialogue, Session
from gitmem.index.keyword import STOP

_WORDS = re.compile(r"\w+")
_MONTHS = "January February March April May June July August September October November December".split()


class Reference:
    """Turns or facts of some conversations in two FTS5 tables in memory."""

    def __init__(self, dialogues: list[Dialogue], unit: str) -> None:
        self._keys: list[str] = []
        self._session_of: list[int] = []
        self._base = sqlite3.connect(":memory:")
        for table, columns in (("line", "body, context"), ("file", "body")):
            self._base.execute(
                f"CREATE VIRTUAL TABLE {table} USING fts5({columns}, tokenize='porter unicode61')"
            )
        number = 0
        for dialogue in dialogues:
            for session in dialogue.sessions:
                self._add(number, session, facts=unit == "notes")
                number += 1

    def _add(self, number: int, session: Session, *, facts: bool) -> None:
        lines = session.facts if facts else session.turns
        written = [f"{day(session.time)} - {line.who}: {line.text}" for line in lines]
        plain = [f"{line.who}: {line.text}" for line in lines]
        for at, line in enumerate(lines):
            around = "" if facts else " ".join(plain[max(0, at - 1) : at + 2])
            self._base.execute(
                "INSERT INTO line (rowid, body, context) VALUES (?, ?, ?)",
                (len(self._keys), written[at], around),
            )
            self._keys.append(line.key)
            self._session_of.append(number)
        body = " ".join([day(session.time), *plain])
        self._base.execute("INSERT INTO file (rowid, body) VALUES (?, ?)", (number, body))

    def search(self, question: str) -> list[str]:
        """The keys of the lines that share a word with the question, best first."""
        match = " OR ".join(f'"{word}"' for word in content(question))
        lines = dict(self._scored("SELECT rowid, -bm25(line, 1, .5) FROM line WHERE line MATCH ?", match))
        files = dict(self._scored("SELECT rowid, -bm25(file) FROM file WHERE file MATCH ?", match))
        total = {row: score + 0.5 * files.get(self._session_of[row], 0.0) for row, score in lines.items()}
        return [self._keys[row] for row in sorted(total, key=lambda row: -total[row])]

    def _scored(self, query: str, match: str) -> Iterator[tuple[int, float]]:
        found = self._base.execute(query, (match,)).fetchall()
        best = max((score for _, score in found), default=1.0)
        return ((row, score / best) for row, score in found)


def content(text: str) -> list[str]:
    """The different words of a text in lower case, without stop words unless it has no others."""
    words = list(dict.fromkeys(word.lower() for word in _WORDS.findall(text)))
    return [word for word in words if word not in STOP] or words


def day(time: str) -> str:
    """A date in words: ``8 May 2023``."""
    return f"{int(time[8:10])} {_MONTHS[int(time[5:7]) - 1]} {time[:4]}"

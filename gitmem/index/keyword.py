"""Search by words: what a question becomes for SQLite, and how the answers are ranked.

Content words are quoted and joined by OR; bm25 then prefers the memories that hold more of the rarer ones.
Words that stand together in the question, and names with punctuation inside (``src/auth/jwt.ts``), are also
looked for as phrases. No text can be a syntax error, since no punctuation reaches the query language.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any, NamedTuple

from gitmem.index import words as text
from gitmem.index.filters import Filters, among_passages, without_hidden
from gitmem.index.fusion import Scored, fused
from gitmem.index.schema import MEMORY_OF_PASSAGE, place

_MOST_WORDS = 64  # a pasted page asks for its first ones
_MOST_PHRASES = 16
_LONGEST_PHRASE = 16
_LONGEST_QUERY = 20_000  # characters that are looked at
_CANDIDATES = 200

_CHUNK = re.compile(r"[^\s\"“”„«»‘’'`()\[\]{}<>|,;!?*。、，！？；「」『』（）【】…]+")
STOP = frozenset(
    """a about after again all also am an and any are as at be because been before being between both but by
    can could did do does doing done down during each for from further had has have having he her here hers
    him himself his how i if in into is it its itself just me more most my myself no nor not now of off on
    once only or other our ours out over own same she should so some such than that the their theirs them
    themselves then there these they this those through to too under until up very was we were what when
    where which while who whom whose why will with would you your yours yourself ve ll re s t d m don didn
    doesn isn wasn weren won""".split()
)


class Question(NamedTuple):
    """A query in parts: the words to look for, and the runs of words that would be worth more together."""

    words: tuple[str, ...]
    phrases: tuple[tuple[str, ...], ...]


def question(query: str) -> Question:
    """The content words and phrases of ``query``; all its words when none is one; empty when it has no word.

    Phrases are what stands together: the parts of an identifier or path, and each two content words in a row.
    """
    words: list[str] = []
    phrases: dict[tuple[str, ...], None] = {}
    for chunk in _CHUNK.findall(query[:_LONGEST_QUERY]):
        found = [word.lower() for word in text.words(chunk)]
        words += found
        if 1 < len(found) <= _LONGEST_PHRASE and not any(map(text.is_run, found)):
            phrases[tuple(found)] = None
    phrases.update(dict.fromkeys(pair for pair in pairwise(words) if STOP.isdisjoint(pair)))
    different = list(dict.fromkeys(words))
    content = [word for word in different if word not in STOP] or different
    return Question(tuple(content[:_MOST_WORDS]), tuple(phrases)[:_MOST_PHRASES])


def search(connection: Any, query: str, filters: Filters, limit: int) -> list[Scored]:
    """The best memories for ``query``, best first; equal ones newest first; none for a query without a word.

    Raises:
        InvalidMemoryError: a filter's date is none.
    """
    asked = question(query)
    if not asked.words or limit < 1:
        return []
    filters = without_hidden(connection, filters)
    most = max(_CANDIDATES, 4 * limit)
    passages = _passages(connection, asked, filters, most)
    if not passages:
        return []
    scores = fused(passages, _wholes(connection, asked, filters, most))
    return _described(connection, scores, limit)


def _passages(connection: Any, asked: Question, filters: Filters, most: int) -> list[tuple[int, float]]:
    phrases = [" ".join(phrase) for phrase in asked.phrases]
    match = " OR ".join([*map(_quoted, asked.words), *(f'"{phrase}"' for phrase in phrases)])
    among, values = among_passages(filters, MEMORY_OF_PASSAGE)
    found: list[tuple[int, float]] = connection.execute(
        f"SELECT rowid, bm25(passage, 1.0, 0.5) AS score FROM passage WHERE passage MATCH ? AND {among}"
        " ORDER BY score LIMIT ?",
        (match, *values, most),
    ).fetchall()
    return found


def _wholes(connection: Any, asked: Question, filters: Filters, most: int) -> list[tuple[int, float]]:
    among, values = among_passages(filters, "rowid")
    found: list[tuple[int, float]] = connection.execute(
        f"SELECT rowid, bm25(whole) AS score FROM whole WHERE whole MATCH ? AND {among}"
        " ORDER BY score LIMIT ?",
        (" OR ".join(map(_quoted, asked.words)), *values, most),
    ).fetchall()
    return found


def _quoted(word: str) -> str:
    # One character of a script without spaces is the beginning of the pairs that it stands in.
    return f'"{word}"*' if len(word) == 1 and text.is_run(word) else f'"{word}"'


def _described(connection: Any, scores: dict[int, tuple[float, int]], limit: int) -> list[Scored]:
    """The best ``limit`` memories. Numbers depend on the order of writing, so they must not break ties."""
    lowest = sorted((score for score, _ in scores.values()), reverse=True)[:limit][-1]
    wanted = [number for number, (score, _) in scores.items() if score >= lowest]
    rows = connection.execute(
        "SELECT n, id, created, cuts FROM memory WHERE n IN (SELECT value FROM json_each(?))",
        (json.dumps(wanted),),
    ).fetchall()
    rows.sort(key=lambda row: (scores[row[0]][0], row[2], row[1]), reverse=True)
    return [
        Scored(memory_id, scores[number][0], *place(cuts, scores[number][1]))
        for number, memory_id, _, cuts in rows[:limit]
    ]

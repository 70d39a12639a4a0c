"""What a query becomes for a search by words.

Content words are looked for one by one; names with punctuation inside (``src/auth/jwt.ts``) and in camel case
also as phrases, and two words side by side as well. Words in quotes must stand together. No text can be a
syntax error, since no punctuation reaches the query language.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from gitmem.index import words as text

_MOST_WORDS = 64  # a pasted page asks for its first ones
_MOST_PHRASES = 16
_LONGEST_PHRASE = 16
_MOST_PAIRS = 8
_LONGEST_QUERY = 20_000  # characters that are looked at

_CHUNK = re.compile(r"[^\s\"“”„«»‘’'`()\[\]{}<>|,;!?*。、，！？；「」『』（）【】…]+")
_QUOTED = r"\"([^\"]+)\"|[“”„]([^“”„]+)[“”]|«([^«»]+)»|「([^「」]+)」|『([^『』]+)』"
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
    """A query in parts.

    ``words`` are what to look for, ``phrases`` the names among them that are more than their parts, ``pairs``
    the words that stand side by side, ``required`` what must occur.
    """

    words: tuple[str, ...]
    phrases: tuple[tuple[str, ...], ...] = ()
    pairs: tuple[tuple[str, ...], ...] = ()
    required: tuple[tuple[str, ...], ...] = ()


def question(query: str) -> Question:
    """The content words and phrases of ``query``; all its words when none is one; empty without a word."""
    query = query[:_LONGEST_QUERY]
    words: list[str] = []
    phrases: dict[tuple[str, ...], None] = {}
    for chunk in _CHUNK.findall(query):
        found = [word.lower() for word in text.words(chunk)]
        words += found
        parts = tuple(part.lower() for word in text.words(chunk) for part in text.parts(word))
        for phrase in (tuple(found), parts):
            if 1 < len(phrase) <= _LONGEST_PHRASE and not any(map(text.is_run, phrase)):
                phrases[phrase] = None
    different = list(dict.fromkeys(words))
    content = [word for word in different if word not in STOP] or different
    pairs = dict.fromkeys(pair for pair in pairwise(words) if STOP.isdisjoint(pair) and pair not in phrases)
    return Question(
        tuple(content[:_MOST_WORDS]),
        tuple(phrases)[:_MOST_PHRASES],
        tuple(pairs)[:_MOST_PAIRS],
        _required(query),
    )


def _required(query: str) -> tuple[tuple[str, ...], ...]:
    if not any(mark in query for mark in '"“„«「『'):
        return ()
    spans = ("".join(found.groups("")) for found in re.finditer(_QUOTED, query))
    runs = (tuple(word.lower() for word in text.words(span)) for span in spans)
    return tuple(run for run in runs if 0 < len(run) <= _LONGEST_PHRASE)[:_MOST_PHRASES]


def match(words: tuple[str, ...]) -> str:
    """A word, or words in a row, in the language of FTS5."""
    # One character of a script without spaces is the beginning of the pairs that it stands in.
    if len(words) == 1 and len(words[0]) == 1 and text.is_run(words[0]):
        return f'"{words[0]}"*'
    return f'"{" ".join(words)}"'

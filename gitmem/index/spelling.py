"""What a word may have meant that the index does not hold: the beginning of a longer one, or a misspelt one.

The index holds stems ("migrat"), and a search stems what it is given, so a stem found here is given back as a
word that becomes it ("migration"). Reading the whole vocabulary of a large vault would take half a second:
words are compared with those of the same first letter, and with all that differ in the beginning alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from gitmem.index.words import TOKENIZER, is_run

_MOST_WORDS = 3  # of a question: each may cost a tenth of the vocabulary
_MOST_FORMS = 6  # for each word
_SHORTEST, _LONGEST = 4, 30  # letters of a word that may be misspelt, or longer than its stem
_LONG = 8  # letters from which on it may be so twice
_SHORTEST_BEGINNING = 3
_LAST = "\U0010ffff"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# What stemming takes off; a stem in "i" comes from a word in "y".
_ENDINGS = (
    "", "e", "s", "y", "ed", "es", "er", "ly", "al", "or", "ic", "ing", "ion", "ers", "ors", "ity", "ive",
    "ment", "ions", "able", "ance", "ence", "ness", "ings", "ication", "ation", "ments", "ities", "ational",
    "ations", "ications", "ization", "ate", "ated", "ize", "ely", "ous", "ful", "ant", "ent", "ible", "ical",
    "ator", "ative",
)  # fmt: skip


def beginnings(connection: Any, words: Sequence[str]) -> list[str]:
    """Words of the index that begin with one of ``words``; the most frequent first, each word's in turn."""
    _prepare(connection)
    found: list[str] = []
    for word, stem in _stemmed(connection, words).items():
        if len(word) >= _SHORTEST_BEGINNING and stem:
            found += _beginning_with(connection, word, stem)
    return list(dict.fromkeys(found))


def corrections(connection: Any, words: Sequence[str]) -> dict[str, list[str]]:
    """Word → words of the index that it may be a misspelling of, the nearest first, then the most frequent.

    A word of 4 to 7 letters may differ in one place (a letter more, less or other, two exchanged), a longer
    one in two. What the index holds, numbers, and words of scripts without spaces are not misspelt.
    """
    _prepare(connection)
    found = {word: _near(connection, word, stem) for word, stem in _stemmed(connection, words).items()}
    return {word: near for word, near in found.items() if near}


def _prepare(connection: Any) -> None:
    # Temporary tables live in memory, and are this connection's own.
    connection.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.term USING fts5vocab(main, passage, row)")
    connection.execute(
        f'CREATE VIRTUAL TABLE IF NOT EXISTS temp.form USING fts5(word, tokenize="{TOKENIZER}")'
    )
    connection.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.stem USING fts5vocab(temp, form, instance)")


# --- words and their stems --------------------------------------------------------------------------------


def _stemmed(connection: Any, words: Sequence[str]) -> dict[str, str]:
    """The first few of ``words`` that are one word each, with their stems."""
    some = list(dict.fromkeys(word.lower() for word in words if not is_run(word)))[:_MOST_WORDS]
    return dict(zip(some, _stems(connection, some), strict=True))


def _stems(connection: Any, words: Sequence[str]) -> list[str]:
    """What the index makes of each of ``words``; "" for what is not one word."""
    connection.execute("DELETE FROM form")
    connection.executemany("INSERT INTO form (rowid, word) VALUES (?, ?)", list(enumerate(words, 1)))
    stems = [""] * len(words)
    for number, offset, term in connection.execute("SELECT doc, offset, term FROM stem ORDER BY doc, offset"):
        stems[number - 1] = term if term and offset == 0 else ""  # marks alone make a word without letters
    return stems


def _spoken(connection: Any, forms: Sequence[tuple[str, Iterable[str]]]) -> list[str]:
    """For each term the first of its forms that is stemmed to it; terms without one are left out."""
    pairs = [(term, form) for term, some in forms for form in some]
    spoken: dict[str, str] = {}
    for (term, form), stem in zip(pairs, _stems(connection, [form for _, form in pairs]), strict=True):
        if stem == term:
            spoken.setdefault(term, form)
    return list(spoken.values())


def _forms(term: str) -> list[str]:
    bare = [term[:-1] + "y", term[:-1] + "ies", term[:-1] + "ys"] if term.endswith("i") else [term]
    doubled = term + term[-1]  # "running"
    return [*bare, *(term + ending for ending in _ENDINGS), doubled + "ed", doubled + "ing"]


# --- looking through the vocabulary -----------------------------------------------------------------------


def _beginning_with(connection: Any, word: str, stem: str) -> list[str]:
    for start in dict.fromkeys((word, stem)):
        terms = connection.execute(
            "SELECT term FROM term WHERE term >= ? AND term < ? ORDER BY doc DESC, term LIMIT ?",
            (start, start + _LAST, _MOST_FORMS),
        ).fetchall()
        if terms:
            return _spoken(connection, [(term, _forms(term)) for (term,) in terms])
    # "authentica": the stem of the whole word is shorter
    shorter = _known(connection, [word[:end] for end in range(_SHORTEST, len(word)) if len(word) <= _LONGEST])
    forms = [(term, [form for form in _forms(term) if form.startswith(word)]) for term in shorter]
    return _spoken(connection, forms)


def _near(connection: Any, word: str, stem: str) -> list[str]:
    word = word if word.isascii() else stem  # without accents, as the index has it
    if not (_SHORTEST <= len(word) <= _LONGEST and word.isalpha()) or _known(connection, [stem]):
        return []
    most, same = (2, 1) if len(word) >= _LONG else (1, 2)
    terms = connection.execute(
        "SELECT term, doc FROM term WHERE term >= ? AND term < ?", (word[:same], word[:same] + _LAST)
    )
    distances = _Distances(word, most)
    near = [(found[0][0], -doc, term, found) for term, doc in terms if (found := distances.near(term))]
    near += [(1, -doc, term, [(1, form)]) for term, doc, form in _other_beginnings(connection, word, same)]
    near.sort()
    forms = [(term, [form for _, form in found]) for _, _, term, found in near[: 2 * _MOST_FORMS]]
    return _spoken(connection, forms)[:_MOST_FORMS]


def _other_beginnings(connection: Any, word: str, same: int) -> list[tuple[str, int, str]]:
    """Term, frequency and word of all that differ from ``word`` in one place of its first letters alone."""
    others: dict[str, None] = {}
    for at in range(same):
        start, rest = word[:at], word[at:]
        others[start + rest[1:]] = None
        others[start + rest[1] + rest[0] + rest[2:]] = None
        others.update(dict.fromkeys(start + letter + end for end in (rest, rest[1:]) for letter in _LETTERS))
    forms = dict(zip(_stems(connection, list(others)), others, strict=True))
    return [(term, doc, forms[term]) for term, doc in _known(connection, list(forms)).items()]


def _known(connection: Any, terms: Sequence[str]) -> dict[str, int]:
    """Those of ``terms`` that the index holds, with the number of passages that do."""
    wanted = "SELECT term, doc FROM term WHERE term IN (SELECT value FROM json_each(?)) ORDER BY doc DESC"
    return dict(connection.execute(wanted, (json.dumps(terms),)).fetchall())


# --- how far two words are from each other ----------------------------------------------------------------


class _Distances:
    """How far texts are from ``word``: letters to put in, leave out, change, or exchange with the next.

    The table of the last text is kept, so that one with the same beginning is not compared from its start.
    """

    def __init__(self, word: str, most: int) -> None:
        self._word, self._letters, self._most = word, set(word), most
        self._text = ""
        self._rows = [list(range(len(word) + 1))]
        self._far = ""

    def near(self, term: str) -> list[tuple[int, str]]:
        """Distance and form of the forms of ``term`` that are near enough, the nearest first."""
        if self._far and term.startswith(self._far):
            return []
        if len(term) > len(self._word) + self._most or len(set(term[:-1]) - self._letters) > self._most:
            return []
        self._far = ""
        if not self._reaches(term[:-1]):  # its last letter may be another in its forms
            self._far = self._text
            return []
        forms = (form for form in _forms(term) if self._seems_near(form))
        found = [(self._rows[-1][-1], form) for form in forms if self._reaches(form)]
        return sorted((one for one in found if one[0] <= self._most), key=itemgetter(0))

    def _seems_near(self, form: str) -> bool:
        """Whether length and letters, which are quickly compared, allow it to be near."""
        most = self._most
        return abs(len(form) - len(self._word)) <= most and len(self._letters ^ set(form)) <= 2 * most

    def _reaches(self, text: str) -> bool:
        """Compare ``text`` as far as its beginning is near enough, and say whether all of it is."""
        at = _common(self._text, text)
        del self._rows[at + 1 :]
        near = min(self._rows[-1]) <= self._most
        while near and at < len(text):
            self._rows.append(self._row(text, at))
            near = min(self._rows[-1]) <= self._most
            at += 1
        self._text = text[:at]
        return near

    def _row(self, text: str, at: int) -> list[int]:
        letter, last, word, most = text[at], self._rows[at], self._word, self._most
        row = [most + 1] * (len(word) + 1)
        if at < most:
            row[0] = at + 1
        for j in range(max(0, at - most), min(len(word), at + most + 1)):
            cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (letter != word[j]))
            if at and j and letter == word[j - 1] and word[j] == text[at - 1]:
                cost = min(cost, self._rows[at - 1][j - 1] + 1)
            row[j + 1] = cost
        return row


def _common(one: str, other: str) -> int:
    """How many letters both begin with."""
    for at, (letter, there) in enumerate(zip(one, other, strict=False)):
        if letter != there:
            return at
    return min(len(one), len(other))

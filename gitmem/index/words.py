"""Text as the index sees it: one Unicode form, and Chinese, Japanese and Korean cut into pairs of characters.

SQLite's tokenizer splits at everything that is not a letter, digit or mark. Scripts without spaces would
give one word per sentence, so each run of them is written as its overlapping pairs and its last character:
认证系统 → 认证 证系 系统 统. So any single character is the beginning of some word. Thai, Lao, Burmese and
Khmer have no spaces either. Names in camel case are written in parts and as a whole: UserService → User
Service UserService.
"""

from __future__ import annotations

import re

TOKENIZER = "porter unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"

# Compiled where it is used (re keeps it): most texts are ASCII and never need it.
_RUN = (
    "[\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u1000-\u103f\u1780-\u17d3\u1100-\u11ff\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3131-\u318e\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_ASCII_WORD = re.compile("[0-9A-Za-z]+")
_HUMP = re.compile("[A-Z](?:(?<=[a-z0-9][A-Z])|[A-Z][a-z])")
# From the start of a word and without going back: a long word must not be read once for each of its letters.
_NAME = "(?<![0-9A-Za-z])[0-9A-Za-z][0-9a-z]*+[A-Z][0-9A-Za-z]*"
_BETWEEN = "(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
_PLUS, _SHARP = r"\b([A-Za-z])\+\+", r"\b([A-Za-z])#"
# Accents of Greek, points of Hebrew, vowel signs of Arabic: SQLite takes off Latin marks only.
_MARKED = "[\u0370-\u03ff\u0590-\u06ff\u1f00-\u1fff]"
_MARKS = (
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]"
)


def folded(text: str) -> str:
    """``text`` as it is indexed."""
    if not text.isascii():
        text = re.sub(_RUN, _pairs, _normal(text))
    text = _lettered(text)
    if _HUMP.search(text):
        text = re.sub(_NAME, lambda name: " ".join((*parts(name[0]), name[0])), text)
    return text


def parts(name: str) -> list[str]:
    """The parts of a name in camel case; none when it has no humps."""
    found = re.split(_BETWEEN, name) if _HUMP.search(name) else []
    return found if len(found) > 1 else []


def _lettered(text: str) -> str:
    """The names of two languages whose signs no tokenizer keeps: C++ and C# (and F#) in letters."""
    if "++" in text or "#" in text:
        text = re.sub(_PLUS, r" \1 \1pp ", text)
        text = re.sub(_SHARP, r" \1 \1sharp ", text)
    return text


def words(text: str) -> list[str]:
    """The words that SQLite's tokenizer would see in a piece of a query, before stemming.

    A single character of a script without spaces comes out as it is; longer runs as their pairs.
    """
    if "++" in text or "#" in text:
        text = re.sub(_PLUS, r" \1pp ", re.sub(_SHARP, r" \1sharp ", text))
    if text.isascii():
        return _ASCII_WORD.findall(text)
    spaced = re.sub(_RUN, lambda run: " " + " ".join(pairs(run[0])) + " ", _normal(text))
    return "".join(char if _in_word(char) else " " for char in spaced).split()


def pairs(run: str) -> list[str]:
    """The overlapping pairs of characters of ``run``, or the one character that it is."""
    return [run[at : at + 2] for at in range(len(run) - 1)] or [run]


def storable(text: str) -> str:
    """``text`` without lone surrogates (a broken file name, a cut emoji), which SQLite could not take."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def is_run(word: str) -> bool:
    """Whether ``word`` is written in a script without spaces."""
    return not word.isascii() and re.fullmatch(_RUN, word) is not None


def _pairs(run: re.Match[str]) -> str:
    found = run[0]
    return f" {' '.join(pairs(found))} {found[-1] if len(found) > 1 else ''} "


def _normal(text: str) -> str:
    import unicodedata  # only texts beyond ASCII pay for it

    text = storable(text)
    if re.search(_MARKED, text):
        text = re.sub(_MARKS, "", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFKC", text)


def _in_word(char: str) -> bool:
    import unicodedata

    # Cn: what is not a character yet may be one to SQLite, which knows another edition of Unicode.
    return char.isalnum() or unicodedata.category(char) in {"Mn", "Mc", "Co", "Cn"}

"""Text as the numbers that BERT models know: uncased WordPiece, for a vocabulary of the model's own.

The rules are those of "BERT: Pre-training of Deep Bidirectional Transformers" (Devlin et al., 2018): clean,
take accents off, lower, split at spaces, punctuation and each Chinese character, then cut every word into the
longest pieces that the vocabulary has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from unicodedata import category, normalize

_LONGEST_WORD = 100  # characters; a longer one is unknown
_LONGEST_TEXT = 20_000  # characters that are looked at: many times what a model takes
_MARK = r"!-/:-@\[-`{-~"  # ASCII's symbols count as punctuation too
_WORDS = re.compile(rf"[{_MARK}]|[^\s{_MARK}]+")
_BREAKS = "\t\n\r"
_CONTROLS = frozenset(("Cc", "Cf", "Co", "Cs"))
_CHINESE = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip


class WordPiece:
    """A vocabulary; ``pieces`` has one entry a line, and its number is its place."""

    def __init__(self, pieces: str) -> None:
        self._numbers = {piece: number for number, piece in enumerate(pieces.splitlines())}
        self._unknown, self._first, self._last = (
            self._numbers[f"[{name}]"] for name in ("UNK", "CLS", "SEP")
        )

    def numbers(self, text: str, most: int) -> list[int]:
        """The numbers of ``text`` between those that mark its beginning and its end, at most ``most``."""
        found = (number for word in _words(text[:_LONGEST_TEXT]) for number in self._cut(word))
        return [self._first, *islice(found, most - 2), self._last]

    def _cut(self, word: str) -> list[int]:
        whole = self._numbers.get(word)
        if whole is not None:
            return [whole]
        found: list[int] = []
        at, size = 0, len(word)
        while at < size <= _LONGEST_WORD:
            end = size
            while (number := self._numbers.get(("##" if at else "") + word[at:end])) is None:
                end -= 1
                if end == at:
                    return [self._unknown]
            found.append(number)
            at = end
        return found or [self._unknown]


def _words(text: str) -> Iterator[str]:
    plain = _ascii(text) if text.isascii() else _beyond_ascii(text)
    return (match[0] for match in _WORDS.finditer(plain))


def _ascii(text: str) -> str:
    if not text.isprintable():
        text = "".join(char for char in text if char.isprintable() or char in _BREAKS)
    return text.lower()


def _beyond_ascii(text: str) -> str:
    kept = (
        char for char in text if char in _BREAKS or (category(char) not in _CONTROLS and char != "\ufffd")
    )
    spaced = "".join(f" {char} " if _is_chinese(char) else " " if char.isspace() else char for char in kept)
    bare = (char for char in normalize("NFD", spaced) if category(char) != "Mn")
    # Letter by letter: a whole word's lower case would make a sigma at its end another letter.
    return "".join(f" {char} " if _splits(char) else char.lower() for char in bare)


def _splits(char: str) -> bool:
    return not char.isascii() and category(char)[0] == "P"


def _is_chinese(char: str) -> bool:
    return char > "\u33ff" and any(first <= ord(char) <= last for first, last in _CHINESE)

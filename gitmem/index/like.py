"""What makes a memory particular: its rarest words, as a query that finds others like it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from math import log, sqrt

from gitmem.index.embedder import Embedder
from gitmem.index.keyword import STOP
from gitmem.index.words import words
from gitmem.memory.memory import Memory

_MOST = 24  # words of the query: more find more, and nothing better
_LOOKED_UP = 200  # different words whose rarity is asked for: the memory's most frequent, then longest ones
_READ = 50_000  # characters

Frequencies = Callable[[Sequence[str]], dict[str, int]]  # in how many passages each word stands


def wording(memory: Memory, frequencies: Frequencies) -> str:
    """The words by which ``memory`` differs from most others and yet is like some, the most telling first.

    A word that stands nowhere else finds nothing, and is left out.
    """
    text = f"{memory.title} {memory.body[:_READ]} {' '.join((*memory.tags, *memory.topics))}"
    counted = Counter(word for word in map(str.lower, words(text)) if word not in STOP)
    own = dict(sorted(counted.items(), key=lambda one: (-one[1], -len(one[0]), one[0]))[:_LOOKED_UP])
    held = {word: count for word, count in frequencies(list(own)).items() if count > 1}
    most = max(held.values(), default=1)
    telling = sorted(held, key=lambda word: (-sqrt(own[word]) * log(1 + most / held[word]), word))
    return " ".join(telling[:_MOST])


class Own:
    """An embedder that gives a memory's own vector whatever it is asked: rare words make no sentence."""

    def __init__(self, embedder: Embedder, memory: Memory) -> None:
        self._embedder = embedder
        self._text = f"{memory.title}\n{memory.body[:_READ]}"

    @property
    def name(self) -> str:
        """The name of the model."""
        return self._embedder.name

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """The vector of the memory, once for each text."""
        return self._embedder.embed([self._text]) * len(texts)

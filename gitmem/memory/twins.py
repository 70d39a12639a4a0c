"""Which memories say the same: found by their words alone, and never where they differ in a telling one.

Of two twins one holds every pair of neighbouring words of the other and hardly a word more, and both have the
same numbers, dates, negations, names, paths and code. What is only similar is left to one who understands.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gitmem.memory.likeness import STOP, terms
from gitmem.memory.memory import TRUSTS, Memory

ALIKE = 0.85  # the shared part of the words of both, as Jaccard counts it

_NEGATIONS = frozenset(
    """not no never none nobody nothing nowhere neither nor without cannot except unless instead former
    formerly stop stops stopped avoid avoids forbid forbids forbidden disallow refuse refused reject rejected
    fail failed deprecated remove removed disable disabled drop dropped cancel cancelled canceled false wrong
    longer off""".split()
)
_WHO_AND_WHEN = frozenset(
    "i me my you your he him his she her we us our they them was were had will would should may might must "
    "could".split()
)
_DECISIVE = _NEGATIONS | _WHO_AND_WHEN
_CODE = re.compile(r"```.*?```|~~~.*?~~~|`[^`\n]+`", re.DOTALL)
_AROUND = "()[]{},;:!?.\"'*_“”‘’…-/"  # what stands around a word and is no part of it
_SENTENCE = re.compile(r"(?<=[.!?])\s|(?<=[。！？])|\n")
_TOKEN = re.compile(r"[^\W_]+(?:['’]t\b)?")


@dataclass(frozen=True, slots=True)
class Traits:
    """What twins are told by.

    ``words`` and ``pairs`` are stems, the pairs of neighbours within a sentence; ``telling`` must be the same
    in both; a capitalised word of one (``names``) must be among the ``tokens`` of the other.
    """

    words: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    telling: frozenset[str]
    names: frozenset[str]
    tokens: frozenset[str]


def traits(memory: Memory) -> Traits:
    """The traits of a memory's text, or of its title where that is all there is."""
    text = _text(memory)
    words: set[str] = set()
    pairs: set[tuple[str, str]] = set()
    for sentence in _SENTENCE.split(text):
        found = terms(sentence)
        words.update(found)
        pairs.update(pairwise(found))
    plain = _TOKEN.findall(_CODE.sub(" ", text))
    tokens = frozenset(word.casefold() for word in plain)
    names = frozenset(word.casefold() for word in plain if not word.islower()) - STOP
    return Traits(frozenset(words), frozenset(pairs), _telling(text), names, tokens)


def _text(memory: Memory) -> str:
    return memory.body if memory.body.strip() else memory.title


def _telling(text: str) -> frozenset[str]:
    """Code, paths, flags, numbers and signs as they are, and the words that turn a sentence round.

    Word by word and not by one pattern, whose time would grow with the square of a long word.
    """
    plain = _CODE.sub(" ", text)
    telling = set(_CODE.findall(text))
    telling.update(filter(None, map(_exact, plain.split())))
    tokens = {word.casefold() for word in _TOKEN.findall(plain)}
    return frozenset(telling | tokens & _DECISIVE | ({"not"} if any(map(_is_short_not, tokens)) else set()))


def _exact(word: str) -> str:
    """A word that must be in both texts as it is: a path, a flag, a name of code, a number; else ""."""
    if any(sign in word for sign in "=<>~^"):
        return word
    bare = word.strip(_AROUND)
    signed = word.lstrip("([{*_\"'“‘")
    if signed.startswith(("-", "+", "!")) and len(signed) > 1 and bare:
        return signed.rstrip(_AROUND)
    inner = any(sign in bare for sign in "/\\._@#")
    return word.strip("()[]{},;:!?\"'*“”‘’…").rstrip(".") if inner or any(map(str.isdigit, bare)) else ""


def _is_short_not(token: str) -> bool:
    return token.endswith(("n't", "n’t"))


def twins(memories: Sequence[Memory], fresh: Iterable[str] | None = None) -> list[tuple[Memory, Memory]]:
    """The pairs (stays, goes) that say the same, each memory going at most once and never both ways.

    Args:
        memories: those to compare; only within one project and kind.
        fresh: ids of which one must be in every pair; without it all pairs count.
    """
    wanted = None if fresh is None else frozenset(fresh)
    gone: set[str] = set()
    found = []
    for alike in _alike(memories):
        if wanted is not None and wanted.isdisjoint(memory.id for memory in alike):
            continue
        looked = {memory.id: traits(memory) for memory in alike}
        for stays, goes in _candidates(alike, looked):
            if gone & {stays.id, goes.id} or (wanted is not None and not wanted & {stays.id, goes.id}):
                continue
            if _says_all(looked[stays.id], looked[goes.id]):
                gone.add(goes.id)
                found.append((stays, goes))
    return found


def _alike(memories: Sequence[Memory]) -> list[list[Memory]]:
    """Those that have the telling words in common; only their number is kept, texts may be long and many."""
    groups: dict[tuple[object, ...], list[Memory]] = {}
    for memory in memories:
        groups.setdefault((memory.project, memory.kind, hash(_telling(_text(memory)))), []).append(memory)
    return [group for group in groups.values() if len(group) > 1]


def _candidates(group: list[Memory], looked: dict[str, Traits]) -> Iterator[tuple[Memory, Memory]]:
    """The pairs (stays, goes) that may fit, without looking at every pair.

    All words of the one are in the other, which has few besides. So the rarest word of the one is among the
    rarest few of the other.
    """
    common = Counter(word for memory in group for word in looked[memory.id].words)
    by_word: dict[str, list[Memory]] = {}
    worded = [memory for memory in group if looked[memory.id].words]
    worded.sort(key=lambda one: (-len(looked[one.id].words), *_rank(one)))
    for memory in worded:  # the longest first: whatever may stay is there before what may go
        words = sorted(looked[memory.id].words, key=lambda word: (common[word], word))
        for other in by_word.get(words[0], ()):
            yield other, memory
        for word in words[: int((1 - ALIKE) * len(words)) + 1]:
            by_word.setdefault(word, []).append(memory)


def _rank(memory: Memory) -> tuple[object, ...]:
    """Who stays among equals: the most trusted, one without an end, the first."""
    return (TRUSTS.index(memory.trust), bool(memory.expires), memory.created, memory.id)


def _says_all(stays: Traits, goes: Traits) -> bool:
    if goes.telling != stays.telling or not goes.words <= stays.words or not goes.pairs <= stays.pairs:
        return False
    if not goes.names <= stays.tokens or not stays.names <= goes.tokens:
        return False
    return len(goes.words) >= ALIKE * len(stays.words)

"""How alike two texts are by their words: sets of word stems, no model and no network."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_WIDE = re.compile("[\u3005-\u3007\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7ff\uf900-\ufaff]{2,}")
STOP = frozenset(
    """a about above after again all also am an and any are as at be because been before being below
    between both but by can could did do does doing down during each few for from further get got
    had has have having he her here hers him his how i if in into is it its itself just let me more
    most my of off on once only or other our ours out over own really same she should so some such
    than that the their theirs them then there these they this those through to too under until up
    upon us very was we were what when where which while who whom why will with would you your yours
    yeah yes oh hey wow ok okay well thanks thank gonna""".split()
)
_ENDINGS = ("ings", "ing", "ed", "es", "s", "e")


@lru_cache(1 << 16)
def stem(word: str) -> str:
    """A word without its English ending, at least three letters of it; numbers stay as they are."""
    if len(word) > 4 and word.endswith(("ies", "ied")):
        return word[:-3] + "y"
    for ending in _ENDINGS:
        if len(word) - len(ending) >= 3 and word.endswith(ending) and not word.endswith("ss"):
            return word[: -len(ending)]
    return word


def terms(text: str) -> list[str]:
    """The stems of the words that carry the sense of a text, in order; scripts without spaces in pairs."""
    found = []
    for word in _WORD.findall(text.casefold()):
        if not word.isascii() and _WIDE.fullmatch(word):
            found += [word[at : at + 2] for at in range(len(word) - 1)]
        elif word not in STOP and (len(word) > 1 or word.isdigit()):
            found.append(stem(word if word.isalnum() else re.sub(r"['’]s?$|['’]", "", word)))
    return found


def held(part: AbstractSet[str], whole: AbstractSet[str]) -> float:
    """How much of ``part`` is in ``whole``, 0 to 1; all of it when ``part`` is empty."""
    return len(part & whole) / len(part) if part else 1.0


def overlap(one: AbstractSet[str], other: AbstractSet[str]) -> float:
    """How much of the smaller is in the larger, 0 to 1."""
    return held(one, other) if len(one) <= len(other) else held(other, one)


def jaccard(one: AbstractSet[str], other: AbstractSet[str]) -> float:
    """The shared part of two sets, 0 to 1."""
    together = len(one | other)
    return len(one & other) / together if together else 1.0

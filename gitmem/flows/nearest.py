"""Why a search found nothing, or only what other words say, and the nearest thing there is."""

from __future__ import annotations

from typing import NamedTuple

from gitmem.index import spelling
from gitmem.index.filters import Filters
from gitmem.index.keyword import question
from gitmem.memory.memory import Memory
from gitmem.store import Store

_AROUND = ",;:!?.\"'`()[]{}<>“”„«»‘’"
MOST = 100  # memories that are counted: more would only say that the filter is narrow


class Nothing(NamedTuple):
    """What was tried when nothing was found.

    ``why`` is one of: ``wordless`` (there is nothing to look for in the query), ``weak`` (what fits has too
    low a relevance), ``outside`` (the filters leave out what fits), ``hidden`` (what fits has expired or was
    superseded), ``inbox`` (what fits waits to be accepted, and a pack leaves it out), ``empty`` (there are no
    memories), ``unknown`` (no memory has any of ``words``). ``fitting`` says how many fit, up to ``most``;
    ``nearest`` is the best of them, None when it cannot be opened, ``relevance`` how well it does.
    """

    why: str
    fitting: int = 0
    words: tuple[str, ...] = ()
    nearest: Memory | None = None
    relevance: float = 0.0
    most: int = MOST


def why_nothing(store: Store, query: str, filters: Filters, but: str = "") -> Nothing:
    """Why no memory that passes ``filters`` is shown for ``query``, but the one with the id ``but``."""
    words = question(query).words
    if not words and not but:
        return Nothing("wordless")
    every = Filters(now=filters.now, everything=filters.everything)
    for why, tried in (("weak", filters), ("outside", every), ("hidden", Filters(everything=True))):
        found = [one for one in store.index.search(query, tried, MOST) if one.id != but]
        if found:
            nearest = next(iter(store.readable([found[0].id])), None)
            return Nothing(why, len(found), nearest=nearest, relevance=found[0].relevance)
    if not store.count(Filters(everything=True)):
        return Nothing("empty")
    return Nothing("unknown", words=_typed(query))


def meant(store: Store, query: str) -> dict[str, list[str]]:
    """When no word of ``query`` is anywhere: each of them, and what it was taken for; {} otherwise."""
    words = question(query).words
    if any(store.index.frequencies(words).values()):
        return {}
    near = store.index.ask(lambda connection: spelling.corrections(connection, words))
    return {
        typed: [one for word in question(typed).words for one in near.get(word, ())]
        for typed in _typed(query)
    }


def _typed(query: str) -> tuple[str, ...]:
    """The words of a query that are looked for, as they were typed."""
    words = set(question(query).words)
    parts = (part.strip(_AROUND) for part in query.split())
    return tuple(dict.fromkeys(part for part in parts if not words.isdisjoint(question(part).words)))

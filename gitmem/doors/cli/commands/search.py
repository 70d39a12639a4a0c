"""gitmem search."""

from __future__ import annotations

from typing import Any, NamedTuple

import click

from gitmem import app, config
from gitmem.doors import wire
from gitmem.doors.cli import choose, hits, output
from gitmem.doors.cli.verb import Call, complete_id, verb
from gitmem.index.filters import Filters
from gitmem.index.snippet import WIDTH, Hit, shown_for
from gitmem.store import Store

EXAMPLES = (
    ("gitmem search 'how do we deploy to staging'", "A question or some words"),
    ("gitmem search postgres --project shop --since 6mo", "Within one project, lately"),
    ("gitmem search --like 7Q2K9F", "What resembles a memory"),
    ("gitmem search 'deploy steps' --context 4000", "The best passages, ready for a prompt"),
    ("gitmem search 'release steps' --json --limit 3", "For a program"),
)

_SMALL = 80  # characters that the smallest entry of a pack takes


@verb(name="search", examples=EXAMPLES)
@click.argument("query", nargs=-1)
@choose.filter_options
@click.option("--limit", "-n", type=click.IntRange(1, 1000), help="At most so many (setting search.limit).")
@click.option("--like", default="", metavar="ID", shell_complete=complete_id, help="What resembles a memory.")
@click.option(
    "--context", type=click.IntRange(200), metavar="N", help="A pack for a prompt, of at most N characters."
)
@click.option(
    "--min-relevance", "least", type=click.FloatRange(0, 1), metavar="X",
    help="Only of this relevance, 0 to 1 (setting search.min_relevance).",
)  # fmt: skip
@click.option("--lexical", is_flag=True, help="By words alone, without a model of their meaning.")
@click.option("--explain", is_flag=True, help="Show what each score is made of.")
def command(call: Call, query: tuple[str, ...], like: str, **chosen: Any) -> None:
    """Find memories by what they say, best first."""
    words = " ".join(query)
    if bool(words.strip()) == bool(like):
        raise click.UsageError("Say what to look for: some words, or --like and the id of a memory.")
    if chosen["explain"] and chosen["context"]:
        raise click.UsageError("--explain is about hits, and --context prints a pack: choose one of them.")
    store = app.open_store(call.vault, output.secret_asker())
    store.indexing = output.late_progress()
    store.embedder = None if chosen["lexical"] else app.embedder()
    asked = _Asked.of(words, store.resolve(like) if like else "", chosen)
    if chosen["context"]:
        _pack(call, store, asked, chosen["context"], chosen["limit"])
    else:
        _hits(call, store, asked, chosen)
    app.embed_later(store)


def _hits(call: Call, store: Store, asked: _Asked, chosen: dict[str, Any]) -> None:
    limit, explained = chosen["limit"] or int(config.get("search.limit")), chosen["explain"]
    width = WIDTH if call.json else hits.room()
    found = asked.found(store, "memory", limit, width)
    if not found:
        _nothing(call, store, asked, {"hits": []})
        return
    words, meant = asked.words, {}
    if words and not any(hit.marks for hit in found):
        meant = _meant(store, words)
        words = " ".join(word for some in meant.values() for word in some) or words
        found = [shown_for(hit, words, width) for hit in found]
    shape = {**asked.shape, **({"meant": meant} if meant else {})}
    shape["hits"] = [wire.hit(hit, explained=explained) for hit in found]
    output.show(call, shape, hits.every(found, words, meant, explained=explained))


def _meant(store: Store, words: str) -> dict[str, list[str]]:
    from gitmem.flows.nearest import meant  # only where nothing that was found shows a word of the question

    return meant(store, words)


class _Asked(NamedTuple):
    """What to look for: words or the id of a memory, among which memories, and how well it must fit."""

    words: str
    like: str
    filters: Filters
    least: float

    @classmethod
    def of(cls, words: str, like: str, chosen: dict[str, Any]) -> _Asked:
        least = chosen["least"]
        if least is None:
            least = float(config.get("search.min_relevance"))
        return cls(words, like, choose.filters(app.now(), chosen), least)

    @property
    def shape(self) -> wire.Json:
        return {"like": self.like} if self.like else {"query": self.words}

    def found(self, store: Store, by: str, limit: int, width: int = WIDTH) -> list[Hit]:
        find = store.like if self.like else store.search
        found = find(self.like or self.words, self.filters, limit, by, width)
        return [hit for hit in found if round(hit.relevance, wire.DIGITS) >= self.least]


def _pack(call: Call, store: Store, asked: _Asked, budget: int, limit: int | None) -> None:
    from gitmem.flows import recall

    found = asked.found(store, "passage", min(recall.ENOUGH, max(20, budget // _SMALL)))
    inbox = asked.filters.trust == "inbox"
    text = recall.context(found, budget, limit or recall.ENOUGH, inbox=inbox)
    if text:
        output.show(call, {**asked.shape, "text": text}, [text.rstrip("\n")])
    else:
        _nothing(call, store, asked, {"text": ""}, waiting=len({hit.memory.id for hit in found}))


def _nothing(call: Call, store: Store, asked: _Asked, empty: wire.Json, waiting: int = 0) -> None:
    """Says why nothing was found; beside the answer when that is to go into a prompt."""
    from gitmem.flows.nearest import Nothing, why_nothing

    query = store.wording(asked.like) if asked.like else asked.words
    reason = Nothing("inbox", waiting) if waiting else why_nothing(store, query, asked.filters, asked.like)
    lines = hits.nothing(reason, asked.filters, asked.least)
    if "text" in empty and not call.json:
        output.aside(lines)
    else:
        output.show(call, {**asked.shape, **empty, "nothing": wire.nothing(reason)}, lines)

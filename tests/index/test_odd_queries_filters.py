"""No query, no fallback and no kind of answer lets a memory through that the filters leave out."""

from __future__ import annotations

import math
import struct
import zlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmem.index import schema, unembedded
from gitmem.index.filters import Filters
from gitmem.index.index import Index
from gitmem.index.vectors import SIZE
from gitmem.memory.ids import new_id
from gitmem.memory.memory import Memory, superseded

NOW = "2026-11-20T07:00:00Z"
WORDS = ("database", "migration", "authentication", "tokens", "rotate", "kubernetes", "认证系统", "café",
         "src/auth/jwt.ts", "fooBar", "foo_bar", "keys", "the", "soup", "May")  # fmt: skip
IDS = [new_id(1_777_000_000_000 + n) for n in range(10)]
# As typed: words, beginnings, misspelt words, quotes, dates, signs.
TYPED = (*WORDS, "datab", "authentica", "databse", "migratoin", "kubernets", "auth", "认", '"',
         '"keys the soup"', '"database migration"', "last month", "in May 2026", "yesterday",
         "zzzzzz", "*", "🎉")  # fmt: skip
TIMES = ("2026-05-01T00:00:00Z", "2026-05-02T12:00:00Z", "2026-10-10T00:00:00Z", "2026-11-19T00:00:00Z")

text = st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join)
bodies = st.one_of(
    text,
    st.tuples(text, st.integers(100, 300)).map(lambda pair: (pair[0] + "\n") * pair[1]),  # several passages
    st.lists(text, min_size=3, max_size=12).map(lambda turns: "\n".join(f"**Ann**: {one}" for one in turns)),
)


def made(**fields):
    return Memory(**fields)


memories = st.lists(
    st.builds(
        made,
        id=st.sampled_from(IDS),
        body=bodies,
        kind=st.sampled_from(("note", "task")),
        created=st.sampled_from(TIMES),
        tags=st.lists(st.sampled_from(("x", "y", '",x"')), unique=True, max_size=2).map(tuple),
        project=st.sampled_from(("", "p", "q")),
        trust=st.sampled_from(("self", "inbox")),
        session=st.sampled_from(("", "s")),
        expires=st.sampled_from(("", "2026-11-20T07:00:00Z", "2026-11-20T07:00:01Z")),
        supersedes=st.lists(st.sampled_from(IDS), max_size=1).map(tuple),
    ),
    min_size=1,
    max_size=10,
    unique_by=lambda memory: memory.id,
)
chosen = st.builds(
    Filters,
    project=st.sampled_from(("", "", "p", "none")),
    kind=st.sampled_from(("", "", "task")),
    tags=st.sampled_from(((), (), ("x",), ("x", "y"))),
    since=st.sampled_from(("", "", "2026-05-02")),
    until=st.sampled_from(("", "", "2026-10-10")),
    trust=st.sampled_from(("", "", "self")),
    session=st.sampled_from(("", "", "s")),
    everything=st.booleans(),
    now=st.sampled_from((NOW, NOW, "")),
)
queries = st.lists(st.sampled_from(TYPED), min_size=1, max_size=6).map(" ".join)


def passes(memory, held, filters):
    """What the filters say, in Python."""
    if any(
        getattr(filters, name) not in {"", getattr(memory, name)}
        for name in ("project", "kind", "trust", "session")
    ):
        return False
    if not set(filters.tags) <= set(memory.tags) or memory.created < filters.since:
        return False
    if filters.until and memory.created[:10] > filters.until:
        return False
    if filters.everything:
        return True
    if filters.now and memory.expires and memory.expires <= filters.now:
        return False
    return memory.id not in superseded(held.values())


class Embedder:
    """Vectors that follow from the words of a text, without a model."""

    name = "words"

    def embed(self, texts):
        return [struct.pack(f"{SIZE}b", *self._numbers(text)) for text in texts]

    def _numbers(self, text):
        sums = [1] * SIZE
        for word in text.lower().split():
            sums[zlib.crc32(word.encode()) % SIZE] += 20
        length = math.sqrt(sum(number * number for number in sums))
        return [round(127 * number / length) for number in sums]


def filled(index, held, embedder):
    """Give vectors to half of the memories, as gitmem.flows.embedding does."""
    made = []
    for memo in index.ask(lambda one: unembedded.waiting(one, embedder.name, 1 + len(held) // 2)):
        spans = [schema.place(memo.cuts, k) for k in range(schema.passage_count(memo.cuts))]
        rows = [schema.passage_row(memo.number, k, several=len(spans) > 1) for k in range(len(spans))]
        texts = [held[memo.id].body[start:end] for start, end in spans]
        made.append((memo, list(zip(rows, embedder.embed(texts), strict=True))))
    assert index.change(None, lambda one: unembedded.put(one, embedder.name, made))


@pytest.mark.parametrize("embedder", [None, Embedder()], ids=["words", "meaning"])
@settings(max_examples=40)
@given(memories, st.lists(st.tuples(queries, chosen, st.integers(1, 6)), min_size=1, max_size=6))
def test_filters_and_limit_hold_in_every_answer(embedder, some, asked):
    if embedder:
        pytest.importorskip("numpy")
    index = Index.open("/dev/null/none", bytes(32), "v")  # in memory
    index.apply("c", [], some)
    held = {memory.id: memory for memory in some}
    if embedder:
        filled(index, held, embedder)
    for query, filters, limit in asked:
        for by in ("memory", "passage"):
            hits = index.search(query, filters, limit, by, embedder)
            assert len(hits) <= limit
            assert hits == index.search(query, filters, limit, by, embedder)
            assert all(passes(held[hit.id], held, filters) for hit in hits), (query, filters)
            places = [(hit.id, hit.start) if by == "passage" else hit.id for hit in hits]
            assert len(set(places)) == len(places)
            assert all(first.score >= second.score for first, second in pairwise(hits))
            for hit in hits:
                assert 0 <= hit.relevance <= 1
                assert 0 <= hit.start < hit.end <= len(held[hit.id].body)


@settings(max_examples=40)
@given(memories, queries, chosen)
def test_a_longer_answer_begins_with_the_shorter_one_and_order_of_writing_is_nothing(some, query, filters):
    index = Index.open("/dev/null/none", bytes(32), "v")
    index.apply("c", [], some)
    other = Index.open("/dev/null/none", bytes(32), "v")
    other.apply("a", [], some[::-1][:3])
    other.apply("c", [], some)
    for by in ("memory", "passage"):
        many = index.search(query, filters, 50, by)
        assert index.search(query, filters, 2, by) == many[:2]
        assert _rounded(other.search(query, filters, 50, by)) == _rounded(many)


def _rounded(hits):
    return [(hit.id, hit.start, hit.end, round(hit.score, 9), round(hit.relevance, 9)) for hit in hits]

"""However it came to its state, an index equals one that was built from that state."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gitmem.index.filters import Filters
from gitmem.index.index import Index
from gitmem.memory.memory import Memory

KEY, VAULT = bytes(32), "v"
WORDS = ("alpha", "beta", "gamma", "delta", "认证系统", "café", "src/auth.ts", "the")
QUERIES = ("alpha beta gamma in May", "the", '"beta gamma"', "bet", "gmama", "Ann")  # a misspelt one too
IDS = [f"01KPYQ8{n:02d}0000000000000000A" for n in range(12)]
NOW = "2026-06-01T00:00:00Z"

bodies = st.one_of(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join),
    # a talk, whose turns are passages
    st.lists(st.sampled_from(WORDS), min_size=4, max_size=9).map(
        lambda turns: "\n".join(f"**{'Ann' if n % 2 else 'Bob'}**: {one}" for n, one in enumerate(turns))
    ),
    # several passages of prose
    st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS), st.integers(200, 700)).map(
        lambda parts: (parts[0] + " ") * parts[2] + parts[1]
    ),
)


def made(**fields):
    return Memory(**fields)  # of its class hypothesis would fill in the other fields too


memories = st.builds(
    made,
    id=st.sampled_from(IDS),
    body=bodies,
    title=st.sampled_from(("", *WORDS)),
    kind=st.sampled_from(("note", "task")),
    created=st.sampled_from(("2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z")),
    tags=st.lists(st.sampled_from(("x", "y")), unique=True).map(tuple),
    project=st.sampled_from(("", "p")),
    source=st.sampled_from(("", "s")),
    expires=st.sampled_from(("", "2026-05-20T00:00:00Z", "2027-01-01T00:00:00Z")),
    supersedes=st.lists(st.sampled_from(IDS), max_size=2).map(tuple),
)
steps = st.lists(
    st.tuples(st.lists(st.sampled_from(IDS), max_size=3), st.lists(memories, max_size=5), st.booleans()),
    min_size=1,
    max_size=8,
)


def _rounded(hit):
    return hit.id, round(hit.score, 6), hit.start, hit.end, round(hit.relevance, 6)


def everything_asked(index):
    filters = (Filters(everything=True), Filters(now=NOW), Filters(now=NOW, project="p", tags=("x",)))
    answers = [index.by_source("s"), [index.ending(memory_id[-6:]) for memory_id in IDS]]
    for chosen in filters:
        answers += [index.count(chosen), index.rows(chosen)]
        for query in (*WORDS, *QUERIES):
            for by in ("memory", "passage"):
                hits = index.search(query, chosen, 20, by)
                answers.append([_rounded(hit) for hit in hits])
    return answers


@settings(max_examples=25, deadline=None)
@given(steps)
def test_an_index_that_grew_equals_one_that_was_rebuilt(steps):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "index.db")
        index = Index.open(path, KEY, VAULT)
        state: dict[str, Memory] = {}
        for number, (gone, come, reopen) in enumerate(steps):
            assert index.apply(f"c{number}", gone, come, since=f"c{number - 1}" if number else "")
            for memory_id in gone:
                state.pop(memory_id, None)
            state.update({memory.id: memory for memory in come})
            if reopen:
                index.close()
                index = Index.open(path, KEY, VAULT)
        rebuilt = Index.open(os.path.join(folder, "other.db"), KEY, VAULT)
        rebuilt.apply("c", [], sorted(state.values(), key=lambda memory: memory.id))
        assert everything_asked(index) == everything_asked(rebuilt)
        assert index.count(Filters(everything=True)) == len(state)
        index.close()
        rebuilt.close()


@settings(max_examples=40, deadline=None)
@given(memories)
def test_a_row_shows_what_the_memory_says(memory):
    index = Index.open("/dev/null/none", KEY, VAULT)  # in memory
    memory = replace(memory, updated="2026-05-03T00:00:00Z", session="s1", importance=0.5, share=True)
    index.apply("c", [], [memory])
    (row,) = index.rows(Filters(everything=True))
    for name in row.__slots__:
        if name != "superseded":
            assert getattr(row, name) == getattr(memory, name), name

"""Vectors stay with their passages through everything that happens to an index."""

from __future__ import annotations

import os
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmem.index import schema, unembedded
from gitmem.index.filters import Filters
from gitmem.index.index import Index
from gitmem.index.vectors import SIZE, Vectors, names_out
from gitmem.memory.memory import Memory

KEY, VAULT = bytes(32), "v"
IDS = [f"01KPYQ8{n:02d}0000000000000000A" for n in range(8)]
EVERY = Filters(everything=True)
np = pytest.importorskip("numpy")  # parts.missing speaks for it: see the fixture "wheel"


def memory(memory_id, body):
    return Memory(id=memory_id, body=body, created="2026-05-01T00:00:00Z")


def body_of(number):
    """One passage for small numbers, several for the others."""
    return f"text {number} " * (1 if number < 4 else 200 * number)


def texts_of(index):
    """Row of every passage → the text it stands for, from the index's own places."""
    rows = index.ask(lambda connection: connection.execute("SELECT n, id, cuts FROM memory").fetchall())
    found = {}
    for number, memory_id, cuts in rows:
        count = schema.passage_count(cuts)
        for k in range(count):
            row = schema.passage_row(number, k, several=count > 1)
            found[row] = (memory_id, *schema.place(cuts, k))
    return found


def fill(index, embedder, bodies, at_once=3):
    """What gitmem.flows.embedding does, from bodies at hand; at most ``at_once`` memories."""
    waiting = index.ask(lambda connection: unembedded.waiting(connection, embedder.name, at_once))
    made = []
    for memo in waiting:
        spans = [row for row, (memory_id, *_) in texts_of(index).items() if memory_id == memo.id]
        texts = [bodies[memo.id][slice(*texts_of(index)[row][1:])] for row in spans]
        made.append((memo, list(zip(spans, embedder.embed(texts), strict=True))))
    if made:
        assert index.change(None, lambda connection: unembedded.put(connection, embedder.name, made))
    return bool(made)


def kept(index):
    """Row → vector, from the file."""
    query = "SELECT passage, numbers FROM vector"
    return dict(index.ask(lambda connection: connection.execute(query).fetchall()))


def expected(index, embedder, bodies):
    """Row → vector of every passage."""
    places = texts_of(index)
    return {
        row: embedder.embed([bodies[memory_id][start:end]])[0]
        for row, (memory_id, start, end) in places.items()
    }


def cosines(index, cache, embedder, *queries, **chosen):
    return index.ask(lambda connection: cache.cosines(connection, embedder, queries, **chosen))


def by_hand(one, other):
    return float(np.frombuffer(one, "i1").astype("f8") @ np.frombuffer(other, "i1").astype("f8")) / 127**2


@pytest.fixture
def index(tmp_path):
    with_file = Index.open(str(tmp_path / "index.db"), KEY, VAULT)
    yield with_file
    with_file.close()


@pytest.fixture
def full(index, hashing):
    """An index of eight memories with all their vectors, and the bodies."""
    bodies = {memory_id: body_of(number) for number, memory_id in enumerate(IDS)}
    index.apply("c0", [], [memory(*item) for item in bodies.items()])
    while fill(index, hashing(), bodies):
        pass
    return index, bodies


STEPS = st.lists(
    st.tuples(
        st.sets(st.sampled_from(IDS), max_size=3),  # forgotten
        st.dictionaries(st.sampled_from(IDS), st.integers(0, 9), max_size=3),  # written or edited
        st.integers(0, 3),  # how often vectors are made then
        st.sampled_from(["one", "one", "one", "other"]),  # by which model
        st.booleans(),  # whether the copy in memory is asked
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40)
@given(STEPS)
def test_however_it_came_about_every_passage_has_the_vector_of_its_own_text(hashing, steps):
    with tempfile.TemporaryDirectory() as folder:
        index, cache, bodies = Index.open(os.path.join(folder, "i.db"), KEY, VAULT), Vectors(), {}
        embedder = hashing("one")
        for number, (gone, come, fills, name, asked) in enumerate(steps):
            for memory_id in gone:
                bodies.pop(memory_id, None)
            written = {memory_id: body_of(length) for memory_id, length in come.items()}
            bodies |= written
            index.apply(f"c{number}", gone, [memory(*item) for item in written.items()])
            if fills:
                embedder = hashing(name)
            for _ in range(fills):
                fill(index, embedder, bodies)
            right = expected(index, embedder, bodies)
            there = kept(index)
            if fills and bodies:
                assert there.items() <= right.items()
            if asked:
                check_copy(index, cache, embedder, there)
        embedder = hashing("last")
        while fill(index, embedder, bodies):
            pass
        assert kept(index) == expected(index, embedder, bodies)
        check_copy(index, cache, embedder, kept(index))
        index.close()


def check_copy(index, cache, embedder, there):
    """The copy in memory says what the file says."""
    found = cosines(index, cache, embedder, "a question", "another")
    if found is None:
        name = index.ask(unembedded.state).embedder
        assert not there or name != embedder.name
        return
    queries = embedder.embed(["a question", "another"])
    answers = found.of(there)
    assert sorted(found.rows.tolist()) == sorted(there)
    for row, numbers in there.items():
        assert answers[row] == pytest.approx([by_hand(numbers, query) for query in queries], abs=1e-4)


def test_after_one_write_only_what_is_new_is_read(full, hashing):
    index, bodies = full
    cache, read = Vectors(), []
    cosines(index, cache, hashing(), "q")
    bodies[IDS[0]] = "changed"
    index.apply("c1", [], [memory(IDS[0], "changed")])
    fill(index, hashing(), bodies)

    def ask(connection):
        connection.set_trace_callback(read.append)
        found = cache.cosines(connection, hashing(), ["q"])
        connection.set_trace_callback(None)
        return found

    found = index.ask(ask)
    assert sorted(found.rows.tolist()) == sorted(texts_of(index))
    assert not any("FROM vector" in query and "WHERE" not in query for query in read if "numbers" in query)


def test_memories_without_vectors_yet_are_no_obstacle(full, hashing):
    index, _ = full
    late = [memory("01KPYQ8990000000000000000A", "late")]
    index.apply("c1", [], late)
    found = cosines(index, Vectors(), hashing(), "q")
    missing = set(texts_of(index)) - set(found.rows.tolist())
    assert [texts_of(index)[row][0] for row in missing] == [late[0].id]
    assert found.of(missing) == {}
    assert len(index.search("late", EVERY, 5)) == 1
    assert index.ask(unembedded.progress) == (8, 9)


def test_another_model_takes_only_the_vectors_with_it(full, hashing):
    index, bodies = full
    words = index.search("text", EVERY, 20)
    assert cosines(index, Vectors(), hashing("new"), "q") is None
    fill(index, hashing("new"), bodies)
    assert index.search("text", EVERY, 20) == words
    assert index.ask(unembedded.state)[0::2] == ("new", 3)
    assert cosines(index, Vectors(), hashing("hashing"), "q") is None
    assert {texts_of(index)[row][0] for row in kept(index)} == set(IDS[:3])


def test_words_are_enough_when_the_model_gives_nothing(full):
    index, _ = full

    class Broken:
        name = "hashing"

        def embed(self, texts):
            return []

    assert cosines(index, Vectors(), Broken(), "q") is None


def test_the_model_is_not_asked_while_there_is_no_vector(index, hashing):
    index.apply("c0", [], [memory(IDS[0], "text")])
    embedder = hashing()
    assert cosines(index, Vectors(), embedder, "q") is None
    assert embedder.asked == 0


def test_vectors_of_a_text_that_changed_meanwhile_are_not_kept(index, hashing):
    index.apply("c0", [], [memory(IDS[0], "before")])
    memo = index.ask(lambda connection: unembedded.waiting(connection, "hashing", 1))[0]
    index.apply("c1", [], [memory(IDS[0], "after")])
    row = schema.passage_row(memo.number, 0, several=False)
    made = [(memo, [(row, hashing().embed(["before"])[0])])]
    index.change(None, lambda connection: unembedded.put(connection, "hashing", made))
    assert kept(index) == {}
    fill(index, hashing(), {IDS[0]: "after"})
    assert list(kept(index).values()) == hashing().embed(["after"])


def test_a_number_that_is_given_again_waits_again(index, hashing):
    index.apply("c0", [], [memory(IDS[0], "first"), memory(IDS[1], "second")])
    while fill(index, hashing(), {IDS[0]: "first", IDS[1]: "second"}):
        pass
    index.apply("c1", [IDS[1]], [])
    index.apply("c2", [], [memory(IDS[2], "third")])
    assert [memo.id for memo in index.ask(lambda c: unembedded.waiting(c, "hashing", 5))] == [IDS[2]]
    assert cosines(index, Vectors(), hashing(), "q").of(texts_of(index)).keys() < texts_of(index).keys()


def test_hidden_memories_are_not_among_the_best(full, hashing):
    index, _ = full
    numbers = {memory_id: row & (1 << 39) - 1 for row, (memory_id, *_) in texts_of(index).items()}

    def ids(**chosen):
        found = cosines(index, Vectors(), hashing(), "q", **chosen)
        assert all(low > -1.5 for low, _ in found.bounds())
        assert {texts_of(index)[row][0] for row in found.of(texts_of(index))} == {
            texts_of(index)[row][0] for row in found.best(10_000)
        }
        return {texts_of(index)[row][0] for row in found.best(10_000)}

    assert ids() == set(IDS)
    assert ids(hidden=[numbers[IDS[0]], 10**9]) == set(IDS[1:])
    assert ids(allowed=[numbers[IDS[0]], numbers[IDS[5]], 10**9]) == {IDS[0], IDS[5]}
    assert ids(allowed=[numbers[IDS[0]], numbers[IDS[5]]], hidden=[numbers[IDS[5]]]) == {IDS[0]}
    assert cosines(index, Vectors(), hashing(), "q", allowed=[]).best(5) == []


def test_the_best_are_the_nearest_of_each_query(full, hashing):
    index, _ = full
    found = cosines(index, Vectors(), hashing(), "q", "r")
    third = [np.sort(values)[-3] for values in found.of_query]
    near = {row for row, values in found.of(found.rows.tolist()).items() if (values >= np.array(third)).any()}
    assert set(found.best(3)) == near


@pytest.mark.parametrize(
    ("query", "rest"),
    [
        ("When did Caroline go to the support group?", "When did go to the support group?"),
        ("Melanie said what? Caroline asked me.", "Melanie said what? Caroline asked me."),
        ("What is Caroline's favourite “Harry Potter” book", "What is favourite book"),
        ("Postgres", "Postgres"),
        ("Ask Anna", "Ask Anna"),
        ("what did I say", "what did I say"),
        ("", ""),
    ],
)
def test_names_inside_a_sentence_can_be_taken_out(query, rest):
    assert names_out(query) == rest


def test_a_vector_has_the_size_that_the_index_counts_on(hashing):
    assert len(hashing().embed(["x"])[0]) == SIZE

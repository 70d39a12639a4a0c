"""What a word that the index does not hold may have meant."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmem.index.index import Index
from gitmem.index.spelling import beginnings, corrections
from gitmem.memory.ids import new_id
from gitmem.memory.memory import Memory

TEXT = """The database migrations are running; authentication tokens of the scheduler; memories of
configuration files; the Kubernetes cluster received deployments; separate environment variables; definitely
embarrassed; poisonous; relevant; the response occurred; café and naïve; tokens tokens; toads;
9fceb02d0ae598e95dc970b74767f19372d61af8; 用户认证"""


def holding(*texts):
    index = Index.open("/dev/null/none", bytes(32), "v")  # in memory
    memories = (
        Memory(id=new_id(1_777_000_000_000 + n), created="2026-05-01T00:00:00Z", body=text)
        for n, text in enumerate(texts)
    )
    index.apply("c", [], memories)
    return index


@pytest.fixture(scope="module")
def index():
    return holding(TEXT, "tokens once more")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("databse", "database"),
        ("DATBAASE", "database"),
        ("migratoin", "migration"),
        ("runnign", "running"),
        ("authentcation", "authentication"),
        ("memry", "memory"),
        ("memoreis", "memories"),
        ("confguration", "configuration"),
        ("enviroment", "environment"),
        ("seperate", "separate"),
        ("defintely", "definitely"),
        ("embarased", "embarrassed"),
        ("ocurred", "occurred"),
        ("recieved", "received"),
        ("poisnous", "poisonous"),
        ("relvant", "relevant"),
        ("tken", "token"),
        ("atabase", "database"),
        ("xatabase", "database"),
        ("adtabase", "database"),
        ("ddatabase", "database"),
        ("naïvve", "naiv"),
    ],
)
def test_a_misspelt_word_is_corrected_to_one_that_finds_it(index, typed, meant):
    found = corrections(index._connection, [typed])
    assert found[typed.lower()][0] == meant
    assert index.search(meant, _any(), 5)


@pytest.mark.parametrize(
    "word", ["tokens", "token", "cat", "zzzzzz", "0042", "9fceb03", "认正", "", "''", "a" * 3000]
)
def test_what_is_known_short_far_or_no_word_is_not_corrected(index, word):
    assert corrections(index._connection, [word]) == {}


def test_the_nearest_comes_first_then_the_most_frequent(index):
    assert corrections(index._connection, ["toens"])["toens"] == ["tokens"]
    ranked = holding("word cord", "cord", "cord", "ford", "swords", "wordy")
    assert corrections(ranked._connection, ["xord"]) == {"xord": ["cord", "ford", "word"]}


def test_words_that_begin_so_are_found(index):
    ask = index._connection
    assert beginnings(ask, ["datab"]) == ["database"]
    assert beginnings(ask, ["databa", "kube"])[0] == "database"
    assert beginnings(ask, ["authentica"]) == ["authentication"]  # longer than its stem
    assert beginnings(ask, ["9fceb02"]) == ["9fceb02d0ae598e95dc970b74767f19372d61af8"]
    assert beginnings(ask, ["to"]) == []
    assert beginnings(ask, ["tok", "TOA", "zzz", "", "认"]) == ["token", "toad"]


def test_no_word_is_too_odd(index):
    for word in ("\u0301\u0302", "z" * 200_000, "\0", "a b", "'", "ก" * 5_000):
        assert beginnings(index._connection, [word]) == []
        assert corrections(index._connection, [word]) == {}


def test_every_beginning_finds_what_it_stands_for(index):
    for word in ("migra", "conf", "auth", "dep", "mem", "env", "vari", "sched", "emb"):
        (found, *_) = beginnings(index._connection, [word])
        assert found.startswith(word)
        assert index.search(found, _any(), 5), found


@settings(max_examples=60)
@given(
    st.lists(st.text("abcd", min_size=3, max_size=9), min_size=1, max_size=30),
    st.text("abcd", min_size=4, max_size=9),
)
def test_nothing_within_reach_is_missed(words, typed):
    index = holding(" ".join(words))
    most = 2 if len(typed) >= 8 else 1
    found = corrections(index._connection, [typed]).get(typed, [])
    terms = _stems(index, words)
    if _stems(index, [typed])[typed] in terms.values():
        assert found == []
        return
    reached = {
        terms[word] for word in words if 0 < _distance(typed, word) <= (most if word[0] == typed[0] else 1)
    }
    got = {_stems(index, [form])[form] for form in found}
    assert reached <= got or len(found) >= 4


def test_the_largest_vocabulary_is_looked_through_in_time():
    rng = random.Random(4)
    parts = [a + b for a in "b c d f g h j k l m n p r s t v w z br st".split() for b in "aeiou"]
    words = sorted({"".join(rng.choices(parts, k=rng.choice((3, 4, 4, 5)))) for _ in range(105_000)})
    rng.shuffle(words)
    index = holding(*(" ".join(words[at : at + 100]) for at in range(0, len(words), 100)))
    started = time.process_time()
    found = corrections(index._connection, [words[7][:4] + "x" + words[7][4:]])
    assert time.process_time() - started < 0.6  # measured: 0.05
    assert words[7] in next(iter(found.values()))


def _any():
    from gitmem.index.filters import Filters

    return Filters()


def _stems(index, words):
    from gitmem.index import spelling

    spelling._prepare(index._connection)
    return dict(zip(words, spelling._stems(index._connection, words), strict=True))


def _distance(one, other):
    """Damerau and Levenshtein's, each pair of letters exchanged at most once; the plain way."""
    table = {(-1, -1): 0}
    for i in range(len(one)):
        table[i, -1] = i + 1
    for j in range(len(other)):
        table[-1, j] = j + 1
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            costs = [table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (a != b)]
            if i and j and a == other[j - 1] and b == one[i - 1]:
                costs.append(table[i - 2, j - 2] + 1)
            table[i, j] = min(costs)
    return table[len(one) - 1, len(other) - 1]

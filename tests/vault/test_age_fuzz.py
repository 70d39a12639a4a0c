"""Whatever bytes come in, the parsers either read them or raise our own errors."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmem.errors import GitmemError
from gitmem.vault import age, armor, bech32, faults, header
from gitmem.vault.hybrid import Hybrid
from gitmem.vault.passphrase import Passphrase
from gitmem.vault.x25519 import X25519

KEYS = [X25519(bytes(range(32))), Hybrid(bytes(range(32))), Passphrase("p", log_n=1)]
FILES = [age.encrypt(b"some text\n" * 4, [key]) for key in KEYS]
ARMORED = [armor.encode(file) for file in FILES]
VISIBLE = "".join(chr(code) for code in range(0x21, 0x7F))
STANZAS = st.lists(
    st.builds(
        header.Stanza,
        st.lists(st.text(VISIBLE, min_size=1, max_size=60), min_size=1, max_size=4).map(tuple),
        st.binary(max_size=200),
    ),
    min_size=1,
    max_size=5,
)
LINES = st.lists(
    st.one_of(
        st.just("age-encryption.org/v1"),
        st.just("---"),
        st.builds("-> {}".format, st.text(VISIBLE + " ", max_size=80)),
        st.builds("--- {}".format, st.text(string.ascii_letters + "+/=", max_size=50)),
        st.text(string.ascii_letters + "+/= \r", max_size=70),
        st.just("-> scrypt AAAAAAAAAAAAAAAAAAAAAA 99"),
        st.just("-> X25519 " + "A" * 43),
        st.just("A" * 43),
    ),
    max_size=8,
).map("\n".join)


def spliced(files):
    """One of ``files`` with a piece taken out and other bytes put in its place."""

    def splice(parts):
        file, at, length, new = parts
        at %= len(file)
        return file, file[:at] + new + file[at + length :]

    piece = st.one_of(st.binary(max_size=4), st.sampled_from([b"\n", b"\r\n", b" ", b"=", b"-> ", b"--- "]))
    return st.tuples(st.sampled_from(files), st.integers(0, 3000), st.integers(0, 40), piece).map(splice)


@given(st.binary(max_size=300))
def test_any_bytes_raise_only_our_errors(data):
    for parse in (header.parse, armor.decode, lambda data: age.decrypt(data, KEYS)):
        with pytest.raises(GitmemError):
            parse(data)


@given(LINES, st.binary(max_size=40))
@settings(max_examples=300)
def test_lines_that_look_like_a_header_raise_only_our_errors(text, payload):
    data = b"age-encryption.org/v1\n" + text.encode() + b"\n" + payload
    with pytest.raises(GitmemError):
        age.decrypt(data, KEYS)


@given(spliced(FILES))
@settings(max_examples=500, deadline=None)
def test_a_changed_file_never_opens(pair):
    before, after = pair
    if after == before:
        return
    with pytest.raises(GitmemError):
        age.decrypt(after, KEYS)


@given(spliced(FILES))
@settings(max_examples=300)
def test_a_header_has_one_spelling(pair):
    data = pair[1]
    try:
        parsed = header.parse(data)
    except faults.HeaderError:
        return
    assert header.build(parsed.stanzas, bytes(16)).rpartition(b" ")[0] == parsed.covered
    assert data.startswith(parsed.covered + b" " + header.encode64(parsed.mac).encode() + b"\n")


@given(spliced(ARMORED))
@settings(max_examples=300)
def test_armor_has_one_spelling_but_for_the_space_around_it_and_its_line_ends(pair):
    try:
        data = armor.decode(pair[1])
    except faults.ArmorError:
        return
    assert armor.encode(data) == pair[1].replace(b"\r\n", b"\n").strip() + b"\n"


@given(STANZAS, st.binary(max_size=50))
def test_a_built_header_parses_to_the_same_stanzas(stanzas, payload):
    built = header.build(stanzas, bytes(16))
    parsed = header.parse(built + payload)
    assert parsed.stanzas == tuple(stanzas)
    assert parsed.end == len(built)
    header.check_mac(parsed, bytes(16))
    with pytest.raises(faults.HeaderMacError):
        header.check_mac(parsed, bytes(15) + b"\1")


@given(st.binary(max_size=300))
def test_armor_comes_back(data):
    assert armor.decode(armor.encode(data)) == data
    assert armor.decode(b" \t\r\n" + armor.encode(data).replace(b"\n", b"\r\n") + b"\n ") == data


@given(st.text(string.ascii_lowercase + "-", min_size=1, max_size=20), st.binary(max_size=80))
def test_bech32_comes_back(prefix, raw):
    text = bech32.encode(prefix, raw)
    assert bech32.decode(text) == (prefix, raw)
    assert bech32.decode(text.upper()) == (prefix, raw)


@given(st.text(max_size=100))
def test_any_text_as_bech32_raises_only_our_errors(text):
    with pytest.raises(GitmemError):
        bech32.decode(text)


BIP173 = {
    "A12UEL5L": ("a", b""),
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw": (
        "abcdef",
        bytes.fromhex("00443214c74254b635cf84653a56d7c675be77df"),
    ),
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w": (
        "split",
        bytes.fromhex("c5f38b70305f519bf66d85fb6cf03058f3dde463ecd7918f2dc743918f2d"),
    ),
}


@pytest.mark.parametrize("text", BIP173)
def test_the_examples_of_the_bech32_standard_decode(text):
    assert bech32.decode(text) == BIP173[text]
    assert bech32.encode(*BIP173[text]) == text.lower()


@pytest.mark.parametrize("values", [[0, 1], [0, 2], [31, 31], [0], [0, 0, 0]])
def test_bits_left_over_in_bech32_are_refused(values):
    check = bech32._polymod([*bech32._expanded("age"), *values, *[0] * 6]) ^ 1
    values = [*values, *(check >> 5 * place & 31 for place in reversed(range(6)))]
    with pytest.raises(GitmemError, match="left over"):
        bech32.decode("age1" + "".join(bech32._ALPHABET[value] for value in values))


@pytest.mark.parametrize(
    "text", ["A12UEL5l", "A12UEL5M", "1qqqqqq", "", "a", "pzry9x0s0muk", "a1b!qqqqqq", "é12uel5l"]
)
def test_text_that_is_not_bech32_is_refused(text):
    with pytest.raises(GitmemError):
        bech32.decode(text)

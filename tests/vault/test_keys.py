"""Identities in every form in which a person may bring one, and the keys derived from them."""

from __future__ import annotations

import itertools

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.errors import ConfigError
from gitmem.vault import bech32
from gitmem.vault.hkdf import hkdf
from gitmem.vault.keys import Identity, derive, fingerprint, paper

VAULT_ID = "00112233445566778899aabbccddeeff"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
IDENTITIES = st.binary(min_size=32, max_size=32).map(Identity)
KNOWN = Identity(bytes(range(32)))


@given(IDENTITIES)
def test_an_identity_survives_its_text_and_its_paper(identity):
    assert Identity.parse(identity.text) == identity
    assert Identity.parse(paper(identity)) == identity


def test_generated_identities_differ_and_are_what_pyrage_reads():
    one, two = Identity.generate(), Identity.generate()
    assert one != two
    assert str(pyrage.x25519.Identity.from_str(one.text)) == one.text


@pytest.mark.parametrize(
    "form",
    [
        "{0}",
        "  {0}\n",
        "\ufeff{0}\r\n",
        "# created: today\r\n# public key: none of your business\r\n{0}\r\n",
        "  # a comment further in\n{0}\n# one below\n",
    ],
)
def test_an_identity_file_is_read_with_its_comments(form):
    assert Identity.parse(form.format(KNOWN.text)) == KNOWN


def test_a_key_is_read_in_any_case_and_spacing():
    text = KNOWN.text
    broken = "\n".join(" ".join(text[at : at + 5]) for at in range(0, len(text), 5))
    for form in (text.lower(), text.title(), broken):
        assert Identity.parse(form) == KNOWN


@pytest.mark.parametrize("text", ["", "  \n", "# only a comment\n"])
def test_an_empty_key_is_refused(text):
    with pytest.raises(ConfigError, match="empty"):
        Identity.parse(text)


def test_two_keys_in_one_file_are_refused():
    with pytest.raises(ConfigError, match="more than one"):
        Identity.parse(f"{KNOWN.text}\n{Identity.generate().text}\n")


def test_a_post_quantum_key_a_recipient_and_a_short_key_are_refused():
    for prefix, size in (
        ("age-secret-key-pq-", 32),
        ("age", 32),
        ("age-secret-key-", 31),
        ("age-secret-key-", 33),
    ):
        with pytest.raises(ConfigError):
            Identity.parse(bech32.encode(prefix, bytes(size)))
    with pytest.raises(ConfigError):
        Identity(bytes(31))


def test_every_wrong_character_in_a_key_is_noticed():
    text = KNOWN.text
    for at in range(len(text)):
        wrong = "Q" if text[at] != "Q" else "P"
        with pytest.raises(ConfigError):
            Identity.parse(text[:at] + wrong + text[at + 1 :])


# --- paper -------------------------------------------------------------------------------------------------


def test_the_paper_form_is_four_numbered_lines_of_four_groups():
    lines = paper(KNOWN).splitlines()
    assert [line[:4] for line in lines] == ["1:  ", "2:  ", "3:  ", "4:  "]
    assert all([len(group) for group in line[4:].split(" ")] == [4] * 4 for line in lines)


@pytest.mark.parametrize(
    "retyped",
    [
        str.lower,
        lambda text: text.replace("0", "O").replace("1", "l"),
        lambda text: text.replace("0", "o").replace("1", "I"),
        lambda text: text.replace(" ", ""),
        lambda text: text.replace(":", ".").replace(" ", "-"),
        lambda text: text.replace("\n", " "),
        lambda text: text.replace("\n", "\r\n\r\n"),
        lambda text: "".join(line[3:] + "\n" for line in text.splitlines()),
        lambda text: "".join(line[3:] for line in text.splitlines()),
        lambda text: "".join("".join(line[3:].split()) for line in text.splitlines()),
        lambda text: "".join(line[:13] + "\n   " + line[13:] + "\n" for line in text.splitlines()),
        lambda text: "# my notes\n\n\t" + text.replace(" ", "  "),
    ],
)
def test_paper_is_read_back_however_it_was_typed(retyped):
    for identity in (KNOWN, Identity(bytes(32)), Identity(b"\xff" * 32)):
        assert Identity.parse(retyped(paper(identity))) == identity


def test_every_wrong_character_on_paper_names_its_line():
    lines = paper(KNOWN).splitlines()
    for number, at in itertools.product(range(4), range(4, 23)):
        if lines[number][at] == " ":
            continue
        for wrong in {*ALPHABET, "U", "é"} - {lines[number][at]}:
            typed = lines.copy()
            typed[number] = typed[number][:at] + wrong + typed[number][at + 1 :]
            with pytest.raises(ConfigError, match=f"Line {number + 1} of the key"):
                Identity.parse("\n".join(typed))


@given(IDENTITIES, st.integers(0, 3), st.integers(0, 15), st.integers(0, 15))
def test_two_swapped_characters_on_paper_name_their_line(identity, number, one, two):
    lines = ["".join(line[3:].split()) for line in paper(identity).splitlines()]
    chars = list(lines[number])
    chars[one], chars[two] = chars[two], chars[one]
    if "".join(chars) == lines[number]:
        return
    lines[number] = "".join(chars)
    with pytest.raises(ConfigError, match=f"Line {number + 1} of the key is mistyped"):
        Identity.parse("\n".join(lines))


def test_a_missing_or_doubled_character_names_its_line():
    lines = paper(KNOWN).splitlines()
    for number in range(4):
        for wrong in (lines[number][:-1], lines[number] + "0"):
            typed = [*lines[:number], wrong, *lines[number + 1 :]]
            with pytest.raises(ConfigError, match=f"Line {number + 1} of the key"):
                Identity.parse("\n".join(typed))


def test_swapped_missing_and_mixed_lines_are_noticed():
    lines = ["".join(line[3:].split()) for line in paper(KNOWN).splitlines()]
    for order in set(itertools.permutations(range(4))) - {(0, 1, 2, 3)}:
        with pytest.raises(ConfigError, match="Line"):
            Identity.parse("\n".join(lines[at] for at in order))
    with pytest.raises(ConfigError, match="four lines"):
        Identity.parse("\n".join(lines[:3]))
    other = ["".join(line[3:].split()) for line in paper(Identity(b"\x55" * 32)).splitlines()]
    for number in range(4):
        with pytest.raises(ConfigError, match="do not belong together"):
            Identity.parse("\n".join([*lines[:number], other[number], *lines[number + 1 :]]))


@given(st.text(max_size=120))
def test_any_text_as_a_key_raises_only_our_error(text):
    with pytest.raises(ConfigError):
        Identity.parse(text)


# --- derived keys ------------------------------------------------------------------------------------------


def test_keys_are_derived_as_the_format_says():
    salt = bytes.fromhex(VAULT_ID)
    assert derive(KNOWN, VAULT_ID, "index") == hkdf(KNOWN.raw, salt, b"gitmem/v1/index", 32)
    assert fingerprint(KNOWN, VAULT_ID) == hkdf(KNOWN.raw, salt, b"gitmem/v1/fingerprint", 8).hex()


def test_another_label_vault_or_identity_gives_another_key():
    other = VAULT_ID[::-1]
    keys = {
        derive(KNOWN, VAULT_ID, "index"),
        derive(KNOWN, VAULT_ID, "commit-seal"),
        derive(KNOWN, other, "index"),
        derive(Identity(bytes(32)), VAULT_ID, "index"),
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    "vault_id", ["", VAULT_ID[:-1], VAULT_ID + "0", VAULT_ID.upper(), VAULT_ID[:-1] + "\n", "g" * 32]
)
def test_a_malformed_vault_id_is_refused(vault_id):
    with pytest.raises(ConfigError):
        derive(KNOWN, vault_id, "index")

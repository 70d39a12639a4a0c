"""Documents sealed and opened by a vault, and how much their size says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.errors import ConfigError, InvalidMemoryError, TamperedError
from gitmem.vault import header
from gitmem.vault.keys import Identity, derive, fingerprint
from gitmem.vault.vault import MAX_SEALED, Vault, padme

VAULT_ID = "00112233445566778899aabbccddeeff"
VAULT = Vault(Identity(bytes(range(32))), VAULT_ID)
MAGIC = b"age-encryption.org/v1\n"


@given(st.binary(max_size=3000))
def test_a_document_comes_back_with_nothing_but_line_feeds_added(document):
    opened = VAULT.open(VAULT.seal(document))
    assert opened.startswith(document)
    assert set(opened[len(document) :]) <= {ord("\n")}
    assert len(opened) == padme(len(document))


def test_a_sealed_document_is_binary_age_with_one_x25519_stanza():
    sealed = VAULT.seal(b"text\n")
    assert sealed.startswith(MAGIC)
    assert [stanza.kind for stanza in header.parse(sealed).stanzas] == ["X25519"]


def test_a_document_of_one_mebibyte_and_more_can_be_sealed():
    document = b"x" * (1 << 20)
    assert VAULT.open(VAULT.seal(document)) == document


def test_what_would_be_too_large_to_open_is_not_sealed():
    with pytest.raises(InvalidMemoryError):
        VAULT.seal(b"x" * MAX_SEALED)
    with pytest.raises(TamperedError, match="larger than"):
        VAULT.open(MAGIC + bytes(MAX_SEALED))


@pytest.mark.parametrize("junk", [b"", b"text", MAGIC, b"-----BEGIN AGE ENCRYPTED FILE-----\n", bytes(500)])
def test_what_is_no_sealed_file_is_refused(junk):
    with pytest.raises(TamperedError):
        VAULT.open(junk)


def test_another_identity_opens_nothing_and_says_that_the_file_is_not_its_own():
    other = Vault(Identity(bytes(32)), VAULT_ID)
    with pytest.raises(TamperedError, match="not sealed with the vault's key"):
        other.open(VAULT.seal(b"text\n"))


def test_a_vault_knows_its_id_its_fingerprint_and_its_index_key():
    assert VAULT.id == VAULT_ID
    assert VAULT.fingerprint == fingerprint(VAULT.identity, VAULT_ID)
    assert VAULT.index_key == derive(VAULT.identity, VAULT_ID, "index")
    with pytest.raises(ConfigError):
        Vault(VAULT.identity, "no vault id")


@given(st.integers(0, 1 << 40))
def test_padding_costs_at_most_an_eighth_and_never_shrinks(size):
    padded = padme(size)
    assert size <= padded <= size + size // 8
    assert padme(padded) == padded


def test_padding_leaves_few_sizes():
    sizes = {padme(size) for size in range(1, 1 << 16)}
    assert len(sizes) < 300
    assert [padme(size) for size in (0, 1, 9, 200, 201, 1000, 1025, 65_537)] == [
        0,
        1,
        10,
        208,
        208,
        1024,
        1088,
        67_584,
    ]

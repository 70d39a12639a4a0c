"""Whole age files: round trips, and everything that an attacker who can write the file may try."""

from __future__ import annotations

import os
import random

import pytest

from gitmem.errors import ConfigError, TamperedError, WrongKeyError
from gitmem.vault import age, armor, faults, header, stream
from gitmem.vault.hkdf import hkdf
from gitmem.vault.hybrid import Hybrid
from gitmem.vault.keys import Identity
from gitmem.vault.passphrase import Passphrase
from gitmem.vault.primitives import wrap_key
from gitmem.vault.vault import Vault
from gitmem.vault.x25519 import X25519

SIZES = [0, 1, 65_535, 65_536, 65_537, 131_072, 131_073]
P = 2**255 - 19
# The points of small order on the curve and its twist, with their spellings above the prime (RFC 7748, 6.1).
SMALL_ORDER = [
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    P - 1,
    P,
    P + 1,
]
VAULT_ID = "00112233445566778899aabbccddeeff"


def forged(key_stanza, file_key, plaintext=b"forged\n"):
    nonce = bytes(16)
    return (
        header.build(key_stanza, file_key) + nonce + stream.seal(hkdf(file_key, nonce, b"payload"), plaintext)
    )


def make_key(kind):
    return {
        "x25519": lambda: X25519(os.urandom(32)),
        "hybrid": lambda: Hybrid(os.urandom(32)),
        "passphrase": lambda: Passphrase("correct horse", log_n=4),
    }[kind]()


@pytest.mark.parametrize("kind", ["x25519", "hybrid", "passphrase"])
@pytest.mark.parametrize("size", SIZES)
def test_what_is_encrypted_comes_back(kind, size):
    key = make_key(kind)
    plaintext = random.Random(size).randbytes(size)
    sealed = age.encrypt(plaintext, [key])
    assert age.decrypt(sealed, [key]) == plaintext
    assert plaintext[:16] not in sealed or size < 16


def test_every_one_of_several_keys_opens_a_file():
    keys = [make_key("x25519"), make_key("hybrid"), make_key("x25519")]
    sealed = age.encrypt(b"text", keys)
    assert [age.decrypt(sealed, [key]) for key in keys] == [b"text"] * 3
    assert age.decrypt(sealed, [make_key("x25519"), keys[2]]) == b"text"


def test_two_sealings_of_one_text_share_nothing_but_the_header_words():
    key = make_key("x25519")
    one, two = age.encrypt(b"text" * 50, [key]), age.encrypt(b"text" * 50, [key])
    assert one[:31] == two[:31]
    assert not {one[at : at + 8] for at in range(31, len(one) - 8)} & {
        two[at : at + 8] for at in range(31, len(two) - 8)
    }


def test_a_passphrase_never_stands_beside_another_key():
    with pytest.raises(ConfigError):
        age.encrypt(b"text", [make_key("passphrase"), make_key("x25519")])
    with pytest.raises(ConfigError):
        age.encrypt(b"text", [])


def test_another_key_does_not_open_a_file():
    sealed = age.encrypt(b"text", [make_key("x25519")])
    for kind in ("x25519", "hybrid", "passphrase"):
        with pytest.raises(WrongKeyError):
            age.decrypt(sealed, [make_key(kind)])


def test_a_file_larger_than_the_limit_is_refused_before_it_is_read():
    key = make_key("x25519")
    sealed = age.encrypt(bytes(1000), [key])
    assert age.decrypt(sealed, [key], limit=len(sealed)) == bytes(1000)
    with pytest.raises(faults.HeaderError, match="larger than"):
        age.decrypt(sealed, [key], limit=len(sealed) - 1)


@pytest.mark.parametrize("kind", ["x25519", "passphrase"])
def test_a_flipped_bit_is_refused_wherever_it_is(kind):
    key = Passphrase("p", log_n=1) if kind == "passphrase" else make_key(kind)
    sealed = age.encrypt(b"some text\n", [key])
    for at in range(len(sealed)):
        for bit in range(8):
            changed = sealed[:at] + bytes([sealed[at] ^ 1 << bit]) + sealed[at + 1 :]
            with pytest.raises((TamperedError, WrongKeyError)):
                age.decrypt(changed, [key])


def test_a_file_cut_or_continued_anywhere_is_refused():
    key = make_key("x25519")
    sealed = age.encrypt(b"some text\n", [key])
    for end in range(len(sealed)):
        with pytest.raises(TamperedError):
            age.decrypt(sealed[:end], [key])
    for tail in (b"\0", b"\n", b"x" * 16, b"x" * 17, sealed):
        with pytest.raises(faults.PayloadError):
            age.decrypt(sealed + tail, [key])


def test_chunks_cannot_be_dropped_swapped_or_repeated():
    key, chunk = os.urandom(32), 65_536 + 16
    sealed = stream.seal(key, random.Random(1).randbytes(3 * 65_536))
    one, two, three = (sealed[at : at + chunk] for at in range(0, 3 * chunk, chunk))
    assert stream.unseal(key, one + two + three)
    for wrong in (
        one + two,
        two + three,
        one + three,
        two + one + three,
        one + one + two + three,
        three,
        b"",
    ):
        with pytest.raises(faults.PayloadError):
            stream.unseal(key, wrong)


def test_the_header_of_one_file_does_not_fit_the_payload_of_another():
    key = make_key("x25519")
    one, two = age.encrypt(b"one\n", [key]), age.encrypt(b"two\n", [key])
    split = header.parse(one).end, header.parse(two).end
    with pytest.raises(faults.PayloadError):
        age.decrypt(one[: split[0]] + two[split[1] :], [key])


@pytest.mark.parametrize("point", SMALL_ORDER)
@pytest.mark.parametrize("high_bit", [0, 1 << 255])
def test_a_share_of_small_order_is_refused_even_when_the_recipient_is_known(point, high_bit):
    key, file_key = X25519(os.urandom(32)), os.urandom(16)
    share = (point | high_bit).to_bytes(32, "little")
    wrapping = hkdf(bytes(32), share + key._public, b"age-encryption.org/v1/X25519")
    stanza = header.Stanza(("X25519", header.encode64(share)), wrap_key(wrapping, file_key))
    with pytest.raises(faults.HeaderError, match="forbidden share"):
        age.decrypt(forged([stanza], file_key), [key])


# --- what a vault accepts is narrower ----------------------------------------------------------------------


def test_a_vault_refuses_a_file_for_a_guessed_recipient():
    vault = Vault(Identity.generate(), VAULT_ID)
    with pytest.raises(TamperedError):
        vault.open(age.encrypt(b"forged\n", [make_key("x25519")]))


def test_a_vault_refuses_a_file_that_somebody_else_can_open_too():
    vault = Vault(Identity.generate(), VAULT_ID)
    own = X25519(vault.identity.raw)
    assert vault.open(age.encrypt(b"text\n", [own])) == b"text\n"
    for others in ([own, make_key("x25519")], [make_key("hybrid"), own], [own, own]):
        with pytest.raises(TamperedError, match="more than one"):
            vault.open(age.encrypt(b"text\n", others))


def test_a_vault_skips_stanzas_that_nobody_opens():
    vault, file_key = Vault(Identity.generate(), VAULT_ID), os.urandom(16)
    grease = header.Stanza(("%x-grease", "anything"), b"some bytes")
    stanza = X25519(vault.identity.raw).wrap(file_key)
    assert vault.open(forged([grease, stanza], file_key)) == b"forged\n"
    with pytest.raises(TamperedError):
        vault.open(forged([grease], file_key))


def test_a_vault_refuses_armor_passphrases_and_post_quantum_files():
    vault = Vault(Identity.generate(), VAULT_ID)
    for sealed in (
        armor.encode(vault.seal(b"text\n")),
        age.encrypt(b"text\n", [make_key("passphrase")]),
        age.encrypt(b"text\n", [make_key("hybrid")]),
    ):
        with pytest.raises(TamperedError):
            vault.open(sealed)


def test_whoever_knows_the_recipient_can_seal_which_is_why_commits_are_sealed_too():
    vault = Vault(Identity.generate(), VAULT_ID)
    leaked = X25519(vault.identity.raw)  # stands for its public half: wrap uses nothing else
    assert vault.open(age.encrypt(b"forged\n", [leaked])) == b"forged\n"

"""Commit seals: what counts as sealed, and what a sealed commit says."""

from __future__ import annotations

import hashlib
import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.errors import GitmemError
from gitmem.vault import seals
from gitmem.vault.keys import Identity, derive
from gitmem.vault.seals import Seal
from gitmem.vault.vault import Vault

VAULT_ID = "00112233445566778899aabbccddeeff"
VAULT = Vault(Identity(bytes(range(32))), VAULT_ID)
OID, LONG_OID = "1" * 40, "2" * 64
WHO = b"gitmem <gitmem@localhost> 1795158000 +0000"
HEAD = b"tree " + b"a" * 40 + b"\nparent " + b"b" * 40 + b"\nauthor " + WHO + b"\ncommitter " + WHO + b"\n\n"
BODY = HEAD + b"write 1 memory\n\n"
SPECIFIED = re.compile(rb"(?s)\A(.*\n)Gitmem-Seal: v1:([0-9a-f]{64})\n\Z")


def specified(raw):
    """The rule as docs/format.md gives it, written a second time."""
    found = SPECIFIED.match(raw)
    if not found:
        return False
    key = derive(VAULT.identity, VAULT_ID, "commit-seal")
    mac = hmac.new(key, b"gitmem commit v1\0" + found[1], hashlib.sha256).hexdigest()
    return mac.encode() == found[2]


def test_a_signed_commit_is_its_body_and_one_line():
    raw = VAULT.sign(BODY)
    assert raw.startswith(BODY)
    assert re.fullmatch(rb"Gitmem-Seal: v1:[0-9a-f]{64}\n", raw[len(BODY) :])
    assert specified(raw)
    assert VAULT.read_seal(raw) == Seal()


def test_a_flipped_bit_anywhere_leaves_the_commit_unsealed():
    raw = VAULT.sign(BODY)
    for at in range(len(raw)):
        for bit in range(8):
            changed = raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :]
            assert VAULT.read_seal(changed) is None


def test_a_commit_cut_or_continued_is_unsealed():
    raw = VAULT.sign(BODY)
    assert all(VAULT.read_seal(raw[:end]) is None for end in range(len(raw)))
    assert all(VAULT.read_seal(raw[start:]) is None for start in range(1, len(raw)))
    for tail in (b"\n", b" ", b"x\n", b"Gitmem-Anchor: trust\n", raw[len(BODY) :], b"\0"):
        assert VAULT.read_seal(raw + tail) is None


@pytest.mark.parametrize(
    "changed",
    [
        lambda raw: raw.replace(b"v1:", b"v2:"),
        lambda raw: raw.replace(b"Gitmem-Seal", b"gitmem-seal"),
        lambda raw: raw[:-65] + raw[-65:].upper(),
        lambda raw: raw[:-1] + b"\r\n",
        lambda raw: raw.replace(b"\n", b"\r\n"),
        lambda raw: raw.replace(b"\nGitmem-Seal", b"\n Gitmem-Seal"),
        lambda raw: raw.replace(b"\nGitmem-Seal", b" Gitmem-Seal"),
        lambda raw: raw.replace(b"parent", b"parent " + b"c" * 40 + b"\nparent"),
        lambda raw: raw.replace(b"committer gitmem", b"committer mallory"),
        lambda raw: raw.replace(b"\n\nwrite", b"\ngpgsig x\n\nwrite"),
        lambda raw: raw.replace(b"\n\nGitmem-Seal", b"\n\nGitmem-Anchor: trust\nGitmem-Seal"),
    ],
)
def test_another_spelling_of_a_seal_is_no_seal(changed):
    raw = VAULT.sign(BODY)
    assert changed(raw) != raw
    assert VAULT.read_seal(changed(raw)) is None


def test_a_seal_of_another_key_or_vault_is_no_seal():
    raw = VAULT.sign(BODY)
    assert Vault(VAULT.identity, VAULT_ID[::-1]).read_seal(raw) is None
    assert Vault(Identity(bytes(32)), VAULT_ID).read_seal(raw) is None


def test_a_commit_without_a_seal_is_unsealed():
    for raw in (
        b"",
        b"\n",
        BODY,
        HEAD,
        BODY + b"Gitmem-Anchor: init\n",
        BODY + b"Gitmem-Seal: v1:" + b"0" * 64 + b"\n",
    ):
        assert VAULT.read_seal(raw) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_judged_as_the_format_says(body):
    assert VAULT.read_seal(body) is None
    raw = VAULT.sign(body + b"\n")
    assert specified(raw)
    assert VAULT.read_seal(raw) is not None


def test_a_seal_that_does_not_stand_on_a_line_of_its_own_is_no_seal():
    key, body = derive(VAULT.identity, VAULT_ID, "commit-seal"), BODY + b"quoted: "
    raw = body + b"Gitmem-Seal: v1:" + hmac.digest(key, b"gitmem commit v1\0" + body, "sha256").hex().encode()
    assert VAULT.read_seal(raw + b"\n") is None


def test_a_body_without_a_line_feed_at_its_end_is_not_sealed():
    for body in (b"", b"tree", BODY[:-2] + b"x"):
        with pytest.raises(GitmemError):
            VAULT.sign(body)


SEALS = st.builds(
    Seal,
    st.sampled_from(["", *seals.ANCHORS]),
    st.lists(st.text("0123456789abcdef", min_size=40, max_size=40), max_size=3).map(tuple),
)


@given(SEALS)
def test_what_a_seal_says_is_read_back(seal):
    assert VAULT.read_seal(VAULT.sign(BODY + seals.trailers(seal))) == seal


def test_trailers_stand_in_the_order_of_the_format():
    assert seals.trailers(Seal("purge", (OID, LONG_OID))) == (
        f"Gitmem-Was: {OID}\nGitmem-Was: {LONG_OID}\nGitmem-Anchor: purge\n".encode()
    )
    with pytest.raises(GitmemError):
        seals.trailers(Seal("bless"))


@pytest.mark.parametrize(
    "said",
    [
        b"Gitmem-Anchor: bless\n",
        b"Gitmem-Anchor: Trust\n",
        b"Gitmem-Anchor: trust \n",
        b"Gitmem-Anchor: trust\nGitmem-Anchor: trust\n",
        b"Gitmem-Anchor: init\nGitmem-Anchor: rekey\n",
        b"Gitmem-Anchor: trust\n\nquoted in the message above\n",
        b"Gitmem-Anchor: trust\nSigned-off-by: me\n",
        b" Gitmem-Anchor: trust\n",
        b"x Gitmem-Anchor: trust\n",
        b"Gitmem-Was: " + b"3" * 39 + b"\n",
    ],
)
def test_a_sealed_commit_with_words_that_are_not_its_trailers_vouches_for_nothing(said):
    assert VAULT.read_seal(VAULT.sign(BODY + said)) == Seal()


def test_trailers_are_read_from_the_end_of_a_longer_message():
    kept = BODY + b"Gitmem-Anchor: init\nis what a stranger wrote\n\n"
    assert VAULT.read_seal(VAULT.sign(kept + seals.trailers(Seal("", (OID,))))) == Seal("", (OID,))

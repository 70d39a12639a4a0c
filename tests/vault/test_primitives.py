"""The two roads to the primitives, HKDF against the ready-made one, and what is imported when."""

from __future__ import annotations

import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from gitmem.vault import primitives
from gitmem.vault.hkdf import hkdf

SLOW = {
    "cryptography.hazmat.primitives.serialization",
    "cryptography.hazmat.primitives.asymmetric.x25519",
    "cryptography.hazmat.primitives.ciphers.aead",
    "cryptography.hazmat.primitives.kdf.hkdf",
    "cryptography.hazmat.primitives.kdf.scrypt",
    "cryptography.hazmat.primitives.hpke",
    "gitmem.vault.hybrid",
    "gitmem.vault.passphrase",
    "pathlib",
    "tempfile",
    "subprocess",
    "logging",
    "secrets",
    "json",
}


@given(
    st.binary(min_size=1, max_size=64), st.binary(max_size=64), st.binary(max_size=64), st.integers(1, 100)
)
def test_our_hkdf_is_the_standard_one(secret, salt, info, length):
    assert hkdf(secret, salt, info, length) == HKDF(SHA256(), length, salt or None, info).derive(secret)


def test_both_roads_lead_to_the_same_primitives():
    wrapped = {}
    for road in (primitives.short_road, primitives.public_road):
        generate, private, public, cipher = road()
        shared = private(bytes(range(32))).exchange(public(bytes([9]) + bytes(31)))
        assert len(generate().public_key().public_bytes_raw()) == 32
        wrapped[road] = shared, cipher(shared).encrypt(bytes(12), b"text", None)
    assert len(set(wrapped.values())) == 1


@pytest.mark.parametrize("error", [ImportError, AttributeError])
def test_the_public_road_is_taken_where_the_short_one_is_gone(error):
    def gone():
        raise error

    assert primitives.choose(gone, primitives.public_road) == primitives.public_road()


def loaded_after(code):
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_sealing_and_opening_import_nothing_slow():
    code = (
        "from gitmem.vault.keys import Identity\nfrom gitmem.vault.vault import Vault\n"
        "vault = Vault(Identity.generate(), '0' * 32)\nassert vault.open(vault.seal(b'text')) == b'text'"
    )
    modules = loaded_after(code)
    assert "gitmem.vault.x25519" in modules
    assert modules & SLOW == set()


def test_signing_and_verifying_import_no_cryptography_at_all():
    code = (
        "from gitmem.vault.keys import Identity\nfrom gitmem.vault.vault import Vault\n"
        "vault = Vault(Identity.generate(), '0' * 32)\nassert vault.read_seal(vault.sign(b'tree\\n\\nx\\n'))"
    )
    modules = loaded_after(code)
    assert "gitmem.vault.seals" in modules
    assert not any(name.partition(".")[0] == "cryptography" for name in modules)

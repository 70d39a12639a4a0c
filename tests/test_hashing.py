"""The hashes of the interpreter say what OpenSSL's say."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.hashing import choose, equal, hmac_sha256, sha1, sha256


@given(st.binary(max_size=200), st.binary(max_size=300))
def test_hmac_and_hashes_are_those_of_the_standard_library(key, message):
    assert hmac_sha256(key, message) == hmac.digest(key, message, "sha256")
    assert sha1(message).digest() == hashlib.sha1(message).digest()
    assert sha256(message).digest() == hashlib.sha256(message).digest()


def test_a_published_vector():
    # RFC 4231, test case 2.
    assert hmac_sha256(b"Jefe", b"what do ya want for nothing?").hex() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_a_python_without_its_own_hashes_has_those_of_openssl():
    assert choose("sha256", "_no_such_module", "hashlib")(b"a").digest() == sha256(b"a").digest()
    with pytest.raises(ImportError):
        choose("sha256", "_no_such_module")


def test_macs_are_compared_whole():
    assert equal(b"same", b"same")
    assert not equal(b"same", b"samf")
    assert not equal(b"same", b"sam")

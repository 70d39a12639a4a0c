"""Files cross over: to and from the stock `age` program and pyrage."""

from __future__ import annotations

import random
import subprocess

import pyrage
import pytest

from gitmem.vault import age, armor
from gitmem.vault.keys import Identity
from gitmem.vault.passphrase import Passphrase
from gitmem.vault.vault import Vault
from gitmem.vault.x25519 import X25519

SIZES = [0, 1, 65_535, 65_536, 65_537]
VAULT_ID = "00112233445566778899aabbccddeeff"


@pytest.fixture
def identity():
    return Identity.generate()


@pytest.fixture
def key_file(identity, tmp_path):
    path = tmp_path / "key.txt"
    path.write_text(f"# a comment\n{identity.text}\n")
    return path


def run(*argv, stdin=b""):
    done = subprocess.run([str(arg) for arg in argv], input=stdin, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rage(identity):
    return pyrage.x25519.Identity.from_str(identity.text)


@pytest.mark.parametrize("size", SIZES)
def test_pyrage_opens_our_files_and_we_open_its(identity, size):
    plaintext = random.Random(size).randbytes(size)
    assert pyrage.decrypt(age.encrypt(plaintext, [X25519(identity.raw)]), [rage(identity)]) == plaintext
    theirs = pyrage.encrypt(plaintext, [rage(identity).to_public()])
    assert age.decrypt(theirs, [X25519(identity.raw)]) == plaintext
    assert Vault(identity, VAULT_ID).open(theirs) == plaintext


@pytest.mark.parametrize("size", SIZES)
def test_armor_crosses_over_to_pyrage(identity, size):
    plaintext = random.Random(size).randbytes(size)
    ours = armor.encode(age.encrypt(plaintext, [X25519(identity.raw)]))
    assert pyrage.decrypt(ours, [rage(identity)]) == plaintext
    theirs = pyrage.encrypt(plaintext, [rage(identity).to_public()], armored=True)
    assert age.decrypt(armor.decode(theirs), [X25519(identity.raw)]) == plaintext


def test_pyrage_opens_a_passphrase_file(identity):
    sealed = age.encrypt(b"text", [Passphrase("correct horse", log_n=10)])
    assert pyrage.passphrase.decrypt(sealed, "correct horse") == b"text"


def test_pyrage_agrees_on_the_key_and_its_recipient():
    theirs = pyrage.x25519.Identity.generate()
    ours = Identity.parse(str(theirs))
    assert ours.text == str(theirs)
    sealed = age.encrypt(b"text", [X25519(ours.raw)])
    assert pyrage.decrypt(sealed, [theirs]) == b"text"


@pytest.mark.parametrize("size", SIZES)
def test_stock_age_opens_our_files_and_we_open_its(age_program, identity, key_file, tmp_path, size):
    plaintext = random.Random(size).randbytes(size)
    path = tmp_path / "sealed.age"
    path.write_bytes(age.encrypt(plaintext, [X25519(identity.raw)]))
    assert run(age_program, "-d", "-i", key_file, path) == plaintext
    theirs = run(age_program, "-e", "-i", key_file, stdin=plaintext)
    assert Vault(identity, VAULT_ID).open(theirs) == plaintext


def test_armor_crosses_over_to_stock_age(age_program, identity, key_file):
    ours = armor.encode(age.encrypt(b"text", [X25519(identity.raw)]))
    assert run(age_program, "-d", "-i", key_file, stdin=ours) == b"text"
    theirs = run(age_program, "-a", "-e", "-i", key_file, stdin=b"text")
    assert age.decrypt(armor.decode(theirs), [X25519(identity.raw)]) == b"text"
    assert armor.encode(armor.decode(theirs)) == theirs


def test_stock_age_shows_a_memory_as_readable_text(age_program, identity, key_file, tmp_path):
    document = b"---\nid: 01M7VW2GC0VECT0RPA1N000001\n---\n\nGreen tea.\n"
    path = tmp_path / "memory.md.age"
    path.write_bytes(Vault(identity, VAULT_ID).seal(document))
    assert run(age_program, "-d", "-i", key_file, path).rstrip(b"\n") + b"\n" == document

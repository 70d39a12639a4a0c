"""The passphrase slot."""

from __future__ import annotations

import subprocess
import sys

import pyrage
import pytest

from gitmem.errors import ConfigError, TamperedError, WrongKeyError
from gitmem.vault import age, header, slot
from gitmem.vault.keys import Identity
from gitmem.vault.passphrase import Passphrase

VAULT_ID = "00112233445566778899aabbccddeeff"
IDENTITY = Identity(bytes(range(32)))
WORDS = "six words that nobody has guessed — ü"


@pytest.fixture(scope="module")
def sealed():
    return slot.lock(IDENTITY, VAULT_ID, WORDS, log_n=4)


def test_a_slot_opens_with_its_passphrase(sealed):
    assert slot.unlock(sealed, WORDS) == IDENTITY
    assert slot.unlock(sealed, WORDS, VAULT_ID) == IDENTITY


def test_a_slot_is_an_identity_file_that_says_where_it_belongs(sealed):
    inside = pyrage.passphrase.decrypt(sealed, WORDS).decode()
    assert inside == f"# gitmem: .gitmem/key.age of vault {VAULT_ID}\n{IDENTITY.text}\n"


def test_the_work_factor_is_2_to_the_18_unless_told_otherwise():
    assert header.parse(slot.lock(IDENTITY, VAULT_ID, WORDS)).stanzas[0].args[2] == "18"


@pytest.mark.parametrize("wrong", ["six words", WORDS + " ", WORDS.upper()])
def test_another_passphrase_is_told_apart_from_a_damaged_slot(sealed, wrong):
    with pytest.raises(WrongKeyError, match="passphrase"):
        slot.unlock(sealed, wrong)


@pytest.mark.parametrize("passphrase", ["", "\udcff"])
def test_a_passphrase_must_be_text_and_not_empty(sealed, passphrase):
    with pytest.raises(ConfigError):
        slot.lock(IDENTITY, VAULT_ID, passphrase, log_n=4)
    with pytest.raises(ConfigError):
        slot.unlock(sealed, passphrase)


@pytest.mark.parametrize("log_n", [0, -1, 21])
def test_a_work_factor_that_nobody_would_accept_is_not_written(log_n):
    with pytest.raises(ConfigError):
        slot.lock(IDENTITY, VAULT_ID, WORDS, log_n=log_n)


@pytest.mark.parametrize("log_n", ["21", "22", "40", "99"])
def test_a_work_factor_above_2_to_the_20_is_refused_before_any_work(sealed, log_n):
    changed = sealed.replace(b" 4\n", f" {log_n}\n".encode(), 1)
    assert changed != sealed
    with pytest.raises(TamperedError, match="too much work"):
        slot.unlock(changed, WORDS)


def test_the_slot_of_another_vault_is_refused(sealed):
    with pytest.raises(WrongKeyError, match="another vault"):
        slot.unlock(sealed, WORDS, VAULT_ID[::-1])
    with pytest.raises(ConfigError):
        slot.lock(IDENTITY, "no vault", WORDS, log_n=4)


@pytest.mark.parametrize(
    "inside",
    [
        b"",
        IDENTITY.text.encode(),
        f"# gitmem: .gitmem/other.age of vault {VAULT_ID}\n{IDENTITY.text}\n".encode(),
        f"# gitmem: .gitmem/key.age of vault {VAULT_ID} \n{IDENTITY.text}\n".encode(),
        b"\xff\xfe",
    ],
)
def test_a_file_that_is_no_slot_is_refused_even_with_the_right_passphrase(inside):
    with pytest.raises(TamperedError):
        slot.unlock(age.encrypt(inside, [Passphrase(WORDS, log_n=4)]), WORDS)


def test_a_slot_is_small():
    inside = f"# gitmem: .gitmem/key.age of vault {VAULT_ID}\n{IDENTITY.text}\n".encode() + b"\n" * 4000
    with pytest.raises(TamperedError, match="larger than"):
        slot.unlock(age.encrypt(inside, [Passphrase(WORDS, log_n=4)]), WORDS)


def test_a_slot_without_a_key_in_it_is_refused():
    inside = f"# gitmem: .gitmem/key.age of vault {VAULT_ID}\n".encode()
    with pytest.raises(ConfigError):
        slot.unlock(age.encrypt(inside, [Passphrase(WORDS, log_n=4)]), WORDS)


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="needs a limit on memory that the system keeps"
)
def test_too_little_memory_is_one_clear_sentence():
    code = (
        "import resource\n"
        "from gitmem.errors import LockedError\nfrom gitmem.vault.passphrase import Passphrase\n"
        "resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))\n"
        "try:\n    Passphrase('p', log_n=20).wrap(bytes(16))\nexcept LockedError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.startswith("There is not enough memory to use the passphrase: it takes 1024 MiB.")

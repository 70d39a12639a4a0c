"""The files of tests/vectors/v1 open for ever; see the README there."""

from __future__ import annotations

import json
import os
import subprocess

import pyrage
import pytest

from gitmem.memory import document, ids
from gitmem.vault import joincode, slot
from gitmem.vault.keys import Identity, derive, fingerprint, paper
from gitmem.vault.seals import Seal
from gitmem.vault.vault import Vault

FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "vectors", "v1")
MEMORIES = [f"01M7VW2GC0VECT0RPA1N00000{number}" for number in range(1, 6)]


def content(name):
    with open(os.path.join(FOLDER, name), "rb") as file:
        return file.read()


FACTS = json.loads(content("facts.json"))
IDENTITY_FILE = content("THROW-AWAY-IDENTITY.txt").decode()


@pytest.fixture
def vault():
    return Vault(Identity.parse(IDENTITY_FILE), FACTS["vault_id"])


def test_every_memory_of_the_folder_is_listed_here():
    found = [name for _, _, names in os.walk(os.path.join(FOLDER, "memories")) for name in names]
    assert sorted(found) == [f"{memory_id}.md.age" for memory_id in MEMORIES]


@pytest.mark.parametrize("memory_id", MEMORIES)
def test_a_frozen_memory_opens(vault, memory_id):
    opened = vault.open(content(ids.path_of(memory_id)))
    plain = content(f"plain/{memory_id}.md")
    assert opened.rstrip(b"\n") + b"\n" == plain
    assert document.load(opened) == document.load(plain)
    assert document.load(opened).id == memory_id


@pytest.mark.parametrize("memory_id", MEMORIES)
def test_a_frozen_memory_opens_without_gitmem(memory_id):
    opened = pyrage.decrypt(
        content(ids.path_of(memory_id)), [pyrage.x25519.Identity.from_str(IDENTITY_FILE.split()[-1])]
    )
    assert opened.rstrip(b"\n") + b"\n" == content(f"plain/{memory_id}.md")


def test_a_frozen_memory_opens_with_stock_age(age_program):
    path = os.path.join(FOLDER, ids.path_of(MEMORIES[1]))
    key = os.path.join(FOLDER, "THROW-AWAY-IDENTITY.txt")
    done = subprocess.run([age_program, "-d", "-i", key, path], capture_output=True)
    assert done.stdout.rstrip(b"\n") + b"\n" == content(f"plain/{MEMORIES[1]}.md")


def test_the_frozen_commits_keep_their_seals(vault):
    assert vault.read_seal(content("commits/init")) == Seal("init")
    assert vault.read_seal(content("commits/purge")) == Seal("purge", ("3" * 40, "4" * 40))
    assert vault.read_seal(content("commits/write")) == Seal()
    assert vault.read_seal(content("commits/plain")) is None
    assert vault.sign(content("commits/plain")) == content("commits/write")


def test_the_frozen_paper_is_the_identity(vault):
    text = content("THROW-AWAY-paper.txt").decode()
    assert Identity.parse(text) == vault.identity
    assert paper(vault.identity) == text


def test_the_frozen_join_code_says_what_it_said():
    text = content("join-code.txt").decode()
    code = joincode.decode(text)
    assert code == joincode.JoinCode(**FACTS["join_code"])
    assert joincode.encode(code) == text.strip()


def test_the_frozen_slot_opens(vault):
    assert slot.unlock(content("key.age"), FACTS["passphrase"], FACTS["vault_id"]) == vault.identity


def test_the_frozen_keys_are_derived_again(vault):
    keys = {label: derive(vault.identity, vault.id, label).hex() for label in FACTS["keys"]}
    assert keys == FACTS["keys"]
    assert len(set(keys.values())) == 5
    assert fingerprint(vault.identity, vault.id) == FACTS["fingerprint"]

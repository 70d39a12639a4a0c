"""The 143 public test vectors of the age format (C2SP/CCTV), each with its class of failure no exception."""

from __future__ import annotations

import hashlib
import os
import zlib

import pytest

import parts
from gitmem.vault import age, armor, faults
from gitmem.vault.passphrase import Passphrase

FOLDER = os.path.join(parts.DATA, "cctv-age") if parts.DATA else ""
NAMES = sorted(os.listdir(FOLDER)) if os.path.isdir(FOLDER) else []
FAILURES = {
    "header failure": faults.HeaderError,
    "HMAC failure": faults.HeaderMacError,
    "payload failure": faults.PayloadError,
    "armor failure": faults.ArmorError,
    "no match": faults.NoMatchError,
}
LARGE = 32 << 20  # some vectors have 258 chunks


def vector(name):
    with open(os.path.join(FOLDER, name), "rb") as file:
        head, _, data = file.read().partition(b"\n\n")
    fields = [line.split(": ", 1) for line in head.decode().split("\n")]
    said = dict(fields)
    keys = [age.load_key(value) for field, value in fields if field == "identity"]
    keys += [Passphrase(value) for field, value in fields if field == "passphrase"]
    return said, keys, zlib.decompress(data) if said.get("compressed") == "zlib" else data


def opened(said, keys, data):
    return age.decrypt(armor.decode(data) if said.get("armored") == "yes" else data, keys, limit=LARGE)


def test_all_143_vectors_are_there(data_dir):
    assert len(NAMES) == 143
    assert {vector(name)[0]["expect"] for name in NAMES} == {*FAILURES, "success"}


@pytest.mark.parametrize("name", NAMES or ["(no data)"])
def test_a_vector_opens_or_fails_as_it_must(name, data_dir):
    said, keys, data = vector(name)
    if said["expect"] == "success":
        assert hashlib.sha256(opened(said, keys, data)).hexdigest() == said["payload"]
    else:
        with pytest.raises(FAILURES[said["expect"]]) as caught:
            opened(said, keys, data)
        assert caught.type is FAILURES[said["expect"]]

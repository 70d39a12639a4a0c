"""Packs that gitmem writes are read by git as they were meant, and git's pipes never wait for each other."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_vault import Vault

from gitmem.repo.git import Git
from gitmem.repo.packfile import Pack, difference


@pytest.fixture
def patience() -> Iterator[None]:
    """A test that waits for ever fails instead."""

    def over(*_: object) -> None:
        raise TimeoutError("waited for too long")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def test_every_version_of_a_growing_folder_is_read_back(vault: Vault, tmp_path: Path) -> None:
    chance = random.Random(1)
    with vault.store() as store:
        pack, versions, rows = Pack(store.repo.git), {}, []
        for number in range(300):
            rows.append(b"100644 %08d.md.age\0" % chance.randrange(10**8) + chance.randbytes(20))
            content = b"".join(sorted(rows))
            versions[pack.add("tree", content, "a folder")] = content
            versions[pack.add("blob", chance.randbytes(50))] = None
            if number % 7 == 0:
                rows.pop(chance.randrange(len(rows)))
        large = chance.randbytes(70_000)
        for number in range(3):
            content = large[:30_000] + b"%d" % number * 1000 + large[30_000:]
            versions[pack.add("blob", content, "a large file")] = content
        pack.store()
        pack.store()  # nothing is left to be written
        for oid, content in versions.items():
            if content is not None:
                assert next(store.repo.objects.read_many([oid])) == content
        kinds = store.repo.git.lines("cat-file", "--batch-check", data="\n".join(versions).encode())
        assert not [line for line in kinds if line.endswith("missing")]
        store.repo.git.run("fsck", "--no-dangling")
        (size,) = (path.stat().st_size for path in vault.path.glob(".git/objects/pack/*.pack"))
        whole = sum(len(content) for content in versions.values() if content)
        assert size < whole / 4


@given(st.binary(max_size=400), st.binary(max_size=400), st.binary(max_size=400), st.binary(max_size=400))
def test_a_difference_makes_the_second_text_of_the_first(
    start: bytes, old: bytes, new: bytes, end: bytes
) -> None:
    before, after = start + old + end, start + new + end
    assert applied(before, difference(before, after)) == after


def applied(before: bytes, steps: bytes) -> bytes:
    """What a reader of git's pack format makes of it, written from its description."""
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = steps[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    size, wanted = number(), number()
    assert size == len(before)
    out = b""
    while at < len(steps):
        flags = steps[at]
        at += 1
        if flags & 0x80:
            fields = []
            for bit in range(7):
                fields.append(steps[at] if flags >> bit & 1 else 0)
                at += flags >> bit & 1
            start = int.from_bytes(bytes(fields[:4]), "little")
            length = int.from_bytes(bytes(fields[4:]), "little") or 0x10000
            assert start + length <= len(before)
            out += before[start : start + length]
        else:
            assert flags
            out += steps[at : at + flags]
            at += flags
    assert len(out) == wanted
    return out


def test_a_long_question_with_a_long_answer_does_not_stop(vault: Vault, patience: None) -> None:
    """Git answers before it has read everything: both pipes are full, and neither side may wait."""
    ids = "".join(f"{number:040x}\n" for number in range(50_000)).encode()
    answer = Git(str(vault.path / ".git"), str(vault.path)).lines("cat-file", "--batch-check", data=ids)
    assert len(answer) == 50_000
    assert {line.split()[1] for line in answer} == {"missing"}

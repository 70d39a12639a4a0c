"""What is read out of a pack without git is what git reads."""

import os
import random
import subprocess

import pytest

from gitmem.errors import TamperedError
from gitmem.repo import packs
from gitmem.repo.packs import Packs, applied
from gitmem.repo.repo import Repo

WHO = {f"GIT_{role}_{what}": "t@t" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(place, *args, data=b""):
    done = subprocess.run(
        ["git", "-C", place, *args], input=data, capture_output=True, check=True, env={**os.environ, **WHO}
    )
    return done.stdout


@pytest.fixture
def packed(tmp_path):
    """A repository of one pack, with versions of a text as differences of each other."""
    git(tmp_path, "init", "-q")
    dice = random.Random(1)
    lines = [f"line {number} {dice.random()}\n" for number in range(400)]
    for number in range(6):
        lines[number * 40] = f"changed {number}\n"
        (tmp_path / "text").write_text("".join(lines))
        (tmp_path / f"noise{number}").write_bytes(dice.randbytes(3000 * number))
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-qm", f"{number}")
    git(tmp_path, "repack", "-adfq", "--depth=10", "--window=20")
    git(tmp_path, "prune-packed", "-q")
    return tmp_path


def names(place):
    said = git(place, "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(deltabase)")
    return [line.split() for line in said.decode().splitlines()]


def test_every_object_of_a_pack_is_what_git_says(packed):
    found = Packs(str(packed / ".git" / "objects"))
    everything = names(packed)
    assert sum(set(base) != {"0"} for _, base in everything) >= 4, "no differences to try"
    for oid, _ in everything:
        kind = git(packed, "cat-file", "-t", oid).decode().strip()
        assert found.read(oid) == git(packed, "cat-file", kind, oid)
    assert found.read("0" * 40) is None
    found.close()


def test_differences_to_an_object_by_its_name_are_applied(packed):
    # A pack as a fetch stores it, made without offsets.
    everything = "\n".join(oid for oid, _ in names(packed)).encode()
    pack = git(packed, "pack-objects", "--stdout", "--no-reuse-delta", "-q", data=everything)
    other = packed / "other"
    git(packed, "init", "-q", "--bare", str(other))
    git(other, "index-pack", "--stdin", data=pack)
    found = Packs(str(other / "objects"))
    assert all(found.read(oid) is not None for oid, _ in names(packed))


def test_what_is_too_large_or_too_deep_is_left_to_git(packed, monkeypatch):
    found = Packs(str(packed / ".git" / "objects"))
    oid = git(packed, "rev-parse", "HEAD:noise5").decode().strip()
    assert len(found.read(oid, 15_000)) == 15_000
    assert found.read(oid, 14_999) is None
    monkeypatch.setattr(packs, "_DEEPEST", 0)
    deltas = [oid for oid, base in names(packed) if set(base) != {"0"}]
    assert all(found.read(oid) is None for oid in deltas)


def test_a_damaged_pack_is_git_s_to_report(packed):
    [path] = (packed / ".git" / "objects" / "pack").glob("*.pack")
    oid = git(packed, "rev-parse", "HEAD:noise5").decode().strip()
    os.chmod(path, 0o600)
    raw = bytearray(path.read_bytes())
    start = bytes(raw).find((packed / "noise5").read_bytes()[:500])
    assert start > 0, "noise is stored as it is"
    raw[start : start + 500] = bytes(500)
    path.write_bytes(raw)
    assert Packs(str(packed / ".git" / "objects")).read(oid) is None
    with pytest.raises(TamperedError):
        Repo.open(str(packed)).objects.read(oid)


def test_another_version_of_the_index_is_left_to_git(packed):
    [pack] = (packed / ".git" / "objects" / "pack").glob("*.pack")
    git(packed, "index-pack", "--index-version=1", "-o", f"{str(pack)[:-5]}.idx", str(pack))
    oid = git(packed, "rev-parse", "HEAD").decode().strip()
    assert Packs(str(packed / ".git" / "objects")).read(oid) is None
    assert Repo.open(str(packed)).objects.read(oid) == git(packed, "cat-file", "commit", oid)


@pytest.mark.parametrize(
    "steps",
    [
        b"\x05\x03\x90\x02",  # another size than it says
        b"\x04\x03\x90\x03",  # of another base
        b"\x05\x03\x90\x7f",  # beyond the end
        b"\x05\x02\x03abc",  # more than it says
    ],
)
def test_a_difference_that_does_not_fit_gives_nothing(steps):
    assert applied(b"start", b"\x05\x03\x90\x03") == b"sta"
    assert applied(b"start", steps) is None

"""The example memories: readable for ever with the key beside them, and no vault."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from gitmem.memory import ids
from gitmem.memory.document import dump, load
from gitmem.memory.memory import KINDS
from gitmem.memory.times import from_unix, to_unix_ms
from gitmem.vault.keys import Identity
from gitmem.vault.vault import Vault

ROOT = Path(__file__).resolve().parent.parent
MEMORIES = ROOT / "memories"
README = (MEMORIES / "README.md").read_text(encoding="utf-8")
KEY = re.search(r"^AGE-SECRET-KEY-1\w+$", README, re.MULTILINE)[0]
FILES = sorted(MEMORIES.rglob("*.age"))
VAULT = Vault(Identity.parse(KEY), "0" * 32)


def opened(path):
    return load(VAULT.open(path.read_bytes()))


@pytest.fixture(scope="module")
def examples():
    return {memory.id: memory for memory in map(opened, FILES)}


def test_there_are_about_thirty_and_nothing_else_but_the_page():
    assert 25 <= len(FILES) <= 40
    others = {path for path in MEMORIES.rglob("*") if path.is_file()} - set(FILES)
    assert others == {MEMORIES / "README.md"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[-13:-7])
def test_each_opens_and_lies_where_its_id_says(path):
    memory = opened(path)
    assert path.relative_to(ROOT).as_posix() == ids.path_of(memory.id)
    assert to_unix_ms(memory.created) == ids.unix_ms(memory.id)
    assert VAULT.open(path.read_bytes()).rstrip(b"\n") + b"\n" == dump(memory)
    assert max(map(len, memory.body.splitlines())) <= 80


def test_stock_age_opens_each(age_program, tmp_path):
    key = tmp_path / "key.txt"
    key.write_text(KEY)
    for path in FILES:
        done = subprocess.run([age_program, "-d", "-i", key, path], capture_output=True)
        assert done.returncode == 0, done.stderr
        assert load(done.stdout) == opened(path)


@pytest.mark.skipif(os.name != "posix", reason="the page speaks sh")
def test_the_commands_on_the_page_open_a_memory(age_program, tmp_path):
    shutil.copytree(MEMORIES, tmp_path / "memories")
    (block,) = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    done = subprocess.run(["sh", "-ec", block], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Jonah missed the 17:52" in done.stdout


def test_they_show_what_a_memory_can_be(examples):
    every = examples.values()
    assert {memory.kind for memory in every} == set(KINDS) - {"file"}  # those come with the memory tool
    assert {memory.trust for memory in every} == {"self", "assistant"}
    assert 3 <= sum(memory.share for memory in every) <= 5
    assert sum(bool(memory.expires) for memory in every) == 1
    assert sum(bool(memory.supersedes) for memory in every) == 2
    assert len({memory.project for memory in every} - {""}) == 4
    for memory in every:
        assert examples.keys() >= {*memory.links, *memory.supersedes, *memory.sources}


# --- they form no vault -----------------------------------------------------------------------------------


def git(folder, *words):
    command = ["git", "-C", folder, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def copy(tmp_path):
    """What a copy of this repository begins with, in one commit."""
    folder = tmp_path / "copy"
    shutil.copytree(MEMORIES, folder / "memories")
    for name in ("README.md", ".gitattributes"):
        shutil.copy(ROOT / name, folder)
    git(tmp_path, "init", "-q", "-b", "main", folder)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "A copy")
    return folder


def test_a_copy_of_this_repository_becomes_a_vault_without_them(copy, run_gitmem):
    readme = (copy / "README.md").read_bytes()
    made = run_gitmem(["init", "--yes"], cwd=copy)
    assert made.code == 0, made.err
    assert git(copy, "ls-files", "memories") == ""
    assert git(copy, "status", "--short") == ""
    assert not list(copy.rglob("*.md.age"))
    assert not (copy / "memories" / "README.md").exists()
    assert (copy / "README.md").read_bytes() == readme
    assert json.loads(run_gitmem(["list", "--all", "--json"], cwd=copy).out)["memories"] == []
    assert run_gitmem(["write", "Mine", "--project", ""], cwd=copy).code == 0
    assert len(git(copy, "ls-files", "memories").splitlines()) == 1
    assert run_gitmem(["verify"], cwd=copy).code == 0


@pytest.mark.parametrize(
    "name", ["memories/2026/09/mine.txt", "memories/2026/09/01M1HMRY0RN9XBKZ93CEJBB8VR.md.age"]
)
def test_a_file_of_somebody_else_among_them_is_not_removed(copy, run_gitmem, name):
    (copy / name).write_text("not one of the examples")
    git(copy, "add", ".")
    git(copy, "commit", "-q", "-m", "More")
    before = git(copy, "rev-parse", "HEAD")
    refused = run_gitmem(["init", "--yes"], cwd=copy)
    assert refused.code == 9
    assert git(copy, "rev-parse", "HEAD") == before
    assert (copy / name).read_text() == "not one of the examples"


def test_they_can_be_imported_and_are_the_same_afterwards(examples, run_gitmem, tmp_path):
    notes = tmp_path / "notes"
    notes.mkdir()
    for memory in examples.values():
        (notes / f"{memory.id}.md").write_bytes(dump(memory))
    assert run_gitmem(["init", "vault", "--yes"]).code == 0
    assert run_gitmem(["import", "notes", "--keep"]).out.startswith(f"{len(examples)} added, 0 updated, 0 ")
    assert run_gitmem(["import", "notes", "--keep"]).out.startswith("0 added, 0 updated")
    assert run_gitmem(["export", "plain"]).code == 0
    assert {memory.id: memory for memory in _loaded(tmp_path / "plain")} == examples
    listed = {row["id"] for row in json.loads(run_gitmem(["list", "--limit", "0", "--json"]).out)["memories"]}
    hidden = {old for memory in examples.values() for old in memory.supersedes}
    hidden |= {memory.id for memory in examples.values() if memory.expires and memory.expires <= now()}
    assert listed == examples.keys() - hidden


def _loaded(folder):
    return [load(path.read_bytes()) for path in folder.rglob("*.md")]


def now():
    return from_unix(time.time())

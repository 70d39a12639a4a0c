"""What docs/format.md tells a reader to do works as it stands."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gitmem.vault.vault import padme

ROOT = Path(__file__).resolve().parents[2]
FROZEN = ROOT / "tests" / "vectors" / "v1"
KEY = FROZEN / "THROW-AWAY-IDENTITY.txt"
TEXT = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def verified(commit, vault_id, tmp_path):
    (script,) = [block for block in blocks("python") if "sys.argv" in block]
    path = tmp_path / "verify.py"
    path.write_text(script, encoding="utf-8")
    done = subprocess.run([sys.executable, path, KEY, vault_id], input=commit, capture_output=True)
    return done.stdout.decode().strip()


@pytest.fixture
def vault_id():
    return json.loads((FROZEN / "facts.json").read_text())["vault_id"]


@pytest.mark.parametrize("name", ["init", "purge", "write"])
def test_the_script_verifies_a_seal_by_hand(name, vault_id, tmp_path):
    commit = (FROZEN / "commits" / name).read_bytes()
    assert verified(commit, vault_id, tmp_path) == "sealed"
    assert verified(commit.replace(b"gitmem <", b"mallory <"), vault_id, tmp_path) == "not sealed"
    assert verified(commit + b"\n", vault_id, tmp_path) == "not sealed"
    assert verified(commit, vault_id[::-1], tmp_path) == "not sealed"


def test_the_script_says_that_a_plain_commit_is_not_sealed(vault_id, tmp_path):
    assert verified((FROZEN / "commits" / "plain").read_bytes(), vault_id, tmp_path) == "not sealed"


def test_the_padding_of_the_page_is_the_padding_of_the_code():
    (source,) = [block for block in blocks("python") if "def padme" in block]
    names = {}
    exec(compile(source, "docs/format.md", "exec"), names)
    assert [names["padme"](size) for size in range(70_000)] == [padme(size) for size in range(70_000)]


def test_the_shell_lines_open_every_memory(age_program, tmp_path):
    (line, loop) = blocks("sh")
    shutil.copytree(FROZEN / "memories", tmp_path / "memories")
    (tmp_path / "key.txt").write_bytes(KEY.read_bytes())
    done = subprocess.run(["sh", "-ec", line], cwd=tmp_path, capture_output=True, text=True)
    (document,) = [block for block in blocks("text") if "title: Tea" in block]
    assert done.stdout.rstrip("\n") == document.rstrip("\n")
    subprocess.run(["sh", "-ec", loop], cwd=tmp_path, check=True)
    opened = {path.name: path.read_text().rstrip("\n") for path in (tmp_path / "plain").iterdir()}
    assert opened == {path.name: path.read_text().rstrip("\n") for path in (FROZEN / "plain").iterdir()}
    assert len(opened) == 5


def test_the_paper_line_of_the_page_is_the_frozen_one():
    assert (FROZEN / "THROW-AWAY-paper.txt").read_text().splitlines()[0] in TEXT

"""Nothing secret or personal is in a tracked file: keys, tokens, names of somebody's folders."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Keys that are published on purpose, and what they open.
PUBLISHED = {
    "memories/README.md": "opens the example memories",
}
PUBLISHED_FOLDERS = {
    "tests/vectors/": "keys of frozen test files",
}

# Written so that none of them matches its own line here.
PATTERNS = {
    "an age identity": r"AGE-SECRET-KEY-(?:PQ-)?1[02-9AC-HJ-NP-Z]{58,}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{16}",
    "an AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50})",
    "an Anthropic key": r"\bsk-ant-[a-z]{3,8}[0-9]{2}-[A-Za-z0-9_-]{20}",
    "a Slack token": r"\bxox[abprs]-[0-9A-Za-z-]{20}",
    "a join code": r"\bgitmem1\.[A-Za-z0-9_-]{150,}",
    "somebody's home folder": r"/(?:home|Users)/(?!(?:you|me|user|ada|runner)\b)[a-z][a-z0-9_.-]*/",
    "root's home folder": r"(?<![\w.*}$)])/root/[\w.]",
    "a folder of the machine it was written on": r"(?<![\w.*}$)/])/(?:work/(?:main|shared|\.)|tmp/w\b)",
}


def findings(name: str, content: bytes) -> list[str]:
    text = content.decode("utf-8", "replace")
    return [f"{name}: {what}" for what, pattern in PATTERNS.items() if re.search(pattern, text)]


def tracked() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there are no tracked files to scan")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def test_no_tracked_file_holds_a_secret_or_a_personal_path():
    found: list[str] = []
    for name in tracked():
        if name not in PUBLISHED and not name.startswith(tuple(PUBLISHED_FOLDERS)):
            found.extend(findings(name, (ROOT / name).read_bytes()))
    assert found == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("an age identity", "AGE-SECRET-KEY-" + "1" + "Q" * 58),
        ("a private key", "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAA"),
        ("an AWS key", "AKIA" + "Z" * 16),
        ("a GitHub token", "ghp_" + "a" * 36),
        ("a GitHub token", "github_pat_" + "a" * 59),
        ("an Anthropic key", "sk-ant-" + "api03-" + "a" * 40),
        ("a join code", "gitmem1" + "." + "a" * 200),
        ("somebody's home folder", "/home/" + "grace/notes"),
        ("somebody's home folder", "/Users/" + "grace/notes"),
        ("root's home folder", "see /root" + "/.config"),
        ("a folder of the machine it was written on", "cd /work" + "/main"),
    ],
)
def test_a_planted_secret_or_path_is_found(what, text):
    assert findings("file", f"before\n{text}\nafter".encode()) == [f"file: {what}"]


def test_words_about_secrets_are_not_secrets():
    text = (
        "AGE-SECRET-KEY-1… goes in /home/you/.config; gitmem1.… is a join code; $HOME/root/x; docs/work/page"
    )
    assert findings("file", text.encode()) == []

"""What the GitHub stand-in holds, as plain objects that a test reads and changes."""

from __future__ import annotations

import base64
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nacl.public import PrivateKey, SealedBox

WORKFLOWS = ".github/workflows/"


def now() -> str:
    """This moment as GitHub writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


@dataclass(slots=True)
class User:
    """An account; on the Free plan a private repository has no Pages."""

    login: str
    id: int
    plan: str = "free"
    kind: str = "User"


@dataclass(slots=True)
class Token:
    """A token: "classic" and "oauth" ones have scopes, "fine" and "actions" ones permissions.

    ``permissions`` maps a name to "read" or "write"; an Actions token is good for one repository.
    """

    text: str
    login: str
    kind: str = "oauth"
    scopes: set[str] = field(default_factory=set)
    permissions: dict[str, str] = field(default_factory=dict)
    repository: str = ""
    good: bool = True


@dataclass(slots=True)
class Issue:
    """An issue with all its earlier titles and bodies, which GitHub keeps."""

    number: int
    id: int
    node_id: str
    title: str
    body: str
    author: str
    association: str
    state: str = "open"
    state_reason: str | None = None
    locked: bool = False
    created_at: str = field(default_factory=now)
    labels: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    edits: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Gist:
    """A gist: its files, and every earlier state of them, which stays readable."""

    id: str
    owner: str
    public: bool
    description: str
    files: dict[str, str]
    earlier: list[dict[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Run:
    """One run of a workflow."""

    id: int
    path: str
    event: str
    status: str = "completed"
    conclusion: str | None = "success"
    created_at: str = field(default_factory=now)
    inputs: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Repository:
    """A repository: what its settings pages show, and the real bare repository behind it.

    ``secrets`` are decrypted; ``settings`` holds the merge buttons and the like; ``states`` holds what is not
    "active" of the workflows, by path; ``dispatches`` are the inputs of every dispatch.
    """

    owner: str
    name: str
    id: int
    place: Path
    private: bool = True
    settings: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    actions: dict[str, Any] = field(default_factory=lambda: {"enabled": True, "allowed_actions": "all"})
    selected: dict[str, Any] = field(default_factory=dict)
    workflow_access: dict[str, Any] = field(
        default_factory=lambda: {
            "default_workflow_permissions": "read",
            "can_approve_pull_request_reviews": False,
        }
    )
    retention_days: int = 90
    pages: dict[str, Any] | None = None
    collaborators: list[str] = field(default_factory=list)
    issues: dict[int, Issue] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)
    states: dict[str, str] = field(default_factory=dict)
    installed: str = field(default_factory=now)
    runs: list[Run] = field(default_factory=list)
    dispatches: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    box: PrivateKey = field(default_factory=PrivateKey.generate)

    @property
    def full_name(self) -> str:
        """Owner and name, as in its address."""
        return f"{self.owner}/{self.name}"

    @property
    def branch(self) -> str:
        """The default branch."""
        return str(self.settings.get("default_branch", "main"))

    @property
    def key(self) -> str:
        """The public key that secrets are sealed for."""
        return base64.b64encode(bytes(self.box.public_key)).decode()

    def unseal(self, value: str) -> str:
        """The text of a secret as it was sent."""
        return SealedBox(self.box).decrypt(base64.b64decode(value)).decode()

    def git(self, *args: str, code: int | None = 0) -> str:
        """Run git in the bare repository; it must end with ``code``, unless that is None."""
        argv = ["git", "-C", self.place, *args]
        done = subprocess.run(argv, capture_output=True, encoding="utf-8", errors="replace", check=False)
        assert code is None or done.returncode == code, (args, done.stderr)
        return done.stdout

    def refs(self) -> dict[str, str]:
        """Every ref and its commit."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return {name: oid for name, _, oid in (line.partition(" ") for line in lines)}

    def tip(self, branch: str = "") -> str:
        """The commit of a branch (the default one), "" when it has none."""
        return self.refs().get(f"refs/heads/{branch or self.branch}", "")

    def file(self, path: str, branch: str = "") -> str | None:
        """The text of a file on a branch (the default one)."""
        there = self.tip(branch) and self.git("ls-tree", self.tip(branch), "--", path)
        return self.git("show", f"{self.tip(branch)}:{path}") if there else None

    def workflows(self) -> list[str]:
        """The workflow files of the default branch, by path, in order of their names."""
        listed = self.git("ls-tree", "-r", "--name-only", self.tip(), "--", WORKFLOWS) if self.tip() else ""
        return [path for path in listed.splitlines() if path.endswith((".yml", ".yaml"))]

    def make(self) -> None:
        """Make the bare repository on the disk."""
        self.place.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "init", "-q", "--bare", "-b", self.branch, self.place], check=True)
        for name in ("http.receivepack", "uploadpack.allowAnySHA1InWant", "uploadpack.allowFilter"):
            self.git("config", name, "true")
        # GitHub looks at what a push changes below .github/workflows; so does this hook when it is told to.
        hook = self.place / "hooks" / "pre-receive"
        hook.write_text(_HOOK)
        hook.chmod(0o755)


_HOOK = """#!/bin/sh
[ -n "$STANDIN_NO_WORKFLOWS" ] || exit 0
empty=$(git hash-object -t tree /dev/null)
while read -r old new ref; do
  case $new in 0000000*) continue;; esac
  case $old in 0000000*) old=$empty;; esac
  git diff --quiet "$old" "$new" -- .github/workflows || exit 1
done
"""

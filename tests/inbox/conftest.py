"""A vault whose repository lies on the GitHub stand-in: the machine of its owner, and the runner."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from github_server import GitHubServer
from github_state import Issue, Repository
from gitmem.vault.inbox import Inbox
from gitmem.vault.keys import Identity
from machine import Done, Machine

_RECORD = """
import json, sys
from gitmem import app
from gitmem.flows import records
store = app.open_store(sys.argv[1])
if len(sys.argv) > 3:
    records.keep(store, sys.argv[2], json.loads(sys.argv[3]), "set up")
print(json.dumps(records.read(store, sys.argv[2])))
"""


@dataclass(slots=True)
class Rig:
    """Two machines and the repository between them."""

    hub: GitHubServer
    repo: Repository
    owner: Machine
    runner: Machine

    def issue(self, title: str, body: str = "", author: str = "ada") -> Issue:
        """A new issue."""
        return self.hub.issue(self.repo, title, body, author)

    def ingest(self, *args: str, **options: object) -> Done:
        """Run the sweep as Actions does."""
        return self.runner.run("inbox", "ingest", *args, **options)

    def counts(self, *args: str) -> tuple[int, int, int]:
        """What a sweep says it did: taken, closed, left."""
        said = self.runner.run("--json", "inbox", "ingest", *args).json
        return said["taken"], said["closed"], said["left"]

    def record(self, name: str, value: object = None) -> dict:
        """A sealed record as the owner's machine has it, after setting it where a value is given."""
        more = [] if value is None else [json.dumps(value)]
        return json.loads(self.owner.python(_RECORD, str(self.owner.vault), name, *more))

    def memories(self) -> list[dict]:
        """What has come in, as the owner's machine sees it after a sync, oldest first."""
        self.owner.run("sync")
        return self.owner.run("--json", "inbox").json["memories"]

    def forget_token(self) -> None:
        """Take GitHub's token from the owner, whose own git still gets in, as over ssh."""
        basic = base64.b64encode(f"x:{self.owner.env.pop('GH_TOKEN')}".encode()).decode()
        header = f'[http "{self.hub.url}"]\n\textraHeader = Authorization: basic {basic}\n'
        (self.owner.home / "gitconfig").write_text(header)

    def box(self) -> Inbox:
        """The vault's inbox."""
        toml = (self.owner.vault / ".gitmem" / "vault.toml").read_text()
        vault_id = toml.partition('id = "')[2].partition('"')[0]
        return Inbox(Identity.parse(self.owner.run("key", "show").out), vault_id)


@pytest.fixture
def rig(github: GitHubServer, tmp_path: Path) -> Rig:
    """The owner has made a vault in ada/memory and pushed it; a runner has joined it with a job's token."""
    repo = github.repository("ada/memory")
    owner = github.use(Machine.new(tmp_path / "owner").init())
    owner.run("config", "set", "sync.auto", "false")
    owner.git("remote", "add", "origin", f"{github.url}/ada/memory.git")
    runner = Machine.new(tmp_path / "runner")
    made = Rig(github, repo, owner, runner)
    made.record("github", {"repository": "ada/memory", "owner_id": github.owner.id, "url": github.url})
    owner.run("sync")
    token = github.actions_token(repo, contents="write", issues="write").text
    github.use(runner, token).join(owner)
    runner.env |= {"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": github.url}
    return made

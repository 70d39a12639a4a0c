"""A vault on the stand-in GitHub, with its program and workflow files installed, and Actions to run them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from workflow_runner import Host

from github_server import GitHubServer
from github_state import Repository
from machine import Machine

# What `gitmem init --github` does, by the calls that it makes, in one process.
_SET_UP = """
import sys
from gitmem import app, config
from gitmem.flows import records, settle, workflows
from gitmem.flows.github.actions import code_for
from gitmem.flows.remember import remember
from gitmem.vault.keys import Identity
place, remote, url, name, owner = sys.argv[1:]
config.put("sync.auto", "false")
config.put("github.url", url)
settle.create(place, "", Identity.generate())
store = app.open_store(place)
store.repo.git.run("remote", "add", "origin", "--", remote)
records.keep(store, "github", {"repository": name, "owner_id": int(owner), "url": url}, "connect with GitHub")
remember(store, "The harbour office closes at four")
workflows.renew(store)
print(code_for(store, url, name))
"""
_INSTALL = """
import sys
from gitmem import app
from gitmem.flows import workflows
done = workflows.renew(app.open_store(sys.argv[1]))
print(done.tool, done.commit)
"""
_SYNC = """
import sys
from gitmem import app
from gitmem.flows import sync
sync.sync(app.open_store(sys.argv[1]))
"""


@dataclass(slots=True)
class Vault:
    """A vault on GitHub: the owner's machine, the repository, and its Actions."""

    machine: Machine
    hub: GitHubServer
    repo: Repository
    actions: Host

    def install(self) -> tuple[str, str]:
        """Install the program and the workflow files; the tool's commit, and the vault's ("" for none)."""
        tool, _, commit = self.machine.python(_INSTALL, str(self.machine.vault)).strip("\n").partition(" ")
        return tool, commit

    def sync(self) -> None:
        """Sync on the owner's machine."""
        self.machine.python(_SYNC, str(self.machine.vault))

    def write(self, text: str, *options: str) -> str:
        """Write a memory on the owner's machine and push it; its id."""
        memory = self.machine.run("--json", "write", "-", *options, stdin=text.encode()).json["memory"]["id"]
        self.sync()
        return str(memory)

    def stranger(self, folder: Path) -> Machine:
        """A clone by somebody who may push contents and no workflows, and has no key."""
        token = self.hub.token_of("ada", kind="fine", permissions={"contents": "write"}, scopes=set())
        machine = Machine.new(folder)
        let_in(machine, self.hub, token.text)
        url = f"{self.hub.url}/{self.repo.full_name}.git"
        machine.vault.mkdir()
        machine.git("clone", "-q", url, ".")
        return machine


def let_in(machine: Machine, hub: GitHubServer, token: str) -> None:
    """Give a machine's git a token for the stand-in."""
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    text = f'[http "{hub.url}/"]\n\textraHeader = Authorization: Basic {basic}\n'
    (machine.home / "gitconfig").write_text(text)


@pytest.fixture
def vault_of(github: GitHubServer, tmp_path: Path) -> Callable[..., Vault]:
    """Makes a vault of one repository: a memory in it, its program installed, the secret of Actions set."""

    def make(repo: Repository, actions: Host, *, upstream: bool = False) -> Vault:
        machine = Machine.new(tmp_path / "desk")
        machine.env["GH_TOKEN"] = github.token
        url = f"{github.url}/{repo.full_name}.git"
        if upstream:  # a copy of gitmem's own repository, which gitmem is then run from
            machine.git("init", "-q", "-b", "main")
            machine.git("add", "-A")
            machine.git("commit", "-q", "-m", "upstream")
            machine.env["PYTHONPATH"] = str(machine.vault)
        place = (str(machine.vault), url, github.url, repo.full_name, str(github.owner.id))
        repo.secrets["GITMEM_JOIN"] = machine.python(_SET_UP, *place).strip()
        return Vault(machine, github, repo, actions)

    return make


@pytest.fixture
def vault(vault_of: Callable[..., Vault], github: GitHubServer, tmp_path: Path) -> Vault:
    """A private vault on GitHub, ready for Actions."""
    repo = github.repository("ada/memory")
    return vault_of(repo, Host(github, repo, tmp_path / "actions"))

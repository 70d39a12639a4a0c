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

# What `gitmem init --github` and `gitmem doctor --fix` do, by the calls that they make.
_RECORD = """
import sys
from gitmem import app
from gitmem.flows import records
store = app.open_store(sys.argv[1])
where = {"repository": sys.argv[2], "owner_id": int(sys.argv[3]), "url": sys.argv[4]}
records.keep(store, "github", where, "connect")
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
        desk = tmp_path / "desk"
        machine = github.use(Machine.new(desk))
        let_in(machine, github, github.token)
        machine.run("config", "set", "sync.auto", "false")
        url = f"{github.url}/{repo.full_name}.git"
        if upstream:  # a copy of gitmem's own repository, which gitmem is then run from
            machine.git("init", "-q", "-b", "main")
            machine.git("add", "-A")
            machine.git("commit", "-q", "-m", "upstream")
            machine.git("push", "-q", url, "main")
            machine.env["PYTHONPATH"] = str(machine.vault)
        machine.init("--remote", url)
        place = str(machine.vault)
        machine.python(_RECORD, place, repo.full_name, str(github.owner.id), github.url)
        made = Vault(machine, github, repo, actions)
        made.write("The harbour office closes at four")
        made.install()
        repo.secrets["GITMEM_JOIN"] = machine.run("invite").out.split()[-1]
        return made

    return make


@pytest.fixture
def vault(vault_of: Callable[..., Vault], github: GitHubServer, tmp_path: Path) -> Vault:
    """A private vault on GitHub, ready for Actions."""
    repo = github.repository("ada/memory")
    return vault_of(repo, Host(github, repo, tmp_path / "actions"))

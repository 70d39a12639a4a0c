"""A vault brought to this machine: cloned, verified, equipped; nothing stays of one that is refused."""

from __future__ import annotations

import base64
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from gitmem.branch import Branch
from gitmem.errors import ConfigError, GitmemError
from gitmem.flows.create import own_command
from gitmem.repo import equip
from gitmem.repo.git import call, environment
from gitmem.repo.remote import LOCKED_OUT, Access, explained
from gitmem.repo.repo import Repo
from gitmem.repo.trees import differences
from gitmem.store import Tell
from gitmem.vault.joincode import JoinCode
from gitmem.vault.keys import Identity

SPARSE_FROM = 20_000  # memories; above, git's own index makes every write slow in a full checkout


@dataclass(frozen=True, slots=True)
class Joined:
    """The vault on this machine and its verified tip."""

    path: str
    vault_id: str
    tip: str


def access(token: str, remote: str) -> Mapping[str, str]:
    """The environment that gives git an access token for one remote; it stands in no argument, file or URL.

    Empty without a token, and for a remote that is not reached by http.
    """
    if not token or not remote.startswith(("https://", "http://")):
        return {}
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    host = "/".join(remote.split("/", 3)[:3])
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{host}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
    }


def join(
    code: JoinCode,
    directory: str,
    state_dir: str,
    *,
    sparse: bool = False,
    progress: Tell | None = None,
    way: Access | None = None,
) -> Joined:
    """Clone the vault of a join code into a new or empty folder and verify it.

    Args:
        state_dir: where this machine remembers what it has accepted.
        sparse: keep ``memories/`` out of the checkout, as is done for large vaults anyway.
        progress: called with a word on what is being done.
        way: how git is let in; by the token in the code alone when it is left out.

    Raises:
        ConfigError: the folder is not empty, or the remote holds another vault.
        RemoteError: the remote cannot be reached.
        TamperedError: the history is refused, or lacks the commit in the code; nothing of it stays.
        GitmemError: the folder cannot be written.
    """
    tell = progress or (lambda _: None)
    way = way or (lambda _: access(code.token, code.remote))
    _require_empty(directory)
    part = f"{directory.rstrip(os.sep)}.{os.getpid()}.part"
    try:
        tell("cloning")
        _clone(code, part, way)
        tell("verifying")
        tip = _accept(code, part, state_dir, sparse, way)
        if os.path.isdir(directory):
            os.rmdir(directory)
        os.rename(part, directory)
    except OSError as error:
        raise GitmemError(f"The folder cannot be written: {error.strerror}.", "Nothing was kept.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Joined(directory, code.vault_id, tip)


def _require_empty(directory: str) -> None:
    if os.path.isdir(directory) and os.listdir(directory):
        raise ConfigError(
            "That folder is not empty.", "Nothing was changed; name a new one: `gitmem join DIR`."
        )


def _clone(code: JoinCode, place: str, way: Access) -> None:
    parent = os.path.dirname(os.path.abspath(place))
    os.makedirs(parent, exist_ok=True)
    # --no-local: for a path git would hard-link objects unchecked, and a forged blob be read under a true id.
    options = [
        "--no-local",
        "--no-checkout",
        "--no-tags",
        "--template=",
        "--single-branch",
        "--branch",
        code.branch.removeprefix("refs/heads/"),
    ]
    argv = ["git", "-c", "core.hooksPath=/dev/null", "clone", "-q", *options, "--", code.remote, place]
    status, _, err = call(argv, b"", environment(way(False)))
    if status and re.search(LOCKED_OUT, err):
        status, _, _ = call(argv, b"", environment(way(True)))
    if status:
        raise explained("clone", err)


def _accept(code: JoinCode, place: str, state_dir: str, sparse: bool, way: Access) -> str:
    repo = Repo.open(place)
    try:
        repo.remote.access = way
        branch = Branch(repo, lambda _: Identity.parse(code.identity_text), state_dir)
        if branch.vault.id != code.vault_id:
            raise ConfigError(
                "The remote holds another vault than the join code says.",
                "Nothing was kept; ask for a new code, from `gitmem invite`.",
            )
        tip = repo.tip(branch.name)
        known = branch.remembered
        for floor in {code.floor, known} - {""} or {""}:
            branch.judge(tip, floor)
        branch.confirm(tip)
        with repo.lock:
            branch.note(local=tip, remote=tip)
        equip.equip(repo.git, repo.common_dir, branch.name, own_command(), branch.vault.id)
        _check_out(repo, tip, sparse)
        return tip
    finally:
        repo.close()


def _check_out(repo: Repo, tip: str, sparse: bool) -> None:
    count = sum(1 for _ in differences(repo.objects, "", repo.tree(tip), top=b"memories"))
    if sparse or count > SPARSE_FROM:
        repo.git.run("sparse-checkout", "set", "--cone", "--sparse-index", ".gitmem")
    repo.git.run("read-tree", "-m", "-u", tip)

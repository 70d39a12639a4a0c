"""A new vault: a repository, its description, and the anchor on which every later verdict rests."""

from __future__ import annotations

import os
import re
import shlex
import sys
import time
from dataclasses import dataclass, field

from gitmem.errors import ConfigError, GitmemError, RemoteError
from gitmem.repo import equip
from gitmem.repo.git import call, environment, printable
from gitmem.repo.objects import MAX_BLOB
from gitmem.repo.places import read_text
from gitmem.repo.repo import Draft, Repo
from gitmem.repo.state import State, StateFile
from gitmem.repo.trees import BLOB_MODE, Changes, Difference, differences, lookup
from gitmem.site.render import templates_dir
from gitmem.vault.description import VAULT_FILE, describe
from gitmem.vault.keys import Identity
from gitmem.vault.vault import Vault

_README = "memories/README.md"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make and where. ``vault_id`` is fresh and random; ``identity`` is kept somewhere already."""

    directory: str
    vault_id: str
    state_dir: str
    identity: Identity = field(repr=False)
    remote: str = ""
    branch: str = "main"
    bare: bool = False
    author: tuple[str, str] = ("gitmem", "gitmem@localhost")


@dataclass(frozen=True, slots=True)
class Made:
    """The new vault; it is pushed by the first sync."""

    path: str
    vault_id: str
    commit: str


def own_command() -> str:
    """The shell words by which git runs this gitmem (``-P``: nothing in the working folder is imported)."""
    return f"{shlex.quote(sys.executable.replace(os.sep, '/'))} -P -m gitmem"


def create(plan: Plan) -> Made:
    """Make the vault: in a new folder, in an existing repository, or on top of what a remote already has.

    Raises:
        ConfigError: there is a vault already, or something in ``memories/`` that is not gitmem's example.
        RemoteError: the remote cannot be reached.
        GitmemError: the folder cannot be written.
    """
    added = _prepare(plan)
    repo = Repo.open(plan.directory, plan.author)
    try:
        branch, tip = _base_or_undo(repo, plan, added)
        vault = Vault(plan.identity, plan.vault_id)
        os.makedirs(repo.folder, mode=0o700, exist_ok=True)
        with repo.lock:
            equip.equip(repo.git, repo.common_dir, branch, own_command(), plan.vault_id)
            commit = _found(repo, vault, branch, tip)
            state = State(vault=vault.id, branch=branch, fingerprint=vault.fingerprint)
            StateFile(repo.folder, plan.state_dir).write(state, local=commit)
        return Made(plan.directory, plan.vault_id, commit)
    finally:
        repo.close()


def _prepare(plan: Plan) -> bool:
    """Make the folder a repository with the remote asked for, and say whether that remote was added."""
    try:
        os.makedirs(plan.directory, exist_ok=True)
    except OSError as error:
        raise GitmemError(f"The folder cannot be made: {error.strerror}.", "Nothing was changed.") from error
    if not any(os.path.exists(os.path.join(plan.directory, name)) for name in (".git", "HEAD")):
        options = ["--bare"] if plan.bare else []
        argv = ["git", "init", "-q", "--template=", "-b", plan.branch, *options, "--", plan.directory]
        status, _, err = call(argv, b"", environment())
        if status:
            raise GitmemError(f"Git could not make a repository: {printable(err)}.", "Nothing was changed.")
    repo = Repo.open(plan.directory, plan.author)
    if plan.remote and not repo.remote.url:
        repo.git.run("remote", "add", "origin", "--", plan.remote)
        return True
    if plan.remote and repo.remote.url != plan.remote:
        raise ConfigError(
            "That repository already has another remote.",
            "Leave out --remote, or change it with `git remote set-url origin URL`.",
        )
    return False


def _base_or_undo(repo: Repo, plan: Plan, added: bool) -> tuple[str, str]:
    """``_base``; where that fails, a remote that was added is taken out, so that another can be tried."""
    try:
        return _base(repo, plan)
    except GitmemError as error:
        if added:
            repo.git.run("remote", "remove", "origin")
        if isinstance(error, RemoteError):
            hint = "No vault was made. Check the address, or leave out --remote for now."
            raise RemoteError(error.message, hint) from error
        raise


def _base(repo: Repo, plan: Plan) -> tuple[str, str]:
    """The branch to use and the commit to build on: the remote's where there is one, so that a push fits."""
    branch = read_text(os.path.join(repo.git_dir, "HEAD")).strip().removeprefix("ref: ")
    if not branch.startswith("refs/heads/"):
        raise ConfigError(
            "That repository has no branch checked out.",
            "Nothing was changed; check one out, then run `gitmem init` again.",
        )
    tip = repo.tip(branch)
    theirs = repo.remote.fetch(branch) if plan.remote else ""
    for commit in filter(None, (tip, theirs)):
        if lookup(repo.objects, repo.tree(commit), VAULT_FILE):
            raise ConfigError(
                "There is a vault in that repository already.",
                "`gitmem join` brings it here with a code from `gitmem invite`.",
            )
    if theirs and not tip:
        os.makedirs(repo.folder, mode=0o700, exist_ok=True)
        with repo.lock:
            repo.advance(branch, "", theirs)
    return branch, tip or theirs


def _found(repo: Repo, vault: Vault, branch: str, tip: str) -> str:
    """Commit the vault's description as an anchor on ``tip`` ("" for none) and move the branch to it."""
    tree = repo.tree(tip)
    changes: Changes = dict.fromkeys(_examples(repo, tree))
    attributes = equip.with_attributes(repo.file(tip, ".gitattributes") or b"")
    files = {VAULT_FILE: describe(vault), ".gitattributes": attributes}
    if not tip:
        files["README.md"] = _welcome()
    for path, content in files.items():
        changes[path] = (BLOB_MODE, repo.objects.write("blob", content))
    parents = (tip,) if tip else ()
    draft = Draft(parents, tree, changes, "init", ("Gitmem-Anchor: init",))
    commit = repo.write(draft, int(time.time()), vault.sign)
    repo.advance(branch, tip, commit)
    return commit


def _welcome() -> bytes:
    """What a vault's front page says to whoever looks into the repository."""
    with open(os.path.join(templates_dir(), "vault", "README.md"), "rb") as file:
        return file.read()


def _examples(repo: Repo, tree: str) -> list[str]:
    """The paths below ``memories/``, which must be gitmem's own examples: a key published beside opens all.

    Raises:
        ConfigError: something else lies there.
    """
    found = list(differences(repo.objects, "", tree, top=b"memories"))
    readme = lookup(repo.objects, tree, _README) if found else None
    text = repo.objects.read(readme.oid, MAX_BLOB).decode("utf-8", "replace") if readme else ""
    published = re.search(r"AGE-SECRET-KEY-1[0-9A-Z]{58}", text)
    if found and not (published and all(_opens(repo, change, published[0]) for change in found)):
        raise ConfigError(
            "There is a folder 'memories' in that repository that is not gitmem's.",
            "Nothing was changed; use another folder, or move it away first.",
        )
    return [change.path for change in found]


def _opens(repo: Repo, change: Difference, key: str) -> bool:
    if change.path == _README:
        return True
    try:
        Vault(Identity.parse(key), "0" * 32).open(
            repo.objects.read(change.new.oid if change.new else "", MAX_BLOB)
        )
    except GitmemError:
        return False
    return True

"""`gitmem init --github`: the steps from nothing to a vault on GitHub, each safe to repeat.

Nothing remembers how far a run came: every step looks at what is there, so that a run which was cut off
anywhere is finished by running it again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitmem import config
from gitmem.errors import ConfigError, GitmemError, NotSetUpError, Refused, RemoteError
from gitmem.flows import publish_pages, records, settle, sync, workflows
from gitmem.flows.github import actions, repository
from gitmem.repo.repo import Repo
from gitmem.store import Store
from gitmem.vault.keys import Identity

if TYPE_CHECKING:  # PyGithub takes its time, and is not needed to talk about it
    from gitmem.github.client import GitHub

RECORD = "github"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be set up: where, with Actions or without, and the key for Claude that jobs get ("": none).

    ``identity`` is used if there is no vault in ``directory`` yet.
    """

    name: str
    directory: str
    identity: Identity = field(repr=False)
    actions: bool = True
    api_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it does, which right of the token it needs for that, and the doing.

    ``act`` returns what came of it in a few words.
    """

    title: str
    right: str
    act: Callable[[], str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Local:
    """The vault in the folder, before anything is done: its id and remote, "" for none."""

    vault_id: str
    remote: str


class SetUp:
    """One run.

    Args:
        hub: GitHub with the owner's token.
        wish: what to set up.
        open_store: opens the vault at a path.

    Raises:
        ConfigError: the folder is another repository's, or another vault's.
        RemoteError: the token is not good, or lacks a scope.
    """

    def __init__(self, hub: GitHub, wish: Wish, open_store: Callable[[str], Store]) -> None:
        self.hub = hub
        self.wish = wish
        self._open_store = open_store
        self._opened: Store | None = None
        user = hub.call("GET", "/user")
        self.login, self._owner_id = str(user["login"]), int(user["id"])
        self._check_scopes()
        self.path = os.path.realpath(os.path.expanduser(wish.directory))
        self.local = _local(self.path)
        self.remote = self.local.remote or repository.address(hub.url, wish.name)
        if not repository.is_at(self.remote, hub.url, wish.name):
            raise ConfigError(
                "The repository in that folder has another remote.",
                f"Nothing was changed. Use another folder: `gitmem init --github {wish.name} DIR`.",
            )

    def _check_scopes(self) -> None:
        wanted = {"repo", "workflow"} if self.wish.actions else {"repo"}
        lacking = sorted(wanted - self.hub.scopes) if self.hub.scopes is not None else []
        if lacking:
            raise RemoteError(
                f"The token for GitHub lacks the scope {' and '.join(lacking)}.",
                f"Nothing was changed; `gh auth refresh -s {','.join(lacking)}` widens what `gh` has.",
            )

    @property
    def store(self) -> Store:
        """The vault, once it is there."""
        if self._opened is None:
            self._opened = self._open_store(self.path)
        return self._opened

    def found(self) -> repository.Seen | None:
        """The repository as it is now, None where it is still to be made.

        Raises:
            ConfigError: the vault may not go there.
        """
        return repository.examine(
            self.hub, self.wish.name, self.local.vault_id, cloned=bool(self.local.remote)
        )

    def others(self) -> list[str]:
        """Who else may push to the repository, and so read what Actions hold; accounts by name."""
        return repository.others(self.hub, self.wish.name, self.login)

    def steps(self) -> Iterator[Step]:
        """All steps, in their order."""
        name = self.wish.name
        yield Step(
            f"Make or adopt the private repository {name}",
            "the scope repo, or the permission Administration",
            self._repository,
        )
        yield Step("Make or find the vault in the folder", "", self._vault)
        yield Step("Push the sealed vault", "the scope repo, or the permission Contents", self._push)
        yield Step(
            "Switch off squash and rebase merges, switch on issues",
            "the scope repo, or the permission Administration",
            self._buttons,
        )
        if self.wish.actions:
            yield Step(
                "Let only pinned actions of GitHub's run",
                "the scope repo, or the permission Administration",
                self._rules,
            )
            yield Step(
                "Store the key for jobs as a secret",
                "the scope repo, or the permission Secrets",
                self._secrets,
            )
            yield Step(
                "Install the workflows",
                "the scope workflow, or the permissions Workflows and Contents",
                self._workflows,
            )
            yield Step(
                "Prepare GitHub Pages for a digest", "the scope repo, or the permission Pages", self._pages
            )

    # The steps.

    def _repository(self) -> str:
        if self.found() is not None:
            return "there already, private"
        made = repository.make(self.hub, self.wish.name, self.login)
        repository.require_private(made, self.wish.name)
        self.found()  # of that name by a lost answer, or by somebody else at this moment
        return "made"

    def _vault(self) -> str:
        found, before = _local(self.path), "found"
        if not found.vault_id:
            settle.create(self.path, "", self.wish.identity)
            before = "made"
        store = self.store
        config.remember(store.vault.id, self.path)
        if not store.remote:
            store.repo.git.run("remote", "add", "origin", "--", self.remote)
        self._record(store)
        return f"{before} at {self.path}"

    def _record(self, store: Store) -> None:
        where = {"repository": self.wish.name, "url": self.hub.url}
        known = records.read(store, RECORD)
        # whose issues the inbox takes stays as it was: another administrator's run must not change it
        if not where.items() <= known.items():
            records.keep(store, RECORD, {**where, "owner_id": self._owner_id}, "connect with GitHub")

    def _push(self) -> str:
        self._private()
        report = sync.sync(self.store)
        return f"at {report.tip[:10]}"

    def _buttons(self) -> str:
        found = self._private()
        branch = self.store.branch.removeprefix("refs/heads/")
        changes: dict[str, object] = dict(repository.unlike(found))
        if found["default_branch"] != branch:  # workflows run on the default branch alone
            changes["default_branch"] = branch
        if changes:
            self.hub.call("PATCH", f"/repos/{self.wish.name}", changes)
        return "done" if changes else "so already"

    def _rules(self) -> str:
        actions.restrict(self.hub, self.wish.name)
        return "done"

    def _secrets(self) -> str:
        actions.give_key(self.hub, self.store, self.wish.name)
        if self.wish.api_key:
            self.hub.secret(self.wish.name, actions.API_KEY, self.wish.api_key)
            return f"{actions.JOIN} and {actions.API_KEY}"
        there = actions.API_KEY in actions.secrets(self.hub, self.wish.name)
        return actions.JOIN + ("" if there else "; without a key for Claude, jobs use the offline engine")

    def _workflows(self) -> str:
        done = workflows.install(self.store)
        sync.sync(self.store)
        return f"they run this gitmem, at {done.tool[:10]}"

    def _pages(self) -> str:
        try:
            publish_pages.enable(self.hub, self.wish.name)
        except Refused:
            raise
        except RemoteError:
            return (
                "your GitHub plan has no Pages for private repositories;\n"
                "    `gitmem publish --to gist` is the way for a digest"
            )
        return "ready; nothing is published until you ask: `gitmem publish --to pages`"

    def _private(self) -> repository.Seen:
        return repository.require_private(repository.look(self.hub, self.wish.name), self.wish.name)


def carry_out(steps: Sequence[Step], tell: Callable[[str], None]) -> None:
    """Take all the steps; ``tell`` gets a line before and after each.

    Raises:
        GitmemError: one of them failed; those before it stay done.
    """
    for number, step in enumerate(steps, 1):
        tell(f"{number}/{len(steps)} {step.title}")
        try:
            tell(f"    {step.act()}")
        except GitmemError as error:
            error.hint = f"{error.hint} After that run the same command again: it goes on from here.".strip()
            raise


def _local(path: str) -> Local:
    try:
        remote = Repo.open(path).remote.url
    except NotSetUpError:
        return Local("", "")
    try:
        return Local(Store.id_at(path), remote)
    except NotSetUpError:
        return Local("", remote)

"""Goes through every promise that gitmem makes on this machine, and says how to mend each that is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmem.errors import GitmemError
from gitmem.flows import checks, model, workflows
from gitmem.flows.checks import Finding, Patient
from gitmem.flows.github import checks as on_github
from gitmem.repo.repo import Repo
from gitmem.repo.state import StateFile, branch_of
from gitmem.store import Store

if TYPE_CHECKING:  # PyGithub takes its time, and is not needed to talk about it
    from gitmem.github.client import GitHub


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and the names of what was mended."""

    findings: tuple[Finding, ...]
    mended: tuple[str, ...]

    @property
    def well(self) -> bool:
        """Whether nothing needs mending."""
        return all(finding.ok for finding in self.findings)


def admit(path: str, key_source: str, open_store: Callable[[], Store], *, online: bool) -> Patient:
    """The vault at ``path`` as it is examined: with its store, or with the error that kept it from opening.

    Raises:
        NotSetUpError: there is no vault at ``path``.
    """
    store, trouble = None, None
    vault_id, repo = Store.id_at(path), Repo.open(path)
    try:
        store = open_store()
        repo = store.repo  # which knows how git is let into the remote
        store.tip()
    except GitmemError as error:
        store, trouble = None, error
    branch = branch_of(repo, StateFile(repo.folder, "").read())
    return Patient(repo, branch, vault_id, key_source, store, trouble, online)


def examine(patient: Callable[[], Patient], connect: Callable[[], GitHub], *, fix: bool = False) -> Report:
    """Runs every check; with ``fix`` mends what can be mended safely, and looks again.

    ``patient`` is called anew for each look, so that a mended vault is opened afresh; ``connect`` gives
    GitHub, for a vault that was set up there.
    """
    findings = list(_look(patient(), connect))
    mended, failed = [], []
    for finding in findings:
        if fix and not finding.ok and finding.fix is not None:
            try:
                finding.fix()
                mended.append(finding.name)
            except GitmemError as error:  # the next one may still be mended
                failed.append(Finding(f"mending {finding.name}", False, error.message, error.hint))
    seen = _look(patient(), connect) if mended else findings
    return Report((*seen, *failed), tuple(mended))


def _look(patient: Patient, connect: Callable[[], GitHub]) -> Iterator[Finding]:
    def github(patient: Patient) -> Iterator[Finding]:
        return on_github.look(patient, connect)

    for check in (*checks.ALL, model.check, workflows.check, github):
        try:
            yield from check(patient)
        except GitmemError as error:
            # One broken promise must not hide the others.
            yield Finding(check.__name__.replace("_", " "), ok=False, detail=error.message, mend=error.hint)

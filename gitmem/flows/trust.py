"""The answer to a refused history that keeps it.

Shown decrypted, then vouched for by an anchor of this device.
"""

from __future__ import annotations

from gitmem.errors import ConfigError, NotFoundError, RewoundError, TamperedError
from gitmem.flows.history import Change, changed
from gitmem.flows.sync import integrate
from gitmem.memory.ids import id_of
from gitmem.repo.history import PROTECTED
from gitmem.repo.repo import Draft
from gitmem.repo.trees import BLOB_MODE, differences
from gitmem.store import Store

_README = "memories/README.md"


def preview(store: Store, commit: str) -> list[Change]:
    """What trusting ``commit`` would change in the vault, decrypted.

    Raises:
        NotFoundError: it is not the refused tip. TamperedError: it cannot be trusted, because
            something in it does not
        open with the vault's key or lies where no memory may.
    """
    oid, known = _refused(store, commit)
    _openable(store, oid)
    return changed(store, known, oid)


def trust(store: Store, commit: str) -> str:
    """Put a sealed anchor on top of the refused tip ``commit``; every other device accepts it.

    Returns its id.

    Raises:
        As ``preview``; NotFoundError also when the tip moved meanwhile.
    """
    with store.repo.lock:
        store.repo.tidy(store.branch)
        oid, _ = _refused(store, commit)
        _openable(store, oid)
        branch = store.trunk
        anchor = branch.seal(Draft((oid,), store.repo.tree(oid), {}, "trust", ("Gitmem-Anchor: trust",)))
        if oid == store.repo.tip(store.branch):
            branch.advance(oid, anchor)
            return anchor
        return integrate(store, anchor).tip


def _refused(store: Store, commit: str) -> tuple[str, str]:
    """The full id of the refused tip that ``commit`` names, and the last verified state before it."""
    branch, repo = store.trunk, store.repo
    local = repo.tip(store.branch)
    remote = repo.tip(f"refs/remotes/origin/{store.branch.removeprefix('refs/heads/')}")
    for tip, known in ((local, branch.state.local), (remote, branch.remembered)):
        if len(commit) < 7 or not tip.startswith(commit.lower()):
            continue
        try:
            branch.judge(tip, known)
        except RewoundError:
            raise
        except TamperedError:
            return tip, known
        raise ConfigError("That commit is accepted as it is.", "There is nothing to trust.")
    raise NotFoundError(
        "Only the refused tip, here or on the remote, can be trusted, and that commit is neither.",
        "Run 'gitmem sync' to see which commit is refused, then 'gitmem trust' with its id.",
    )


def _openable(store: Store, commit: str) -> None:
    store.trunk.history.protected(commit)
    for change in differences(store.repo.objects, "", store.repo.tree(commit)):
        if change.path.split("/", 1)[0] != PROTECTED[0] or change.path == _README or change.new is None:
            continue
        memory_id = id_of(change.path)
        if memory_id is None or change.new.mode != BLOB_MODE:
            raise TamperedError(
                "That commit holds something in memories/ that is no memory.",
                "It cannot be trusted; 'gitmem sync --restore' puts the verified memories back.",
            )
        store.get(memory_id, commit)

"""The answer to a refused history that keeps it: shown decrypted, then vouched for by an anchor."""

from __future__ import annotations

from gitmem.errors import ConfigError, NotFoundError, TamperedError
from gitmem.flows.history import Change, difference
from gitmem.flows.restore import gathered
from gitmem.flows.sync import integrate
from gitmem.memory.ids import id_of
from gitmem.repo.remote import tracking
from gitmem.repo.repo import Draft
from gitmem.repo.trees import BLOB_MODE, PROTECTED, Entry, differences
from gitmem.store import Store

_README = "memories/README.md"
_INSTEAD = "It cannot be trusted; `gitmem sync --restore` puts the verified memories back."


def preview(store: Store, commit: str) -> list[Change]:
    """What trusting ``commit`` would change in the vault, decrypted.

    Raises:
        NotFoundError: it is not the refused tip.
        ConfigError: it is accepted as it is.
        TamperedError: it cannot be trusted, because something in it does not open with the vault's key or
            lies where no memory may.
    """
    oid, known = _refused(store, commit)
    _openable(store, oid, known)
    return difference(store, known, oid)


def trust(store: Store, commit: str) -> str:
    """Put a sealed anchor, whose id comes back, on the refused tip ``commit``; every other device follows it.

    Raises:
        NotFoundError: it is not the refused tip, or not any more.
        ConfigError: it is accepted as it is.
        TamperedError: it cannot be trusted, as in ``preview``.
    """
    with store.repo.lock:
        store.repo.tidy(store.branch)
        oid, known = _refused(store, commit)
        _openable(store, oid, known)
        branch = store.trunk
        lost = known and not branch.history.contains(oid, known)  # amended: devices that knew it must follow
        parents = (oid, known) if lost else (oid,)
        anchor = branch.seal(Draft(parents, store.repo.tree(oid), {}, "trust", ("Gitmem-Anchor: trust",)))
        if oid == store.repo.tip(store.branch):
            branch.advance(oid, anchor)
            return anchor
        return integrate(store, anchor).tip


def _refused(store: Store, commit: str) -> tuple[str, str]:
    """The full id of the refused tip that ``commit`` names, and the last verified state before it."""
    branch, repo = store.trunk, store.repo
    local = repo.tip(store.branch)
    remote = repo.tip(tracking(store.branch))
    for tip, known in ((local, branch.state.local), (remote, branch.remembered)):
        if len(commit) < 7 or not tip.startswith(commit.lower()):
            continue
        try:
            branch.judge(tip, known)
        except TamperedError:
            return tip, known
        raise ConfigError("That commit is accepted as it is.", "There is nothing to trust.")
    raise NotFoundError(
        "Only the refused tip, here or on the remote, can be trusted, and that commit is neither.",
        "Run `gitmem sync` to see which commit is refused, then `gitmem trust` with its id.",
    )


def _openable(store: Store, commit: str, known: str) -> None:
    """See that the preview shows everything: no difference may pass but one of memories.

    Raises:
        TamperedError: the commit holds something else.
    """
    _settings_kept(store, commit, known)
    listed = store.repo.git.run("ls-tree", "-r", "-t", "-z", "--name-only", commit, "--", *PROTECTED).split(
        b"\0"
    )
    if len(listed) != len(set(listed)):
        raise TamperedError("That commit names a file twice.", _INSTEAD)
    for change in differences(store.repo.objects, "", store.repo.tree(commit), top=PROTECTED[0].encode()):
        memory_id = id_of(change.path)
        if change.new is None or change.new.mode != BLOB_MODE or not (memory_id or change.path == _README):
            raise TamperedError("That commit holds something in memories/ that is no memory.", _INSTEAD)
        if memory_id:
            store.get(memory_id, commit)


def _settings_kept(store: Store, commit: str, known: str) -> None:
    """The vault's settings must stand as a key holder left them: nobody can see what else they would do."""
    good = gathered(store, known, commit, known)
    if good and _settings(store, good) != _settings(store, commit):
        raise TamperedError("That commit changes the vault's own files in .gitmem/.", _INSTEAD)
    store.trunk.confirm(commit)


def _settings(store: Store, commit: str) -> list[Entry]:
    return [entry for entry in store.trunk.history.protected(commit) if entry.name == PROTECTED[1].encode()]

"""A memory erased from the whole history, here and on the remote (commit-seals.md section 7)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gitmem.errors import AmbiguousIdError, ConflictError, NotFoundError, RemoteError, TooShortError
from gitmem.flows.clean import clean, clean_remote
from gitmem.flows.consolidate import proposal
from gitmem.flows.rewrite import Progress, Rewriter
from gitmem.flows.sync import integrate, sync
from gitmem.memory.ids import id_of, path_of
from gitmem.memory.memory import SHORT, Memory, is_id
from gitmem.memory.sharing import drawn
from gitmem.reader import unknown
from gitmem.repo.repo import Draft
from gitmem.repo.trees import PROTECTED
from gitmem.store import Store, Tell, counted

_TRIES = 10
_ALIKE = str.maketrans("OILoil", "011011")  # what Crockford's base 32 reads alike


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge did.

    ``rewritten`` counts commits; ``holders`` and ``remote_holders`` name what still keeps the old ones, here
    and on the remote; ``remote_cleaned`` is False where only the remote itself can erase.
    """

    ids: tuple[str, ...]
    tip: str
    rewritten: int
    holders: tuple[str, ...]
    remote_cleaned: bool
    remote_holders: tuple[str, ...]


class _Places(NamedTuple):
    """Where the memories to purge stand in the history: their contents, and other paths with the same."""

    blobs: frozenset[str]
    elsewhere: frozenset[str]


def find(store: Store, text: str) -> str:
    """The full id for a full or short one, of a memory that the vault has or once had.

    Raises:
        NotFoundError: no memory ever ended in it.
        AmbiguousIdError: several did.
    """
    try:
        return store.resolve(text)
    except AmbiguousIdError:
        raise
    except NotFoundError:
        wanted = text.strip().translate(_ALIKE).upper()
    if not re.fullmatch(rf"[0-9A-Z]{{{SHORT - 2},26}}", wanted):
        raise unknown(text)
    scope = path_of(wanted) if is_id(wanted) else PROTECTED[0]
    names = {path for path, _ in _stood(store, store.tip(), scope)}
    found = sorted({one for name in names if (one := id_of(name)) and one.endswith(wanted)})
    if not found:
        raise unknown(text)
    if len(found) > 1:
        raise AmbiguousIdError(
            f"{len(found)} memories, forgotten ones too, end in {wanted}.", "Type more of the id."
        )
    return found[0]


def drawn_from(store: Store, ids: Sequence[str]) -> list[Memory]:
    """The memories that were made from those, directly or not, and may say the same: oldest first."""
    every = list(store.memories())
    wanted, found = set(ids), {}
    while new := [one for one in every if one.id not in wanted and wanted & {*drawn(one), *one.supersedes}]:
        found.update({one.id: one for one in new})
        wanted.update(one.id for one in new)
    return [found[one] for one in sorted(found)]


def purge(store: Store, ids: Sequence[str], tell: Tell, step: Progress | None = None) -> Purged:
    """Rewrite the history without those memories, replace the remote's by it, and erase what is left over.

    Safe to interrupt and to run again: until the push nothing has changed; after it every device, this one
    too, follows by `gitmem sync`.

    Raises:
        RemoteError: the remote cannot be reached, or takes no forced push.
        NotFoundError: the history holds none of them.
        TooShortError: this clone does not have the whole history.
    """
    start = store.tip()
    made: tuple[str, int] | None
    with store.repo.sync_lock:
        for _ in range(_TRIES):
            old = sync(store, tell).tip if store.remote else store.tip()
            if not store.trunk.history.contains(old, start) and not _held(store, old, ids):
                made = old, 0  # an earlier run had reached the remote, and the sync has just followed it
            else:
                made = _attempt(store, old, ids, tell, step)
            if made:
                beyond = clean_remote(store, tell) if store.remote else ()
                holders = clean(
                    store, tell
                )  # last: it takes the mark away that there is still something to do
                return Purged(tuple(ids), *made, holders, beyond is not None, beyond or ())
    raise RemoteError("The remote kept moving while gitmem was purging.", "Nothing was purged; try again.")


def resume(store: Store, tell: Tell) -> None:
    """End a purge that was cut off before it had erased what it left over; mostly there is none."""
    if store.trunk.state.purged:
        clean_remote(store, tell)
        clean(store, tell)


def _held(store: Store, tip: str, ids: Sequence[str]) -> bool:
    return any(_stood(store, tip, path_of(one)) for one in ids)


def _attempt(
    store: Store, old: str, ids: Sequence[str], tell: Tell, step: Progress | None
) -> tuple[str, int] | None:
    """The new tip and the number of rewritten commits; None where the branch or the remote moved."""
    if store.trunk.history.shallow:
        raise TooShortError(
            "This clone lacks older commits.", "Nothing was changed; run `git fetch --unshallow`."
        )
    if not store.remote:
        with store.repo.lock:
            store.repo.tidy(store.branch)
            old = store.tip()
            new, count = _line(store, old, ids, tell, step)
            store.trunk.announce(purged=new)
            store.trunk.advance(old, new)
        return new, count
    new, count = _line(store, old, ids, tell, step)
    proposal.take_away(store)  # it stands on the line that is about to go, and would keep it
    tell("replacing the remote's history")
    with store.repo.guard(store.branch):
        if not store.repo.remote.push(new, store.branch, instead=old):
            return None
    with store.repo.lock:
        store.repo.tidy(store.branch)
        integrate(store, new)
        store.trunk.note(remote=new)
    if store.tip() != new:
        sync(store, tell)
    return new, count


def _line(store: Store, old: str, ids: Sequence[str], tell: Tell, step: Progress | None) -> tuple[str, int]:
    """The rewritten history with its anchor, verified as any device would; no ref moves."""
    tell("looking through the history")
    paths = [path_of(one) for one in ids]
    places = _places(store, old, paths)
    if not places.blobs:
        raise NotFoundError("The history holds no such memory.", "Nothing was changed.")
    tell("rewriting the history")
    rewriter = Rewriter(store, paths, places.blobs, places.elsewhere)
    tip = rewriter.rewrite(old, step)
    trailers = (*(f"Gitmem-Was: {oid}" for oid in rewriter.unsealed), "Gitmem-Anchor: purge")
    new = store.trunk.seal(Draft((tip,), store.repo.tree(tip), {}, counted("purge", len(ids)), trailers))
    store.repo.objects.flush()
    store.trunk.judge(new, old)
    if _held(store, new, ids):
        raise ConflictError(
            "Something of it is left in the new history.", "Nothing was changed; report this."
        )
    return new, len(rewriter.new)


def _places(store: Store, tip: str, paths: Sequence[str]) -> _Places:
    blobs = {oid for path in paths for _, oid in _stood(store, tip, path)}
    copies = [option for oid in sorted(blobs) for option in ("--find-object", oid)]
    if not blobs:
        return _Places(frozenset(), frozenset())
    log = ("log", "-m", "--format=", "--name-only", "-z", "--no-renames", *copies, tip, "--")
    names = {
        name.decode("utf-8", "surrogateescape").lstrip("\n") for name in store.repo.git.run(*log).split(b"\0")
    }
    return _Places(frozenset(blobs), frozenset(names - {"", *paths}))


def _stood(store: Store, tip: str, scope: str) -> set[tuple[str, str]]:
    """Every (path, blob id) that ever stood at ``scope`` below ``tip``, also on side lines and in passing."""
    listed = store.repo.git.run("rev-list", tip, "--")
    options = (
        "--stdin",
        "-r",
        "-m",
        "--root",
        "--no-commit-id",
        "--no-renames",
        "--raw",
        "--no-abbrev",
        "-z",
    )
    fields = store.repo.git.run("diff-tree", *options, "--", scope, data=listed).split(b"\0")
    found = set()
    for meta, path in zip(fields[::2], fields[1::2], strict=False):
        name = path.decode("utf-8", "surrogateescape")
        found |= {(name, oid.decode()) for oid in meta.split()[2:4] if oid.strip(b"0")}
    return found

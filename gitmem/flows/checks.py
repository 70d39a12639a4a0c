"""The single checks of `gitmem doctor`: each yields findings about one promise."""

from __future__ import annotations

import os
import re
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import gitmem
from gitmem import config
from gitmem.errors import GitmemError
from gitmem.flows import draft
from gitmem.flows.create import own_command
from gitmem.flows.join import SPARSE_FROM
from gitmem.flows.status import unsealed
from gitmem.index.filters import Filters
from gitmem.memory import ids
from gitmem.memory.memory import short
from gitmem.repo import equip, packing
from gitmem.repo.repo import Repo
from gitmem.repo.trees import BLOB_MODE
from gitmem.store import Store

OLDEST_GIT = (2, 38)  # the first with `merge-tree --write-tree`
MANY_LOOSE = 5_000
STALE_SECONDS = 600  # no git holds a lock file that long


@dataclass(frozen=True, slots=True)
class Finding:
    """One promise: whether it holds, what was seen, how to mend it, and the mending where that is safe."""

    name: str
    ok: bool
    detail: str
    mend: str = ""
    fix: Callable[[], object] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined: the vault's repository, and the store or the error that kept it from opening."""

    repo: Repo
    branch: str
    vault_id: str
    key_source: str
    store: Store | None
    trouble: GitmemError | None
    online: bool


def git(patient: Patient) -> Iterator[Finding]:
    """Git is new enough."""
    said = patient.repo.git.run("version").decode("ascii", "replace")
    found = re.search(r"(\d+)\.(\d+)", said)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    need = ".".join(map(str, OLDEST_GIT))
    yield Finding("git", version >= OLDEST_GIT, said.strip(), f"Install git {need} or newer.")


def installation(_: Patient) -> Iterator[Finding]:
    """Python files are compiled, or can be: else every start costs five times as much."""
    cached = getattr(gitmem, "__cached__", "") or ""
    folder = os.path.dirname(os.path.abspath(gitmem.__file__))
    compiled = os.path.exists(cached) or os.access(folder, os.W_OK)
    detail = f"gitmem {gitmem.__version__} on Python {sys.version_info.major}.{sys.version_info.minor}"
    hint = f"Every start is slow: with the rights to write there, run `python -m compileall {folder}`."
    yield Finding("installation", compiled, detail, hint)


def known_vaults(_: Patient) -> Iterator[Finding]:
    """Every vault that this machine remembers is still there."""
    gone = {vault_id: path for vault_id, path in config.vaults().items() if not os.path.isdir(path)}
    for vault_id, path in gone.items():
        forget = partial(config.forget, vault_id)
        yield Finding("known vaults", False, f"{path} is gone.", "`gitmem doctor --fix` forgets it.", forget)
    if not gone:
        yield Finding("known vaults", True, f"{len(config.vaults())} on this machine")


def key(patient: Patient) -> Iterator[Finding]:
    """The key is here, and for its owner alone."""
    path = config.key_path(patient.vault_id)
    detail = f"from {patient.key_source}"
    if not os.path.exists(path):
        known = patient.key_source != "none"
        yield Finding(
            "key", known, detail if known else "not on this machine", "`gitmem key restore` brings it back."
        )
        return
    shared = config.is_shared(path)
    mode = stat.S_IMODE(os.stat(path).st_mode)
    yield Finding(
        "key",
        not shared,
        f"{path}, mode {mode:04o}",
        "`gitmem doctor --fix` makes it 0600.",
        lambda: config.make_private(path),
    )


def history(patient: Patient) -> Iterator[Finding]:
    """The vault opens with this key, and every commit was made by a key holder."""
    if patient.trouble is not None:
        yield Finding("history", False, patient.trouble.message, patient.trouble.hint)
    elif patient.store is not None:
        yield Finding("history", True, f"verified up to {patient.store.tip()[:10]}")


def git_setup(patient: Patient) -> Iterator[Finding]:
    """This clone shows plain text in `git log -p`, merges documents, and pulls by merging."""
    repo = patient.repo
    wanted = (repo.git, repo.common_dir, patient.branch, own_command(), patient.vault_id)
    missing = equip.missing(*wanted)
    detail = f"not set: {', '.join(missing)}" if missing else "textconv, merge driver and pull.rebase are set"
    yield Finding(
        "git setup", not missing, detail, "`gitmem doctor --fix` sets it.", lambda: equip.equip(*wanted)
    )


def attributes(patient: Patient) -> Iterator[Finding]:
    """The committed attributes keep every git, also one without gitmem, from touching sealed files."""
    store = patient.store
    if store is None:
        return
    content = store.repo.file(store.tip(), ".gitattributes") or b""
    there = equip.with_attributes(content) == content
    detail = "committed" if there else "the lines for memories/ are gone from .gitattributes"
    yield Finding(
        "attributes",
        there,
        detail,
        "`gitmem doctor --fix` commits them again.",
        partial(_put_attributes, store, content),
    )


def _put_attributes(store: Store, content: bytes) -> None:
    blob = store.repo.objects.write("blob", equip.with_attributes(content))
    store.trunk.grow(lambda _: {".gitattributes": (BLOB_MODE, blob)}, "mend attributes")


def seals(patient: Patient) -> Iterator[Finding]:
    """This device knows what it verified last, and how much stands above the last seal."""
    store = patient.store
    if store is None:
        return
    count = unsealed(store, store.tip())
    known = store.trunk.state.local == store.tip()
    detail = f"{count} plain commits on top of the last seal" if count else "the tip is sealed"
    yield Finding(
        "seals",
        known,
        detail if known else "nothing is remembered of the last check",
        "`gitmem verify` checks all of it.",
    )


def plain_history(patient: Patient) -> Iterator[Finding]:
    """`git log -p` really shows a memory in plain text."""
    store = patient.store
    rows = store.rows(Filters(everything=True), 1) if store else []
    if store is None or not rows or patient.key_source != "key file":
        return  # our git gets no key from the environment
    shown = store.repo.git.run("show", "--textconv", f"{store.tip()}:{ids.path_of(rows[0].id)}")
    works = shown.startswith(b"---\n")
    detail = "git shows memories decrypted" if works else "git shows memories sealed"
    yield Finding("plain history", works, detail, "`gitmem doctor --fix`, then `gitmem key where`.")


def index(patient: Patient) -> Iterator[Finding]:
    """The search index shows the verified commit, all of it."""
    store = patient.store
    if store is None:
        return
    listed = store.count(Filters(everything=True))
    held = len(_memory_files(patient.repo, store.tip()))
    detail = f"all {held:,}" if listed == held else f"{listed:,} of {held:,} memories"
    names = [os.path.join(patient.repo.folder, f"index.db{end}") for end in ("", "-wal", "-shm")]
    yield Finding(
        "index",
        listed == held,
        detail,
        "`gitmem doctor --fix` builds it anew.",
        lambda: [*map(config.remove, names)],
    )


def strange_files(patient: Patient) -> Iterator[Finding]:
    """Nothing but sealed memories lies in memories/, committed or not."""
    store = patient.store
    if store is None:
        return
    names = [name for name in _memory_files(patient.repo, store.tip()) if ids.id_of(name) is None]
    if patient.repo.work_tree:
        out = patient.repo.git.run("ls-files", "--others", "-z", "--", "memories")
        names += [name for name in out.decode("utf-8", "surrogateescape").split("\0") if name]
    detail = f"{len(names)} that are no memories, such as {names[0]}" if names else "only sealed memories"
    yield Finding("files in memories/", not names, detail, "Move them elsewhere; gitmem never reads them.")


def locks(patient: Patient) -> Iterator[Finding]:
    """No lock file of a killed git stands in the way."""
    names = (
        "index.lock",
        "HEAD.lock",
        "packed-refs.lock",
        "config.lock",
        "shallow.lock",
        f"{patient.branch}.lock",
    )
    places = {
        os.path.join(folder, name)
        for folder in (patient.repo.git_dir, patient.repo.common_dir)
        for name in names
    }
    stale = sorted(place for place in places if _age(place) > STALE_SECONDS)
    detail = f"{len(stale)} older than ten minutes: {stale[0]}" if stale else "none left behind"
    yield Finding(
        "locks",
        not stale,
        detail,
        "If no git runs there, `gitmem doctor --fix` removes them.",
        lambda: [*map(config.remove, stale)],
    )


def loose_objects(patient: Patient) -> Iterator[Finding]:
    """Few enough loose objects for git to stay quick."""
    folder = os.path.join(patient.repo.common_dir, "objects")
    fans = [name for name in os.listdir(folder) if len(name) == 2]
    count = sum(len(os.listdir(os.path.join(folder, fan))) for fan in fans)
    yield Finding(
        "loose objects", count <= MANY_LOOSE, f"{count:,}", "`gitmem doctor --fix` packs them.",
        partial(packing.pack, patient.repo.git, patient.repo.common_dir),
    )  # fmt: skip


def size(patient: Patient) -> Iterator[Finding]:
    """A large vault keeps its files out of the work tree."""
    store = patient.store
    if store is None or not patient.repo.work_tree:
        return
    count = len(_memory_files(patient.repo, store.tip()))
    said = patient.repo.git.run("config", "--get", "core.sparseCheckout", ok=(0, 1))
    sparse = count <= SPARSE_FROM or said.strip() == b"true"
    mend = "Writes are slow in a full checkout; `gitmem join --sparse DIR` makes a quick one."
    yield Finding("size", sparse, f"{count:,} memories", mend)


def drafts(patient: Patient) -> Iterator[Finding]:
    """Half-edited texts that wait are pointed out."""
    names = draft.waiting(patient.repo)
    if not names:
        yield Finding("drafts", True, "none waits")
        return
    how = "gitmem write" if draft.NEW in names else f"gitmem edit {short(names[0])}"
    yield Finding("drafts", True, f"{len(names)} kept: `{how} --resume`")


def remote(patient: Patient) -> Iterator[Finding]:
    """The remote answers, and this device has met it."""
    url = patient.repo.remote.url
    if not url:
        yield Finding("remote", True, "none: this device holds the only copy")
        return
    if patient.online:
        status, _, _ = patient.repo.remote.ask("ls-remote", "--heads", "origin")
        shown = patient.repo.remote.shown
        answer = shown if status == 0 else f"{shown} does not answer"
        yield Finding("remote", status == 0, answer, "`gitmem sync` says why.")
    if patient.store is not None:
        synced = patient.store.trunk.state.synced
        yield Finding("last sync", bool(synced), synced or "never", "`gitmem sync` meets it.")


def _memory_files(repo: Repo, tip: str) -> list[str]:
    out = repo.git.run("ls-tree", "-r", "-z", "--name-only", tip, "memories/")
    return [name for name in out.decode("utf-8", "surrogateescape").split("\0") if name]


def _age(path: str) -> float:
    try:
        return time.time() - os.stat(path).st_mtime
    except OSError:
        return 0.0


ALL: tuple[Callable[[Patient], Iterator[Finding]], ...] = (
    git, installation, known_vaults, key, history, git_setup, attributes, seals, plain_history, index,
    strange_files, locks, loose_objects, size, drafts, remote,
)  # fmt: skip

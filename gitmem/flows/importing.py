"""Import: notes and JSON lines into the vault, in one commit, as often as one likes.

The rules, in order:
- An entry that names its id is an export of gitmem. Unknown here, it is added with its id, dates and rev; the
  same as here, nothing happens; changed, it is a new revision, unless the vault's own is newer.
- Any other entry belongs to the memory with the same ``source``. ``imported: …`` in its front matter says
  which text was imported last: the same again is nothing, even when the memory was edited here since; a
  changed text is a new revision, and when both changed both texts are kept, marked.
- Else the same text somewhere in the vault means nothing to do.
- Trust: nothing that is imported has more trust than ``import``, and nothing is marked to share, whatever the
  file says, because a file says what its writer likes. ``Options.keep`` is for exports that the owner made.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from gitmem.errors import ConfigError, InvalidMemoryError, NotFoundError
from gitmem.flows.importers import jsonl, markdown
from gitmem.flows.importers.found import Found, Options
from gitmem.flows.importers.mark import least_trust, mark_of, marked, revised, stamp
from gitmem.flows.importers.note import Note
from gitmem.index.index import Index
from gitmem.memory.document import dump
from gitmem.memory.memory import MAX_REV, Memory
from gitmem.memory.text import fingerprint
from gitmem.store import Progress, Store

__all__ = ["ImportReport", "Options", "import_path", "import_text"]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did; ``skipped`` names each entry left out and why. Any of those: exit status 3."""

    added: int
    updated: int
    unchanged: int
    skipped: tuple[tuple[str, str], ...]
    commit: str


def import_path(
    store: Store, path: str, options: Options | None = None, progress: Progress | None = None
) -> ImportReport:
    """Imports a folder of markdown, one markdown file, or a file of JSON lines.

    ``progress`` is called with the number of entries read and, where it is known (else 0), of all.

    Raises:
        NotFoundError: there is nothing at ``path``.
        ConfigError: it is neither a folder, nor markdown, nor JSON lines, or cannot be read.
    """
    options = options or Options()
    if os.path.isdir(path):
        files = markdown.walk(path)
        return _run(store, markdown.read_folder(path, files, options), options, progress, len(files))
    if not os.path.exists(path):
        raise NotFoundError(
            "There is no such file or folder to import.", "Nothing was imported; check the path."
        )
    if path.lower().endswith(markdown.ENDINGS):
        return _run(store, [markdown.read_file(path, options)], options, progress, 1)
    if path.lower().endswith(jsonl.ENDINGS):
        return _run(store, jsonl.read_file(path, options, store.now()), options, progress)
    raise ConfigError(
        "gitmem imports folders, markdown (.md) and JSON lines (.jsonl).",
        "Other text goes in with `gitmem write --file FILE`.",
    )


def import_text(store: Store, data: bytes, options: Options | None = None) -> ImportReport:
    """Imports what came by standard input: JSON lines when it begins with ``{``, else one markdown note."""
    options = options or Options()
    now = store.now()
    if data.lstrip().startswith(b"{"):
        return _run(store, jsonl.read_lines(data.split(b"\n"), options, now), options, None)
    note = Note("standard input", "", "", "", now)
    return _run(store, [markdown.read_text(data, note, options)], options, None, 1)


@dataclass(slots=True)
class _Run:
    """One import under way: what will be written, what is known of the vault and of the entries before."""

    index: Index
    options: Options
    here: dict[str, Memory]
    by_source: dict[str, str]
    now: str
    pending: dict[str, Memory] = field(default_factory=dict)
    texts: set[bytes] = field(default_factory=set)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    added: int = 0
    updated: int = 0
    unchanged: int = 0


def _run(
    store: Store, found: Iterable[Found], options: Options, progress: Progress | None, total: int = 0
) -> ImportReport:
    entries = []
    for entry in found:
        entries.append(entry)
        if progress:
            progress(len(entries), total)
    run = _meet(store, entries, options)
    for entry, earlier in _latest(entries):
        _take(run, entry, earlier)
    commit = store.write(list(run.pending.values()), verb="import") if run.pending else ""
    return ImportReport(run.added, run.updated, run.unchanged, tuple(run.skipped), commit)


def _meet(store: Store, entries: list[Found], options: Options) -> _Run:
    """What the vault has of these entries: read at once, because one by one is fifty times slower."""
    index = store.index
    memories = [(entry.memory, entry.own) for entry in entries if entry.memory]
    sources = {memory.source for memory, own in memories if memory.source and not own}
    by_source = {source: found[-1] for source in sources if (found := index.by_source(source))}
    wanted = {*by_source.values(), *(memory.id for memory, own in memories if own)}
    here = {memory.id: memory for memory in store.memories(wanted)} if wanted else {}
    return _Run(index, options, here, by_source, store.now())


def _latest(entries: list[Found]) -> list[tuple[Found, int]]:
    """Entries of one source as the last of them, with the number of those before it."""
    latest: dict[object, tuple[Found, int]] = {}
    for number, entry in enumerate(entries):
        memory = entry.memory
        key = memory.source if memory and not entry.own and memory.source else number
        latest[key] = (entry, latest[key][1] + 1 if key in latest else 0)
    return list(latest.values())


def _take(run: _Run, entry: Found, earlier: int) -> None:
    if entry.memory is None:
        run.skipped.append((entry.name, entry.reason))
        return
    before = run.unchanged
    try:
        _take_own(run, entry.name, entry.memory) if entry.own else _take_foreign(run, entry.memory, earlier)
    except InvalidMemoryError as error:
        run.skipped.append((entry.name, error.message))
        return
    if run.unchanged > before:
        run.unchanged += earlier
    else:
        run.updated += earlier


def _take_foreign(run: _Run, memory: Memory, earlier: int) -> None:
    existing = run.here.get(run.by_source.get(memory.source, ""))
    if existing is not None:
        if mark_of(existing) == stamp(memory) or _says_nothing_new(existing, memory):
            run.unchanged += 1
            return
        revision = revised(existing, memory, run.now)
        _keep(run, dataclasses.replace(revision, rev=min(revision.rev + earlier, MAX_REV)))
        run.updated += 1
        return
    text = fingerprint(memory)
    if text in run.texts or run.index.by_fingerprint(text, run.now):
        run.unchanged += 1
        return
    _keep(run, dataclasses.replace(marked(memory) if memory.source else memory, rev=1 + earlier))
    run.texts.add(text)
    run.added += 1


def _keep(run: _Run, memory: Memory) -> None:
    dump(memory)  # one that is too large must not stop the others when all are written
    run.pending[memory.id] = memory


def _says_nothing_new(existing: Memory, memory: Memory) -> bool:
    return fingerprint(existing) == fingerprint(memory) and set(memory.tags) <= set(existing.tags)


def _take_own(run: _Run, name: str, memory: Memory) -> None:
    if not run.options.keep:
        memory = dataclasses.replace(memory, trust=least_trust(memory.trust, "import"), share=False)
    if memory.id in run.pending:
        run.skipped.append((name, "another entry of this import has the same id"))
    elif memory.id not in run.here:
        _keep(run, memory)
        run.added += 1
    else:
        _take_known(run, name, memory)


def _take_known(run: _Run, name: str, memory: Memory) -> None:
    here = run.here[memory.id]
    same = dataclasses.replace(memory, rev=here.rev, updated=here.updated)
    if not run.options.keep:
        same = dataclasses.replace(same, trust=here.trust, share=here.share)
    if same == here:
        run.unchanged += 1
    elif here.rev > memory.rev:
        run.skipped.append((name, "the vault has a newer revision of it"))
    else:
        rev = min(max(memory.rev, here.rev + 1), MAX_REV)
        trust = memory.trust if run.options.keep else least_trust(here.trust, memory.trust)
        _keep(run, dataclasses.replace(memory, rev=rev, updated=run.now, trust=trust))
        run.updated += 1

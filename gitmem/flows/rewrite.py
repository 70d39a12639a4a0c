"""A history without certain files: each commit from the first that holds one rewritten, one for one."""

from __future__ import annotations

from collections.abc import Callable, Collection

from gitmem.repo import commits
from gitmem.repo.history import Judged
from gitmem.repo.packfile import Pack
from gitmem.repo.trees import Entry, entries
from gitmem.store import Store

Progress = Callable[[int, int], None]  # done, total
_OURS = b"Gitmem-"
_FOLDER = b"40000"
_LARGE = 4096  # bytes; a tree above this is searched, not taken apart
_Plan = dict[bytes, "_Plan"]  # name → what goes below it; an empty one: the entry itself


class Rewriter:
    """Makes the new line of one vault, in one pack.

    Args:
        store: the vault; its history has been verified.
        paths: the files that go, wherever they stand.
        blobs: contents that go, at ``elsewhere``.
        elsewhere: further paths at which those contents stood.
    """

    def __init__(
        self, store: Store, paths: Collection[str], blobs: Collection[str], elsewhere: Collection[str]
    ) -> None:
        self._store = store
        self._pack = Pack(store.repo.git)
        self._blobs = frozenset(blobs)
        self._plan: _Plan = {}
        self._only_blobs = {path.encode("utf-8", "surrogateescape") for path in elsewhere} - {
            path.encode() for path in paths
        }
        for path in (*paths, *elsewhere):
            self._note(path.encode("utf-8", "surrogateescape"))
        self._trees: dict[tuple[str, bytes], str] = {}
        self.new: dict[str, str] = {}  # former commit → the one in its place
        self.unsealed: list[str] = []  # former commits that only an anchor vouched for

    def rewrite(self, tip: str, step: Progress | None = None) -> str:
        """The id of the commit in the place of ``tip``; the same where nothing had to change."""
        history = self._store.trunk.history
        listed = history.line(tip)
        for done, commit in enumerate(listed):
            self._rewrite(commit)
            if step and done % 100 == 0:
                step(done, len(listed))
        self._pack.store()
        if step:
            step(len(listed), len(listed))
        return self.new.get(tip, tip)

    def _note(self, path: bytes) -> None:
        plan = self._plan
        for name in path.split(b"/"):
            plan = plan.setdefault(name, {})

    def _rewrite(self, commit: Judged) -> None:
        tree, parents = commits.header(commit.raw)
        stripped = self._strip(tree, self._plan, b"") or self._pack.add("tree", b"")
        if stripped == tree and not any(parent in self.new for parent in parents):
            return
        verdict = self._store.trunk.history.verdict(commit)
        lines = [b"tree " + stripped.encode()]
        lines += [b"parent " + self.new.get(parent, parent).encode() for parent in parents]
        lines += _people(commit.raw)
        body = b"\n".join(lines) + b"\n\n"
        if verdict == "refused":  # a seal of ours would make it a key holder's
            self.unsealed.append(commit.id)
            self.new[commit.id] = self._pack.add("commit", body + _plain_message(commit.raw))
            return
        body += _message(commit)
        self.new[commit.id] = self._pack.add("commit", self._store.vault.sign(body))

    def _strip(self, oid: str, plan: _Plan, where: bytes) -> str:
        """The id of a folder without what the plan names; "" when nothing is left of it."""
        key = (oid, where)
        if key not in self._trees:
            (content,) = self._store.repo.objects.read_many([oid])
            new = self._without(content, plan, where)
            line = where.decode("utf-8", "replace") or "/"
            self._trees[key] = oid if new == content else self._pack.add("tree", new, line) if new else ""
        return self._trees[key]

    def _without(self, content: bytes, plan: _Plan, where: bytes) -> bytes:
        for name, below in plan.items():
            path = where + b"/" + name if where else name
            for entry in _found(content, name):
                line = b"%b %b\0%b" % (entry.mode, name, bytes.fromhex(entry.oid))
                if not below:
                    goes = path not in self._only_blobs or entry.oid in self._blobs
                    content = content.replace(line, b"", 1) if goes else content
                elif entry.mode == _FOLDER and (oid := self._strip(entry.oid, below, path)) != entry.oid:
                    new = b"%b %b\0%b" % (entry.mode, name, bytes.fromhex(oid)) if oid else b""
                    content = content.replace(line, new, 1)
        return content


def _found(content: bytes, name: bytes) -> list[Entry]:
    """The entries of that name in a raw tree; a stranger's tree may hold several."""
    if len(content) < _LARGE or content.count(b" " + name + b"\0") != 1:
        return [entry for entry in entries(content) if entry.name == name]
    at = content.index(b" " + name + b"\0")
    mode = _FOLDER if content[at - 5 : at] == _FOLDER else content[at - 6 : at]
    end = at + len(name) + 2
    return [Entry(mode, name, content[end : end + 20].hex())]


def _people(raw: bytes) -> list[bytes]:
    """The lines that say who made a commit and when; signatures and encodings do not fit any more."""
    head = raw.partition(b"\n\n")[0].split(b"\n")
    return [line for line in head if line.startswith((b"author ", b"committer "))][:2]


def _message(commit: Judged) -> bytes:
    """The message of a sealed copy, up to its seal line: as it was, and whose place it takes."""
    was = b"Gitmem-Was: %b\n" % commit.id.encode()
    if not commit.seal:
        return _plain_message(commit.raw).rstrip(b"\n") + b"\n\n" + was
    lines = commit.raw.partition(b"\n\n")[2].split(b"\n")[:-2]  # without the seal line
    at = len(lines)
    while at and lines[at - 1].startswith(_OURS):
        at -= 1
    ours = lines[at:]
    former = [line for line in ours if line.startswith(b"Gitmem-Was:")]
    others = [line for line in ours if not line.startswith(b"Gitmem-Was:")]
    return (
        b"".join(line + b"\n" for line in [*lines[:at], *former])
        + was
        + b"".join(line + b"\n" for line in others)
    )


def _plain_message(raw: bytes) -> bytes:
    """A stranger's message without lines that could be taken for ours, once it is sealed."""
    lines = raw.partition(b"\n\n")[2].split(b"\n")
    return b"\n".join(line for line in lines if not line.startswith(_OURS)).rstrip(b"\n") + b"\n"

"""Two edits of one memory made one: front matter by field, the body by lines, three ways.

Pure and symmetric: two devices that merge the same three documents get the same bytes, whichever side each
calls its own. Nothing that one side wrote is lost unless the other side took it out; where both wrote into
one place, both texts stay, between marks.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from gitmem.memory.memory import LISTS, MAX_BYTES, MAX_REV, TRUSTS, Memory

OPEN, MIDDLE, CLOSE = "<<<<<<< one side", "=======", ">>>>>>> other side"

# Comparisons of equal lines that a diff may cost; texts beyond it (thousands of equal lines) are one change.
_EFFORT = 1_000_000
_EXTRA_LIMIT = 1 << 15


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged memory, and whether a person should look at it: both sides wrote into the same place."""

    memory: Memory
    conflict: bool


def merge(base: Memory | None, ours: Memory, theirs: Memory) -> Merged:
    """One memory from two edits of ``base`` (None: no common ancestor is known).

    A side that equals ``base`` gives way to the other. Else ``rev`` is one more than the greater, ``updated``
    the later; trust and share are never better than what both sides stand for. Two texts that are too long
    together for one memory leave the later one, as a conflict; the other stays in the history.
    """
    if ours in (theirs, base):
        return Merged(theirs, conflict=False)
    if theirs == base:
        return Merged(ours, conflict=False)
    first, second = sorted((ours, theirs), key=_age)
    fields = _fields(base, first, second)
    fields["title"], two_titles = _title(base, first, second)
    fields["body"], two_texts = merge_text(base.body if base else None, first.body, second.body)
    if len(fields["body"].encode("utf-8", "replace")) > MAX_BYTES - _front_matter(fields):
        return Merged(dataclasses.replace(second, rev=_next_rev(first, second)), conflict=True)
    merged = Memory(**fields)
    return Merged(_guarded(first, second, merged), two_titles or two_texts)


def merge_text(base: str | None, first: str, second: str) -> tuple[str, bool]:
    """Two edits of one text by lines, and whether they conflict. Both devices give the sides in one order.

    Without a base, the lines that both have stand in for it.
    """
    one, two = _lines(first), _lines(second)
    root = _common(one, two) if base is None else _lines(base)
    out: list[str] = []
    conflict = False
    for old, a, b in _regions(root, one, two):
        if a in (old, b):
            out += b
        elif old == b:
            out += a
        else:
            out += [OPEN, *a, MIDDLE, *b, CLOSE]
            conflict = True
    return "\n".join(out), conflict


def _age(memory: Memory) -> tuple[str, int, str]:
    # The last part only breaks ties, alike on every device.
    return memory.updated or memory.created, memory.rev, repr(dataclasses.astuple(memory))


def _next_rev(first: Memory, second: Memory) -> int:
    return min(max(first.rev, second.rev) + 1, MAX_REV)


def _front_matter(fields: dict[str, Any]) -> int:
    # An upper bound: every character escaped or of four bytes, and the frame of each line.
    written = [
        value if isinstance(value, str) else repr(value) for name, value in fields.items() if name != "body"
    ]
    return 6 * sum(map(len, written)) + 1024


def _fields(base: Memory | None, first: Memory, second: Memory) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(Memory):
        name = field.name
        old, a, b = getattr(base, name, None), getattr(first, name), getattr(second, name)
        decide = _DECIDE.get(name, _later)
        fields[name] = b if a in (b, old) else a if b == old else decide(old, a, b)
    fields["rev"] = _next_rev(first, second)
    fields["updated"] = max(first.updated, second.updated)
    return fields


def _later(_old: Any, a: Any, b: Any) -> Any:
    return b or a


def _union(old: Any, a: Any, b: Any) -> tuple[str, ...]:
    """What both kept of the old items in their order, then what either added."""
    kept = [item for item in old or () if item in a and item in b]
    added = [item for item in (*a, *b) if item not in (old or ())]
    return tuple(dict.fromkeys(kept + added))


def _extra(old: Any, a: Any, b: Any) -> str:
    """Foreign front matter by key; where both changed one, the later side's."""
    sides = [_chunks(text or "") for text in (old, a, b)]
    out = []
    for key in dict.fromkeys([*sides[1], *sides[2]]):
        was, one, two = (side.get(key) for side in sides)
        chunk = two if one in (two, was) else one if two == was else two or one
        if chunk is not None:
            out.append(chunk)
    together = "\n".join(out)
    return together if len(together) <= max(len(a), len(b), _EXTRA_LIMIT) else b or a


def _chunks(extra: str) -> dict[str, str]:
    from gitmem.memory.frontmatter import entries  # brings PyYAML; two edits of foreign front matter are rare

    chunks: dict[str, str] = {}
    for entry in entries(extra) or []:
        key = entry.key or entry.raw
        chunks[key] = f"{chunks[key]}\n{entry.raw}" if key in chunks else entry.raw
    return chunks


_DECIDE: dict[str, Callable[[Any, Any, Any], Any]] = {
    **dict.fromkeys(LISTS, _union),
    "extra": _extra,
    "created": lambda _old, a, b: min(a, b),
    "importance": lambda _old, a, b: max(a or 0.0, b or 0.0),
    "expires": lambda _old, a, b: max(a, b) if a and b else "",  # the one that keeps the memory longer
    "share": lambda _old, a, b: a and b,
    "trust": lambda _old, a, b: max(a, b, key=TRUSTS.index),
}


def _title(base: Memory | None, first: Memory, second: Memory) -> tuple[str, bool]:
    old, a, b = base.title if base else None, first.title, second.title
    if a in (b, old) or not a:
        return b, False
    if b == old or not b:
        return a, False
    return f"{a} / {b}", True


def _guarded(first: Memory, second: Memory, merged: Memory) -> Memory:
    """``merged`` with trust and share that hold for its text.

    A mark belongs to the text that its side saw. When the merged text is not what a side saw, its raise of
    trust or mark to share does not speak for it.
    """
    saw = [side for side in (first, second) if _text(side) == _text(merged)]
    if len(saw) == 2:
        return merged
    judges = saw or [first, second]
    trust = max((merged.trust, *(side.trust for side in judges)), key=TRUSTS.index)
    share = merged.share and all(side.share for side in judges)
    return dataclasses.replace(merged, trust=trust, share=share)


def _text(memory: Memory) -> tuple[str, str]:
    return memory.title, memory.body


def _lines(text: str) -> list[str]:
    return text.split("\n") if text else []


def _common(one: list[str], two: list[str]) -> list[str]:
    return [line for start, _, size in _matches(one, two) for line in one[start : start + size]]


def _matches(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int]]:
    """Runs of equal lines (start in old, start in new, length), in order; the equal ends are found first."""
    start, end = 0, 0
    least = min(len(old), len(new))
    while start < least and old[start] == new[start]:
        start += 1
    while end < least - start and old[-1 - end] == new[-1 - end]:
        end += 1
    middle = old[start : len(old) - end], new[start : len(new) - end]
    runs = [(0, 0, start), (len(old) - end, len(new) - end, end)]
    counts = Counter(middle[1])
    if sum(counts[line] for line in middle[0]) <= _EFFORT:
        blocks = SequenceMatcher(None, *middle, autojunk=False).get_matching_blocks()
        runs[1:1] = [(start + block.a, start + block.b, block.size) for block in blocks]
    return [run for run in runs if run[2]]


_Region = tuple[list[str], list[str], list[str]]


def _regions(root: list[str], one: list[str], two: list[str]) -> list[_Region]:
    """The three texts cut at the lines that all three share: (root, one, two) piece by piece."""
    in_one, in_two = _where(root, one), _where(root, two)
    regions: list[_Region] = []
    at = at_one = at_two = 0
    for line in range(len(root) + 1):
        last = line == len(root)
        if not last and (line not in in_one or line not in in_two):
            continue
        to_one, to_two = (len(one), len(two)) if last else (in_one[line], in_two[line])
        regions.append((root[at:line], one[at_one:to_one], two[at_two:to_two]))
        if not last:
            regions.append(([root[line]], [one[to_one]], [two[to_two]]))
        at, at_one, at_two = line + 1, to_one + 1, to_two + 1
    return regions


def _where(root: list[str], side: list[str]) -> dict[int, int]:
    return {old + n: new + n for old, new, size in _matches(root, side) for n in range(size)}

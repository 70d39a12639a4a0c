"""What a step of a consolidation plan may do: its actions, its sizes, and what each action must keep.

These are the only guards between a text that talks a model into something and the vault.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gitmem.memory.days import days
from gitmem.memory.likeness import held, overlap, terms
from gitmem.memory.memory import KINDS, TRUSTS, Memory, is_time
from gitmem.memory.text import visible_line

if TYPE_CHECKING:
    from gitmem.memory.plan import Step

# create     a new memory drawn from its sources, which stay as they are
# update     a new text for an earlier consolidated memory (target), drawn from its old sources and new ones
# merge      several that say the same: the target as it is, or a new text, takes the place of the others
# supersede  a newer statement (target) takes the place of older ones that it contradicts, with their dates
# expire     a memory (target) whose time is over, as a newer source shows or, of a task, its own date
# question   a contradiction that nothing decides: an open question that names both; nothing is retired
ACTIONS = ("create", "update", "merge", "supersede", "expire", "question")
SOURCE = "consolidation"  # what `source` says in every memory that consolidation wrote
OVERVIEW = "overview"  # the tag of a summary of what a project holds, which later runs add to
CONTENTS = "topics"  # the tag of a list of topics, kept by code
NARRATIVE = "digest"  # the tag of a digest's narrative
RESERVED = frozenset((CONTENTS, NARRATIVE))  # tags that no plan may claim

MAX_TITLE = 160  # characters
MAX_BODY = 8000
MAX_REASON = 300
MAX_WORDS = 12  # topics or tags of one memory, each of at most so many characters:
MAX_WORD = 60
MAX_FILES = 20
MAX_PATH = 240
# How much of a text must be in what takes its place, in word stems: where both say the same, and the former
# text of a consolidated memory. And how much two statements share that are about one thing.
SAME, KEPT, ABOUT = 0.5, 0.5, 0.2

Known = dict[str, Memory]


class Bound(Exception):
    """Why a step may not be taken: a sentence without memory text."""


def bounded(step: Step, known: Known) -> Step:
    """``step`` with its words tidied, once it has kept every bound.

    Raises:
        Bound: it does not; ``known`` are the memories of its group.
    """
    clean = _text_of(_cited(step, known))
    _RULES[clean.action](clean, known)
    return clean


class Roles:
    """Who goes and who stays over many steps: what takes another's place must itself stay."""

    def __init__(self) -> None:
        self._gone: set[str] = set()
        self._stays: set[str] = set()

    def claim(self, step: Step) -> None:
        """Take the roles that ``step`` gives.

        Raises:
            Bound: one of its memories has another role already; nothing was taken.
        """
        gone = {step.target} if step.action == "expire" else set(retired(step))
        stays = {step.target} - gone - {""}
        twice = stays & self._stays if step.action == "update" else set()
        if twice or gone & (self._gone | self._stays) or stays & self._gone:
            raise Bound(f"{step.action}: another step already decides about the same memory")
        self._gone |= gone
        self._stays |= stays


def retired(step: Step) -> tuple[str, ...]:
    """The ids that the outcome of ``step`` takes the place of."""
    if step.action == "supersede":
        return tuple(dict.fromkeys((step.target, *step.sources)))
    if step.action == "merge":
        return tuple(one for one in step.sources if one != step.target)
    return ()


def untrue(step: Step) -> tuple[str, ...]:
    """The ids that ``step`` calls no longer true."""
    if step.action == "expire":
        return (step.target,)
    return tuple(one for one in step.sources if one != step.target) if step.action == "supersede" else ()


def least(memories: Sequence[Memory]) -> str:
    """The least trust among them: what anything drawn from them has."""
    return max((memory.trust for memory in memories), key=TRUSTS.index)


def stated(memory: Memory) -> str:
    """When a memory said what it says now."""
    return memory.updated or memory.created


def _cited(step: Step, known: Known) -> Step:
    sources = tuple(dict.fromkeys(step.sources))
    if step.action not in ACTIONS:
        raise Bound("unknown action")
    if any(one not in known for one in (*sources, step.target) if one):
        raise Bound(f"{step.action}: it names a memory that is not in the group")
    if not all(sources) or (not sources and step.action != "expire"):
        raise Bound(f"{step.action}: it names no source")
    return replace(step, sources=sources)


def _text_of(step: Step) -> Step:
    body, title = step.body.strip(), visible_line(step.title)
    if len(body) > MAX_BODY or len(title) > MAX_TITLE:
        raise Bound(f"{step.action}: its text is too long")
    if step.kind not in KINDS or step.kind == "file":
        raise Bound(f"{step.action}: that kind of memory is not made here")
    if not 0 <= step.confidence <= 1 or not 0 <= (step.importance or 0) <= 1:
        raise Bound(f"{step.action}: confidence and importance lie between 0 and 1")
    if step.expires and not is_time(step.expires):
        raise Bound(f"{step.action}: it names a time that does not exist")
    return replace(
        step,
        title=title,
        body=body,
        tags=tuple(tag for tag in _labels(step.tags, MAX_WORDS, MAX_WORD) if tag not in RESERVED),
        topics=_labels(step.topics, MAX_WORDS, MAX_WORD),
        files=_labels(step.files, MAX_FILES, MAX_PATH),
        reason=visible_line(step.reason)[:MAX_REASON],
    )


def _labels(words: Sequence[str], most: int, longest: int) -> tuple[str, ...]:
    """Each on one line and once; those too many or too long are left out: they are only labels."""
    lines = dict.fromkeys(visible_line(word) for word in words)
    return tuple(line for line in lines if 0 < len(line) <= longest)[:most]


# What each action must keep besides.


def _create(step: Step, known: Known) -> None:
    _needs_text(step)
    if step.target:
        raise Bound(f"{step.action}: it has no target")
    if step.expires and step.expires <= max(known[one].created for one in step.sources):
        raise Bound(f"{step.action}: it would be over before its sources were written")


def _question(step: Step, known: Known) -> None:
    _create(step, known)
    if len(step.sources) < 2:
        raise Bound("question: a contradiction has two sides")


def _update(step: Step, known: Known) -> None:
    _needs_text(step)
    _needs_target(step)
    _keeps_time(step)
    target = known[step.target]
    if target.source != SOURCE or RESERVED & set(target.tags):
        raise Bound("update: only what consolidation wrote before may be rewritten")
    _trusts(step, [known[one] for one in step.sources], [target])  # also for what was drawn from it since
    if target.kind != "summary" or target.supersedes:  # else all that it speaks of still stands beside it
        _says(step, _text(step), [target], KEPT)


def _merge(step: Step, known: Known) -> None:
    _keeps_time(step)
    gone = [known[one] for one in retired(step)]
    if not gone or len(gone) + bool(step.target) < 2:
        raise Bound("merge: it takes two")
    if not step.target:
        _needs_text(step)
        _trusts(step, gone, gone)
        _says(step, _text(step), gone, SAME)
        return
    if step.body:
        raise Bound("merge: either a memory stays or a new text is written")
    stays = known[step.target]
    if stays.expires and any(not one.expires or one.expires > stays.expires for one in gone):
        raise Bound("merge: what stays would end before what it replaces")
    _trusts(step, [stays], gone)
    _says(step, _words(stays), gone, SAME)


def _supersede(step: Step, known: Known) -> None:
    _needs_target(step)
    _keeps_time(step)
    newer, older = known[step.target], [known[one] for one in untrue(step)]
    if not older:
        raise Bound("supersede: it names nothing older")
    if newer.expires:
        raise Bound("supersede: its target will end by itself, and what it replaces with it")
    if any(stated(one) >= stated(newer) for one in older):
        raise Bound("supersede: its target is not newer than what it replaces; that is a question")
    _trusts(step, [newer], older)
    if any(not _related(newer, one) for one in older):
        raise Bound("supersede: the two are not about the same thing")
    if step.body:
        _trusts(step, older, [newer])  # a text drawn from both has the trust of the lesser
        _says(step, _text(step), [newer], SAME)


def _expire(step: Step, known: Known) -> None:
    _needs_target(step)
    if step.body or step.title:
        raise Bound("expire: it makes no text")
    target = known[step.target]
    if target.expires and (not step.expires or target.expires <= step.expires):
        raise Bound("expire: it ends by itself before that")
    basis = [known[one] for one in step.sources if one != step.target]
    newer = [one for one in basis if stated(one) > stated(target) and _related(one, target)]
    if newer:
        _trusts(step, newer, [target])
    elif target.kind != "task" or not step.expires or not _over(target, step.expires):
        raise Bound("expire: nothing newer shows that its time is over")


def _over(task: Memory, when: str) -> bool:
    """Whether every day that a task names has passed at ``when``."""
    named = days(_words(task), stated(task))
    return bool(named) and max(named) < when[:10]


_RULES: dict[str, Callable[[Step, Known], None]] = {
    "create": _create,
    "update": _update,
    "merge": _merge,
    "supersede": _supersede,
    "expire": _expire,
    "question": _question,
}


def _needs_text(step: Step) -> None:
    if not step.body:
        raise Bound(f"{step.action}: it has no text")


def _needs_target(step: Step) -> None:
    if not step.target:
        raise Bound(f"{step.action}: it names no target")


def _keeps_time(step: Step) -> None:
    if step.expires:  # its end would take along what it replaced
        raise Bound(f"{step.action}: what takes the place of others cannot be given an end")


def _trusts(step: Step, basis: Sequence[Memory], gone: Sequence[Memory]) -> None:
    trust = least(basis)
    if trust == "inbox" or any(TRUSTS.index(one.trust) < TRUSTS.index(trust) for one in gone):
        raise Bound(f"{step.action}: its sources are trusted less than what it would retire")


def _says(step: Step, text: str, gone: Sequence[Memory], share: float) -> None:
    there = set(terms(text))
    if any(held(set(terms(_words(one))), there) < share for one in gone):
        raise Bound(f"{step.action}: its text says too little of what it would replace")


def _related(one: Memory, other: Memory) -> bool:
    return overlap(set(terms(_words(one))), set(terms(_words(other)))) >= ABOUT


def _words(memory: Memory) -> str:
    return f"{memory.title}\n{memory.body}"


def _text(step: Step) -> str:
    return f"{step.title}\n{step.body}"

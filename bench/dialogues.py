"""LoCoMo's conversations as memories: which text each turn, fact and session is, and what answers a question.

The file is LoCoMo's own JSON: a list of conversations, each with ``conversation`` (``speaker_a``,
``speaker_b``, ``session_N`` and ``session_N_date_time``), ``observation`` and ``qa``.
"""

from __future__ import annotations

import calendar
import hashlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gitmem.memory.ids import new_id
from gitmem.memory.memory import Memory

UNITS = ("turns", "notes", "sessions")
HEADLINE = (1, 2, 3, 4)
CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}

# Evidence comes as "D1:3", "D8:6; D9:17", "D:11:26", "D30:05" and "D", in lists or alone.
_PLACE = re.compile(r"D:?\s*0*(\d+)\s*:\s*0*(\d+)")
_SESSION = re.compile(r"session_(\d+)")
_CLOCK = "%I:%M %p on %d %B, %Y"


@dataclass(frozen=True, slots=True)
class Line:
    """A turn or a fact: its key (``conv-26/D1:3``; a fact's ends in ``D1#4``), who says it or whom it is
    about, its text and the turns that it rests on.
    """

    key: str
    who: str
    text: str
    evidence: frozenset[str]


@dataclass(frozen=True, slots=True)
class Session:
    """One sitting; its key is ``conv-26/D1``."""

    key: str
    number: int
    time: str
    turns: tuple[Line, ...]
    facts: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question of one conversation and the keys of the turns that hold its answer."""

    conversation: str
    text: str
    category: int
    evidence: frozenset[str]


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One conversation of two people."""

    name: str
    speakers: tuple[str, str]
    sessions: tuple[Session, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """One memory and where each of its units lies in the body: (start, end, key), in order."""

    memory: Memory
    places: tuple[tuple[int, int, str], ...]


def load(path: str) -> list[Dialogue]:
    """The conversations of LoCoMo's file.

    Raises:
        OSError, ValueError, KeyError: there is none, or it is something else.
    """
    with open(path, encoding="utf-8") as file:
        return [_dialogue(found) for found in json.load(file)]


def places_named(evidence: object, name: str) -> frozenset[str]:
    """The keys of the turns that an evidence entry of any form names."""
    text = json.dumps(evidence)
    return frozenset(f"{name}/D{found[1]}:{found[2]}" for found in _PLACE.finditer(text))


def texts(dialogues: list[Dialogue], unit: str) -> list[Text]:
    """One memory per session: its turns, or (``notes``) a list of its facts."""
    made = []
    for dialogue in dialogues:
        for session in dialogue.sessions:
            lines = session.facts if unit == "notes" else session.turns
            if lines:
                made.append(_text(dialogue, session, unit, lines))
    return made


def gold(dialogues: list[Dialogue], unit: str) -> Iterator[tuple[Question, frozenset[str]]]:
    """Every question with the keys of the units that answer it: the turns of its evidence, the facts that
    rest on one of those turns, or their sessions. Questions without any come with none.
    """
    for dialogue in dialogues:
        facts = [fact for session in dialogue.sessions for fact in session.facts]
        for question in dialogue.questions:
            keys = question.evidence
            if unit == "sessions":
                keys = frozenset(key.rpartition(":")[0] for key in keys)
            elif unit == "notes":
                keys = frozenset(fact.key for fact in facts if fact.evidence & question.evidence)
            yield question, keys


def _dialogue(found: dict[str, Any]) -> Dialogue:
    name = str(found["sample_id"])
    talk = found["conversation"]
    numbers = [int(match[1]) for key in talk if (match := _SESSION.fullmatch(key)) and talk[key]]
    sessions = tuple(_session(found, name, number) for number in sorted(numbers))
    known = {turn.key for session in sessions for turn in session.turns}
    questions = tuple(
        Question(
            name, str(one["question"]), int(one["category"]), places_named(one.get("evidence"), name) & known
        )
        for one in found["qa"]
    )
    return Dialogue(name, (str(talk["speaker_a"]), str(talk["speaker_b"])), sessions, questions)


def _session(found: dict[str, Any], name: str, number: int) -> Session:
    talk, key = found["conversation"], f"{name}/D{number}"
    clock = time.strptime(str(talk[f"session_{number}_date_time"]), _CLOCK)
    turns = tuple(_turn(one, name) for one in talk[f"session_{number}"])
    told = found.get("observation", {}).get(f"session_{number}_observation", {})
    about = ((who, fact[0], fact[1:]) for who, facts in told.items() for fact in facts)
    facts = tuple(
        Line(f"{key}#{at}", who, _plain(text), places_named(evidence, name))
        for at, (who, text, evidence) in enumerate(about)
    )
    return Session(key, number, time.strftime("%Y-%m-%dT%H:%M:%SZ", clock), turns, facts)


def _turn(one: dict[str, Any], name: str) -> Line:
    caption = f" [photo: {one['blip_caption']}]" if one.get("blip_caption") else ""
    key = next(iter(places_named(one["dia_id"], name)), f"{name}/{one['dia_id']}")
    return Line(key, str(one["speaker"]), _plain(f"{one['text']}{caption}"), frozenset([key]))


def _plain(text: str) -> str:
    return " ".join(str(text).split())


def _text(dialogue: Dialogue, session: Session, unit: str, lines: tuple[Line, ...]) -> Text:
    names = " and ".join(dialogue.speakers)
    what = "notes of conversation" if unit == "notes" else "conversation"
    written = [f"- {line.text}" if unit == "notes" else f"**{line.who}**: {line.text}" for line in lines]
    places, at = [], 0
    for line, text in zip(lines, written, strict=True):
        places.append((at, at + len(text), line.key))
        at += len(text) + 1
    seconds = calendar.timegm(time.strptime(session.time, "%Y-%m-%dT%H:%M:%SZ"))
    tail = hashlib.sha256(f"{unit} {session.key}".encode()).digest()[:10]  # the same id in every run
    memory = Memory(
        id=new_id(seconds * 1000, tail),
        title=f"{names}, {what} {session.number}",
        body="\n".join(written),
        created=session.time,
        project=dialogue.name,
        tags=("chat",),
        source=session.key,
    )
    return Text(memory, tuple(places))

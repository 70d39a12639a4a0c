"""The engine that asks Claude: a group becomes a prompt, the answer becomes steps, and those are checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gitmem.claude import prompts
from gitmem.claude.client import Model, Prompt, T
from gitmem.claude.failures import MalformedError, OverBudgetError, RefusedError
from gitmem.claude.prices import MOST_TOKENS, Usage
from gitmem.claude.replies import Change, Changes, Narrative
from gitmem.errors import ModelError
from gitmem.flows.consolidate.engine import BudgetSpentError, Cost, Estimate, GroupRefusedError
from gitmem.memory.bounds import retired, stated
from gitmem.memory.memory import Memory, is_time
from gitmem.memory.pack import best_first
from gitmem.memory.plan import Group, Plan, Step, check

ROOM = 70_000  # tokens for notes by the rough count, so that instructions, form and error have room as well
_LEAST_ANSWER, _MOST_ANSWER = 4_000, 16_000  # tokens, thinking included
_TOLD, _NARRATIVE_ANSWER = 20_000, 4_000  # tokens for the notes of a narrative, and for it
_LONG = 6_000  # characters of one note in a narrative's prompt
_SURE = 0.5  # the least confidence that counts, as the instructions say
_HARMLESS = '{"n": 1, "new": true, "kind": "note", "text": "The shop opens at nine."}'
_UNKNOWN = "?"  # an id that no memory has: the check refuses the step

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt, and the memories behind the numbers in it; of those in ``cut`` it shows only a part."""

    prompt: Prompt[Changes]
    memories: tuple[Memory, ...]
    cut: frozenset[str] = frozenset()


class ClaudeEngine:
    """Claude as an engine (see :class:`gitmem.flows.consolidate.engine.Engine`).

    Args:
        model: whom to ask.
        today: the date of this run, ``2026-11-20``; notes speak of deadlines.
        templates: the folder that ``prompts/`` lies in.
    """

    name = "claude"

    def __init__(self, model: Model, today: str, templates: str) -> None:
        self._model = model
        self._today = today
        self._consolidate = prompts.instructions(templates, "consolidate")
        self._answers = False
        self._narrate = prompts.instructions(templates, "narrate")

    def prepare(self, groups: Sequence[Group]) -> Estimate:
        """What planning all of them takes at most, if every answer can be used; counting tokens is free."""
        worst = Usage()
        for group in groups:
            worst += self._worst(group)
        return Estimate(worst.requests, worst.tokens_in, worst.out, self._dollars(worst))

    def plan(self, group: Group) -> Plan:
        """Claude's changes for the group, checked."""
        question = self._question(group)
        counted = self._model.count(question.prompt)
        try:
            answer = _told(lambda: self._asked(question.prompt, _bound(counted)))
        except GroupRefusedError:
            self._must_answer()
            raise
        self._answers = True
        return self._checked(group, question, answer.changes)

    def narrate(self, project: str, memories: Sequence[Memory]) -> Step | None:
        """Claude's narrative of the best of these memories, in one request of bounded size."""
        shown: list[Memory] = []
        room = _TOLD
        for memory in best_first(memories):
            room -= prompts.tokens(prompts.note(memory, 0, most=_LONG))
            if room < 0:
                break
            shown.append(memory)
        if not shown:
            return None
        shown.sort(key=stated)
        notes = [prompts.note(memory, n, most=_LONG) for n, memory in enumerate(shown, start=1)]
        text = prompts.question(prompts.NARRATE, notes, project, self._today)
        prompt = Prompt(self._narrate, text, Narrative, effort="low")
        answer = _told(lambda: self._asked(prompt, _NARRATIVE_ANSWER))
        if not answer.text.strip():
            return None
        # All that were shown, not those that an answer names: whatever was read may be in the text.
        sources = tuple(one.id for one in shown)
        return Step(
            action="create", sources=sources, kind="summary", title=answer.title, body=answer.text.strip()
        )

    def report(self) -> Cost | None:
        """What was spent, by the API's own account; None when nothing was asked."""
        spent = self._model.budget.spent
        if not spent.requests:
            return None
        return Cost(spent.requests, spent.tokens_in, spent.out, self._dollars(spent))

    def _dollars(self, usage: Usage) -> float | None:
        price = self._model.budget.price
        return usage.dollars(price) if price else None

    def _asked(self, prompt: Prompt[T], most: int) -> T:
        try:
            return self._model.ask(prompt, most)
        except MalformedError:
            return self._model.ask(prompt, most)

    def _must_answer(self) -> None:
        """See that Claude answers at all, or every memory would be set aside for a fault that is not its own.

        Raises:
            ModelError: it gives no usable answer to something harmless either.
        """
        if self._answers:
            return
        text = prompts.question(prompts.CONSOLIDATE, [_HARMLESS], "", self._today)
        try:
            _told(lambda: self._asked(Prompt(self._consolidate, text, Changes), _LEAST_ANSWER))
        except GroupRefusedError as refusal:
            raise ModelError(
                f"Claude gives no usable answer to anything. {refusal.message}",
                "Nothing was lost. Is `gitmem config get consolidate.model` a current model?",
            ) from None
        self._answers = True

    def _worst(self, group: Group) -> Usage:
        try:
            counted = self._model.count(self._question(group).prompt)
        except GroupRefusedError:
            half = len(group.new) // 2
            if not half:
                return Usage()
            halves = (group.new[:half], group.new[half:])
            first, second = (Group(group.project, group.topic, new, group.known) for new in halves)
            return self._worst(first) + self._worst(second)
        return Usage.worst(counted, _bound(counted))

    def _question(self, group: Group) -> Question:
        """The group in one prompt: all that is new, and of the older ones as many as fit.

        A single new memory that is too long for a request is shown in part.

        Raises:
            GroupRefusedError: the new ones are too much for one request; half of them may fit.
        """
        room = ROOM
        while True:
            question = self._laid_out(group, room)
            if self._model.count(question.prompt) <= MOST_TOKENS:
                return question
            room //= 2

    def _checked(self, group: Group, question: Question, changes: Sequence[Change]) -> Plan:
        steps = [_step(change, question.memories, self._today) for change in changes]
        sure = [step for step in steps if step.confidence >= _SURE]
        whole = [step for step in sure if question.cut.isdisjoint(_taken_away(step))]
        plan = check(group, whole)
        doubts = ("Claude itself was not sure enough of it",) * (len(steps) - len(sure))
        parts = ("a memory that was too long to be read as a whole is not retired",) * (
            len(sure) - len(whole)
        )
        return Plan(group, plan.steps, plan.refused + doubts + parts)

    def _laid_out(self, group: Group, room: int) -> Question:
        most = room * 2 if len(group.new) == 1 else 0  # characters: also of those that take two tokens each
        notes = [prompts.note(one, n, new=True, most=most) for n, one in enumerate(group.new, start=1)]
        taken = sum(map(prompts.tokens, notes))
        if taken > room and not most:
            raise GroupRefusedError("These memories are too much for one request.")
        for memory in group.known:
            note = prompts.note(memory, len(notes) + 1)
            taken += prompts.tokens(note)
            if taken > room:
                break
            notes.append(note)
        shown = group.memories[: len(notes)]
        cut = frozenset(one.id for one in group.new if 0 < most < len(one.body))
        text = prompts.question(prompts.CONSOLIDATE, notes, group.topic or group.project, self._today)
        return Question(Prompt(self._consolidate, text, Changes), shown, cut)


def _bound(counted: int) -> int:
    """How long an answer may be: about as long as its notes, with some room to think, in tokens."""
    return min(_LEAST_ANSWER + counted, _MOST_ANSWER)


def _told(ask: Callable[[], R]) -> R:
    """What ``ask`` gives; its errors in the words of the port."""
    try:
        return ask()
    except OverBudgetError as error:
        raise BudgetSpentError(error.message, error.hint) from None
    except (RefusedError, MalformedError) as error:
        raise GroupRefusedError(error.message) from None


def _taken_away(step: Step) -> tuple[str, ...]:
    return (step.target,) if step.action in ("expire", "update") else retired(step)


def _step(change: Change, memories: Sequence[Memory], today: str) -> Step:
    """A change as a step; numbers become ids here, so an answer can name nothing that it was not shown."""
    sources = tuple(_id(number, memories) for number in change.notes)
    target = _id(change.target, memories) if change.target else ""
    body = "" if change.action == "expire" else change.text.strip()
    if change.action == "merge" and body and target:  # a new text: the one that it was based on goes as well
        sources, target = (*sources, target), ""
    return Step(
        action=change.action,
        sources=sources,
        target="" if change.action in ("create", "question") else target,
        kind=change.kind,
        title=change.title if body else "",
        body=body,
        topics=tuple(change.topics),
        files=tuple(change.files),
        importance=change.importance,
        confidence=change.confidence,
        expires=_time(change.expires or today) if change.action == "expire" else _date(change.expires),
        reason=change.reason,
    )


def _id(number: int, memories: Sequence[Memory]) -> str:
    return memories[number - 1].id if 1 <= number <= len(memories) else _UNKNOWN


def _time(text: str) -> str:
    """A date as the time at which it begins; anything else as it is, to be looked at by the check."""
    date = text.strip()
    return date + "T00:00:00Z" if len(date) == len("2026-11-20") else date


def _date(text: str) -> str:
    """The same where a date is an extra: one that does not exist is left out."""
    return time if is_time(time := _time(text)) else ""

"""The port to whoever thinks: Claude, or the offline engine. What one promises, and how it says no."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gitmem.errors import GitmemError, ModelError
from gitmem.memory.memory import Memory
from gitmem.memory.plan import Group, Plan, Step


class GroupRefusedError(GitmemError):
    """This group got no plan: refused, or the answer stayed unusable. Others may well get one.

    ``message`` says why in one sentence without memory text; it is kept, sealed, beside the memory that the
    halving of the group ends at. A lost network, a bad key or a spent quota is a ModelError instead: it
    stops the run.
    """

    exit_code = ModelError.exit_code


class BudgetSpentError(ModelError):
    """The next request might pass the budget, so it was not sent; what was planned before it stands."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run takes at most; ``dollars`` is None where the price of the model is not known."""

    requests: int
    tokens_in: int
    tokens_out: int
    dollars: float | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took; ``dollars`` is None where the price of the model is not known."""

    requests: int
    tokens_in: int
    tokens_out: int
    dollars: float | None


class Engine(Protocol):
    """Turns groups into checked plans. Money, the network and chance live behind this and nowhere else."""

    @property
    def name(self) -> str:
        """``claude`` or ``offline``."""
        ...

    def prepare(self, groups: Sequence[Group]) -> Estimate | None:
        """What planning all of them may cost, before anything is spent; None where it costs nothing.

        Raises:
            ModelError: nothing can be asked at all (no network, bad key).
        """
        ...

    def plan(self, group: Group) -> Plan:
        """The plan for one group, through :func:`gitmem.memory.plan.check`.

        Raises:
            GroupRefusedError: this group gets none; the caller halves it.
            BudgetSpentError: the request might pass the budget; the caller ends the run in good order.
            ModelError: the model cannot be reached any more; the caller keeps what was planned so far.
        """
        ...

    def narrate(self, project: str, memories: Sequence[Memory]) -> Step | None:
        """The digest's narrative of a project ("" for the overview of all), drawn from these memories.

        They are all publishable, and nothing else may be in the text. A ``create`` step of kind ``summary``
        whose sources are all of ``memories`` that were looked at; None where there is nothing to tell.

        Raises:
            GroupRefusedError, BudgetSpentError, ModelError: as for :meth:`plan`.
        """
        ...

    def report(self) -> Cost | None:
        """What was spent so far; None where nothing costs anything."""
        ...

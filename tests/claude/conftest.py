"""What the tests of Claude share: a client of the stand-in, memories, and groups of them."""

from __future__ import annotations

import pytest

from gitmem.claude.client import Claude
from gitmem.claude.prices import Budget
from gitmem.flows.consolidate.model import ClaudeEngine
from gitmem.memory.memory import Memory
from gitmem.memory.plan import Group
from gitmem.site.render import templates_dir

HAIKU = "claude-haiku-5-5"


@pytest.fixture
def claude(messages):
    """Makes a client of the stand-in."""

    def make(cost="0.50", model=HAIKU, **options):
        return Claude(model, Budget.of(model, cost, "0.50"), messages.key, **{"seconds": 5, **options})

    return make


@pytest.fixture
def engine(claude):
    """Makes an engine on it."""

    def make(**options):
        return ClaudeEngine(claude(**options), "2026-11-20", templates_dir())

    return make


@pytest.fixture
def remembered(clock):
    """Makes memories, each a day after the one before."""

    def make(body, **fields):
        clock.advance(86_400)
        return Memory(**{"id": clock.new_id(), "body": body, "created": clock.now(), **fields})

    return make


@pytest.fixture
def group(remembered):
    """Makes a group of new memories with these texts."""

    def make(*bodies, known=(), project="boats", topic=""):
        return Group(project, topic, tuple(map(remembered, bodies)), tuple(map(remembered, known)))

    return make

"""The world itself is in order: what the other tests take for granted."""

from __future__ import annotations

from harness import World, accepted


def test_the_world_starts_with_two_memories_known_to_both_devices(world: World) -> None:
    assert world.a.texts() == {world.one: "one, edited", world.two: "two"}
    accepted(world, world.a.texts())

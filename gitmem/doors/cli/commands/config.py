"""gitmem config."""

from __future__ import annotations

import click

from gitmem import config, settings
from gitmem.doors.cli import output
from gitmem.doors.cli.verb import Call, Verb, Verbs, verb


@click.group(name="config", cls=Verbs)
def command() -> None:
    """Read and change this machine's settings."""


def _text(value: settings.Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@verb(name="get", examples=[("gitmem config get sync.auto", "One value")])
@click.argument("name")
def get(call: Call, name: str) -> None:
    """Print the value of a setting."""
    value = config.get(name)
    output.show(call, {"name": name, "value": value}, [_text(value)])


@verb(
    name="set",
    examples=[
        ("gitmem config set author.name 'Ada'", "The name on your commits"),
        ("gitmem config set sync.auto false", "Push only by `gitmem sync`"),
        ("gitmem config set vault.default ~/memory", "The vault of every folder"),
    ],
)
@click.argument("name")
@click.argument("value")
def put(call: Call, name: str, value: str) -> None:
    """Set a setting, for this machine and user."""
    stored = config.put(name, value)
    output.show(call, {"name": name, "value": stored}, [f"{name} is now {_text(stored) or 'empty'}."])


@verb(name="list", examples=[("gitmem config list", "Every setting, with what it means")])
def show(call: Call) -> None:
    """List every setting, its value and its meaning."""
    changed = config.changed()
    lines: list[output.Line] = []
    for name, setting in settings.SETTINGS.items():
        mark = "" if name in changed else "  (default)"
        lines.append([("head", name), f" = {_text(config.get(name))}", ("dim", mark)])
        lines.append(("dim", f"    {setting.meaning}"))
    payload = {
        name: {"value": config.get(name), "default": setting.default, "meaning": setting.meaning}
        for name, setting in settings.SETTINGS.items()
    }
    output.show(call, {"settings": payload}, lines)


_PARTS: tuple[Verb, ...] = (get, put, show)
for part in _PARTS:
    command.add_command(part)

"""Where the demo plays: three machines in one temporary folder, and a screen of 80 columns."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass

import gitmem

WIDTH = 80
MACHINES = ("desk", "laptop", "stranger")
# What would steer git, gitmem or Claude from outside; HOME is set anew for each machine.
_FOREIGN = ("GIT_", "GITMEM_", "XDG_", "CLAUDE", "ANTHROPIC_")


class NotAsToldError(Exception):
    """The demo said something, and the program did something else."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The temporary folder ``root``: a home for each machine, and beside them whatever a server holds."""

    root: str
    colour: bool

    def set_up(self) -> None:
        """Make the homes, and `gitmem` as a program: the one of this very Python."""
        for name in (*MACHINES, "bin", "tmp"):
            os.makedirs(os.path.join(self.root, name))
        program = os.path.join(self.root, "bin", "gitmem")
        with open(program, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec "{sys.executable}" -P -m gitmem "$@"\n')
        os.chmod(program, 0o755)

    def path(self, *names: str) -> str:
        """A path on the stage."""
        return os.path.join(self.root, *names)

    def title(self, text: str) -> None:
        """The heading of an act."""
        print(f"\n{self._styled('1', text)}\n{self._styled('2', '─' * len(text))}", flush=True)

    def say(self, text: str) -> None:
        """A short paragraph to the reader."""
        print(f"\n{textwrap.fill(' '.join(text.split()), WIDTH - 2)}", flush=True)

    def run(self, machine: str, command: str, code: int = 0) -> str:
        """Shows ``command`` as typed on ``machine``, runs it there, and shows and returns what it said.

        Raises:
            NotAsToldError: it did not end with ``code``.
        """
        print(f"\n{self._styled('36', machine + ' $')} {self._styled('1', command)}", flush=True)
        ended, said = self._shell(machine, command)
        for line in self._short(machine, said).splitlines():
            print("\n".join(_broken(line)))
        if ended:
            print(self._styled("31", f"[exit {ended}]"), flush=True)
        self.check(ended == code, f"`{command}` ends with {code}")
        return said

    def ask(self, machine: str, command: str) -> str:
        """What ``command`` says on ``machine``, for the demo's own eyes."""
        ended, said = self._shell(machine, command)
        self.check(ended == 0, f"`{command}` succeeds ({ended}, {said.strip()})")
        return said.strip()

    def check(self, holds: bool, claim: str) -> None:
        """Stop the demo unless what it says is so.

        Raises:
            NotAsToldError: it is not.
        """
        if not holds:
            raise NotAsToldError(claim)

    def prove(self, holds: bool, claim: str) -> None:
        """The same, and tell the reader: for what the screen does not show by itself."""
        self.check(holds, claim)
        print(self._styled("32", f"✓ {claim}"), flush=True)

    def _shell(self, machine: str, command: str) -> tuple[int, str]:
        home = self.path(machine)
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=home,
            env=self._environment(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def _environment(self, home: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        package_home = os.path.dirname(os.path.dirname(os.path.abspath(gitmem.__file__)))
        return kept | {
            "HOME": home,
            "TMPDIR": self.path("tmp"),
            "PATH": os.pathsep.join([self.path("bin"), os.environ.get("PATH", os.defpath)]),
            "PYTHONPATH": package_home,
            "PYTHONUTF8": "1",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
        }

    def _short(self, machine: str, said: str) -> str:
        return said.replace(self.path(machine), "~").replace(self.root, "…")

    def _styled(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


def _broken(line: str) -> list[str]:
    """``line`` in pieces that fit the screen, cut after a space where there is one."""
    pieces = []
    while len(line) > WIDTH:
        cut = line.rfind(" ", WIDTH // 2, WIDTH) + 1 or WIDTH
        pieces.append(line[:cut].rstrip())
        line = line[cut:]
    return [*pieces, line]

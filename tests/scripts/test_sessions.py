"""Runs the terminal sessions beside this file: command lines, and what they must print.

A line `$ command` is run by sh, with `gitmem` on the PATH and errors among the output. The lines below it are
what it prints: `...` alone stands for any lines, `…` for any text within one, `{name}` for a word that lines
below may use again. `[exit 14]` is its exit code when that is not 0. `#:` begins a remark. `laptop`
is gitmem as on another machine. The folder that the session runs in is shown as `.`, home as `~`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


@dataclass
class Step:
    line: int
    command: str
    expected: list[str]


def steps(text):
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("$ "):
            found.append(Step(number, line[2:], []))
        elif found and not line.startswith("#:"):
            if line.startswith("> "):
                found[-1].command += "\n" + line[2:]
            else:
                found[-1].expected.append(line)
    return found


def pattern(expected, names):
    lines = list(expected)
    while lines and not lines[-1].strip():
        lines.pop()
    parts = [_line_pattern(line, names) for line in lines]
    return "".join(parts)


def _line_pattern(line, names):
    if line.strip() == "...":
        return r"(?:.*\n)*?"
    out, seen = "", set()
    for piece in re.split(r"(…|\{[a-z]+\})", line.rstrip()):
        if piece == "…":
            out += ".*?"
        elif re.fullmatch(r"\{[a-z]+\}", piece):
            name = piece[1:-1]
            if name in names:
                out += re.escape(names[name])
            else:
                out += rf"(?P={name})" if name in seen else rf"(?P<{name}>\S+)"
                seen.add(name)
        else:
            out += re.escape(piece)
    return out + r"[ ]*\n"


def filled(command, names):
    return re.sub(r"\{([a-z]+)\}", lambda match: names.get(match[1], match[0]), command)


@pytest.fixture
def shell(tmp_path, home):
    folder = tmp_path / "work"
    folder.mkdir()
    programs = home / "bin"
    programs.mkdir()
    other = home / "laptop"
    folders = " ".join(f'XDG_{name}_HOME="{other}/{name}"' for name in ("CONFIG", "DATA", "STATE"))
    for name, prefix in (("gitmem", ""), ("laptop", f'env HOME="{other}" {folders} ')):
        script = programs / name
        script.write_text(f'#!/bin/sh\nexec {prefix}"{sys.executable}" -P -m gitmem "$@"\n')
        script.chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}

    def run(command):
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            text=True,
        )
        said = done.stdout if not done.stdout or done.stdout.endswith("\n") else done.stdout + "\n"
        said = said.replace(str(folder), ".").replace(str(home), "~")
        return said + (f"[exit {done.returncode}]\n" if done.returncode else "")

    return run


@pytest.mark.skipif(os.name != "posix", reason="sessions are written for sh")
@pytest.mark.parametrize("path", sorted(HERE.glob("*.txt")), ids=lambda path: path.stem)
def test_the_session_runs_as_written(path, shell):
    names = {}
    for step in steps(path.read_text(encoding="utf-8")):
        said = shell(filled(step.command, names))
        found = re.fullmatch(pattern(step.expected, names), said)
        assert found, (
            f"{path.name}:{step.line}: $ {step.command}\nexpected:\n"
            + "\n".join(step.expected)
            + f"\nsaid:\n{said}"
        )
        names.update(found.groupdict())
        wide = [
            line
            for line in said.splitlines()
            if "[exit" not in said and len(re.sub("[0-9a-f]{32}", "…", line)) > 100
        ]
        assert wide == [], f"{path.name}:{step.line}: lines that do not fit a terminal"


def test_the_runner_sees_what_is_wrong(shell):
    session = "$ printf 'one\\ntwo x7\\nlast\\n'; exit 3\none\ntwo {word}\n...\n[exit 3]\n$ echo {word}\nx7\n"
    first, second = steps(session)
    found = re.fullmatch(pattern(first.expected, {}), shell(first.command))
    assert found is not None
    assert found["word"] == "x7"
    assert shell(filled(second.command, found.groupdict())) == "x7\n"
    for wrong in (
        ["one"],
        ["one", "two {word}", "last"],
        ["one", "...", "[exit 4]"],
        ["...", "two", "...", "[exit 3]"],
    ):
        assert re.fullmatch(pattern(wrong, {}), shell(first.command)) is None

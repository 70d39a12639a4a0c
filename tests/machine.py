"""A machine of a test's own: a home, a vault on it, the real command, and what must always hold there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import guards

# Prints what the index says before and after a rebuild.
_COMPARE = """
import json, os, sys
from gitmem import app
from gitmem.index.filters import Filters
def look():
    store = app.open_store(sys.argv[1])
    every = Filters(everything=True)
    rows = [repr(row) for row in store.rows(every)]
    found = {q: sorted(hit.memory.id for hit in store.search(q, every, 1000)) for q in sys.argv[2:]}
    some = [memory for _, memory in zip(range(40), store.memories())]
    again = sum(store.same_text(one) is None for one in some)
    at, tip, folder = store.index.commit, store.tip(), store.repo.folder
    store.close()
    return dict(rows=sorted(rows), found=found, again=again, current=at == tip), folder
before, folder = look()
for name in ("index.db", "index.db-wal", "index.db-shm", "seen"):
    if os.path.exists(os.path.join(folder, name)):
        os.unlink(os.path.join(folder, name))
after, _ = look()
print(json.dumps([before, after]))
"""
# Writes argv[2] memories one after the other through the same calls as `gitmem write`, without its start-up.
_WRITER = """
import sys
from gitmem import app
from gitmem.flows.remember import remember
path, name, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
for turn in range(number):
    store = app.open_store(path)
    print("wrote", remember(store, f"{name} says number {turn}", tags=[name]).memory.id, flush=True)
    store.close()
"""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output, read as JSON."""
        return json.loads(self.out)


@dataclass(slots=True)
class Machine:
    """One home folder and the vault that is used on it; ``vault`` is a work tree or a bare repository."""

    home: Path
    vault: Path
    env: dict[str, str] = field(default_factory=dict)

    @classmethod
    def new(cls, folder: Path) -> Machine:
        """A machine that has nothing yet, below ``folder``."""
        home = folder / "home"
        (home / "tmp").mkdir(parents=True)
        (home / "gitconfig").touch()
        env = dict(guards.clean_environment(os.environ, str(home)))
        for name in ("PYTHONPATH", "GIT_SSH_COMMAND"):
            if name in os.environ:
                env[name] = os.environ[name]
        return cls(home, folder / "vault", env)

    def spawn(
        self, *args: str, env: Mapping[str, str | None] | None = None, **options: Any
    ) -> subprocess.Popen:
        """Start the real command in a process group of its own."""
        merged = {**self.env, **(env or {})}
        settings: dict[str, Any] = {
            "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
            "cwd": self.home, "start_new_session": True,
        }  # fmt: skip
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "gitmem", "--vault", str(self.vault), *args],
            env={name: value for name, value in merged.items() if value is not None},
            **{**settings, **options},
        )

    def run(
        self,
        *args: str,
        code: int | None = 0,
        stdin: bytes = b"",
        env: Mapping[str, str | None] | None = None,
        timeout: float = 60,
        **options: Any,
    ) -> Done:
        """Run the real command to its end; it must end with ``code``, unless that is None."""
        child = self.spawn(*args, env=env, **{"stdin": subprocess.PIPE, **options})
        try:
            out, err = child.communicate(stdin or None, timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            raise
        done = Done(
            child.returncode, *((text or b"").decode("utf-8", "surrogateescape") for text in (out, err))
        )
        assert "Traceback" not in done.err, done.err
        assert code is None or done.code == code, (args, done)
        return done

    def python(self, script: str, *args: str) -> str:
        """Run a Python script on this machine and return its output."""
        argv = [sys.executable, "-P", "-c", script, *args]
        done = subprocess.run(argv, env=self.env, cwd=self.home, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def writer(self, name: str, number: int) -> subprocess.Popen:
        """Start a process that writes ``number`` memories, each by a store opened anew."""
        argv = [sys.executable, "-P", "-c", _WRITER, str(self.vault), name, str(number)]
        return subprocess.Popen(
            argv, env=self.env, cwd=self.home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def init(self, *options: str) -> Machine:
        """Make the vault."""
        self.run("init", str(self.vault), "--yes", *options)
        return self

    def join(self, other: Machine, *options: str) -> Machine:
        """Bring another machine's vault here by its join code."""
        code = other.run("invite").out.split()[-1]
        self.run("join", str(self.vault), *options, stdin=code.encode())
        return self

    def write(self, text: str, **options: Any) -> str:
        """Write a memory and return its id."""
        return str(self.run("--json", "write", "-", stdin=text.encode(), **options).json["memory"]["id"])

    def ids(self) -> list[str]:
        """The ids of all memories, through the index."""
        return [row["id"] for row in self.run("--json", "list", "--all", "--limit", "0").json["memories"]]

    def bodies(self) -> dict[str, str]:
        """Id → body of every memory, decrypted from the tip and not from the index."""
        lines = self.run("export", "-").out.splitlines()
        return {one["id"]: one["body"] for one in map(json.loads, lines)}

    @staticmethod
    def id_in(child: subprocess.Popen) -> str:
        """The id that a ``--json write`` prints; it must succeed."""
        out, err = child.communicate(timeout=60)
        assert child.returncode == 0, err
        return str(json.loads(out)["memory"]["id"])

    # What lies on the disk.

    @property
    def git_dir(self) -> Path:
        """The vault's git directory."""
        return self.vault / ".git" if (self.vault / ".git").exists() else self.vault

    def git(self, *args: str, code: int | None = 0, data: bytes = b"", timeout: float = 60) -> str:
        """The user's own git in the vault; it must end with ``code``, unless that is None."""
        done = subprocess.run(
            ["git", "-C", self.vault, *args], env=self.env, input=data, capture_output=True, timeout=timeout
        )
        out = done.stdout.decode("utf-8", "surrogateescape")
        assert code is None or done.returncode == code, (args, out, done.stderr)
        return out

    def locks(self) -> list[str]:
        """Lock files that stand in git's way."""
        return [
            os.path.relpath(os.path.join(folder, name), self.git_dir)
            for folder, _, names in os.walk(self.git_dir)
            for name in names
            if name.endswith(".lock") and name != "index.db.lock"
        ]

    def assert_sound(self, *queries: str) -> None:
        """Git finds no fault, index and files are in step, history is linear and verifies, search fits."""
        said = self.git("fsck", "--full", "--strict", "--no-dangling", "--no-progress")
        assert "missing" not in said, said
        if self.git_dir != self.vault:
            assert self.git("status", "--porcelain") == ""
        assert not self.locks()
        assert self.git("rev-list", "--merges", "--count", "HEAD").strip() == "0"
        assert "unsealed" not in self.run("verify").out
        before, after = json.loads(self.python(_COMPARE, str(self.vault), *queries))
        assert before["current"]
        assert before["again"] == 0
        assert before == after


def every(children: Iterable[subprocess.Popen]) -> list[Done]:
    """Wait for all of them."""
    found = []
    for child in children:
        out, err = child.communicate(timeout=200)
        found.append(Done(child.returncode, out, err))
    return found

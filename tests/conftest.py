"""Guards and fixtures that every test has: a home of its own, a clean environment, the real command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

import gitmem
import guards
import parts
from gitmem.memory import ids

pytest_plugins = ["browser", "git_server", "github_server", "messages_server", "ssh_server"]

REAL_ENVIRONMENT = dict(os.environ)
ROOT = Path(__file__).resolve().parent.parent
# The checkout, or site-packages when a built wheel is tested.
PACKAGE_HOME = Path(gitmem.__file__).resolve().parent.parent

# No deadline: two cores are shared by two workers, so one slow example says nothing.
hypothesis.settings.register_profile("gitmem", deadline=None, max_examples=60, print_blob=True)
hypothesis.settings.load_profile("gitmem")


def pytest_configure() -> None:
    """Fence this process in before the first test module is imported."""
    guards.raise_fence()


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder, and an environment that knows no other; both are this test's own."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "tmp").mkdir()
    (folder / "gitconfig").touch()
    clean = dict(guards.clean_environment(REAL_ENVIRONMENT, str(folder)))
    clean["PYTHONPATH"] = str(PACKAGE_HOME)  # children start in other folders and must find this same package
    for name in set(os.environ) - set(clean):
        monkeypatch.delenv(name)
    for name, value in clean.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "tmp"))
    return folder


# --- what the machine has ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The shared data folder (vectors, conversations, captures): ``GITMEM_TEST_DATA``."""
    if not parts.DATA or not os.path.isdir(parts.DATA):
        parts.missing("data", "set GITMEM_TEST_DATA to the shared data folder")
    return Path(parts.DATA)


@pytest.fixture(scope="session")
def age_program() -> str:
    """The stock `age` program."""
    return _program("age", "age")


@pytest.fixture(scope="session")
def chromium() -> str:
    """A Chromium that can run headless."""
    return _program("chromium", "chromium", "chromium-browser", "google-chrome")


def _program(part: str, *names: str) -> str:
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    parts.missing(part, f"no {names[0]} on the PATH")
    raise AssertionError  # never reached: missing() ends the test


# --- time and ids -----------------------------------------------------------------------------------------


class Clock:
    """A clock that moves only when told, and the ids that it gives: the two callables that a store takes."""

    def __init__(self, unix: int = 1_795_158_000) -> None:
        self.unix = unix  # 2026-11-20T07:00:00Z

    def now(self) -> str:
        import time

        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.unix))

    def advance(self, seconds: int) -> str:
        """Move on; the new time."""
        self.unix += seconds
        return self.now()

    def new_id(self) -> str:
        """A fresh ULID of this clock's time."""
        return ids.new_id(self.unix * 1000)


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at 2026-11-20T07:00:00Z."""
    return Clock()


# --- the real command -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run_gitmem(tmp_path: Path) -> Run:
    """Runs `gitmem` as a process of its own, without a terminal, in the test's home and folder.

    ``run_gitmem(["write", "-"], stdin="text", env={"CLAUDECODE": "1"}, cwd=folder) -> Result``.
    A value None in ``env`` takes that variable away.
    """

    def run(
        args: Sequence[str | Path],
        *,
        stdin: str | bytes = b"",
        env: Mapping[str, str | None] | None = None,
        cwd: Path | str | None = None,
        timeout: float = 120,
    ) -> Result:
        merged = {**os.environ, **(env or {})}
        done = subprocess.run(
            [sys.executable, "-m", "gitmem", *map(str, args)],
            input=stdin.encode("utf-8", "surrogateescape") if isinstance(stdin, str) else stdin,
            env={name: value for name, value in merged.items() if value is not None},
            cwd=cwd or tmp_path,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        text = (
            done.stdout.decode("utf-8", "surrogateescape"),
            done.stderr.decode("utf-8", "surrogateescape"),
        )
        return Result(done.returncode, *text)

    return run


# --- the end of the run -----------------------------------------------------------------------------------


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was skipped and why, each reason once: a skip nobody sees is a test nobody has."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        reasons[reason] = reasons.get(reason, 0) + 1
    if reasons:
        terminalreporter.section("skipped")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count:4d} × {reason}")


@pytest.fixture(scope="session")
def real_environment() -> Mapping[str, str]:
    """The environment outside the fence, for the few tests that install packages."""
    return REAL_ENVIRONMENT


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Path]:
    """An empty bare repository, to be a remote."""
    path = tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", path], check=True)
    yield path

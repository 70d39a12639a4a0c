"""GitHub Actions in a host shell: workflow files from the pushed branch, run for real against the stand-in.

Events queue runs as GitHub does (`concurrency`, `queue`), each job gets a machine of its own (home, work
space, temporary folder) and a token with the job's permissions, each `run:` a real shell. Actions are
stood in by Python: a real `git fetch` for checkout, a folder for artifacts and for Pages.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import workflow_expressions as expressions
import yaml
from workflow_actions import ACTIONS, ActionFailedError

import guards
from github_server import GitHubServer
from github_state import Repository

OIDS = re.compile(r"[0-9a-f]{40}")
# Which contexts GitHub offers where.
_EVERYWHERE = ("github", "needs", "vars", "inputs")
_IN_STEPS = (*_EVERYWHERE, "job", "runner", "env", "steps")
_SHELLS = {"": ["bash", "-e"], "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"]}
_COMMAND = re.compile(r"(?m)^\s*(?:::([a-zA-Z-]+)(?: [^\n]*?)?::|##\[([a-z-]+)\])(.*)$")


@dataclass(slots=True)
class Job:
    """How one job ended: its result, what its log shows, its outputs.

    ``seconds`` and ``busy`` are what each step took, on the clock and of the processor.
    """

    name: str
    result: str = "skipped"
    log: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    busy: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Run:
    """One run of a workflow file: ``commands`` are workflow commands that its output gave to the runner."""

    path: str
    event: str
    payload: dict[str, Any]
    secrets: dict[str, str]
    ref: str
    sha: str
    id: int
    title: str = ""
    result: str = "queued"
    jobs: dict[str, Job] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    artifacts: dict[str, Path] = field(default_factory=dict)
    summaries: str = ""

    @property
    def log(self) -> str:
        """Everything that the run's pages show."""
        return "\n".join(
            [self.title, *(f"{job.name}\n{job.log}" for job in self.jobs.values()), self.summaries]
        )


@dataclass(slots=True)
class Machine:
    """Where one job runs, and what its steps leave to each other."""

    host: Host
    run: Run
    job: Job
    spec: dict[str, Any]
    folder: Path
    token: str
    masks: list[str]
    env: dict[str, str]
    steps: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    failed: bool = False

    @property
    def workspace(self) -> Path:
        """GITHUB_WORKSPACE."""
        return self.folder / "work"

    @property
    def temp(self) -> Path:
        """RUNNER_TEMP."""
        return self.folder / "temp"

    def say(self, text: str) -> None:
        """Put text into the log, secrets masked as GitHub does it: by exact match, line by line."""
        for mask in sorted(self.masks, key=len, reverse=True):
            text = text.replace(mask, "***")
        self.job.log += text if text.endswith("\n") or not text else text + "\n"


class Host:
    """Actions for one repository of the stand-in."""

    def __init__(self, hub: GitHubServer, repo: Repository, folder: Path, *, index: bool = False) -> None:
        self.hub = hub
        self.repo = repo
        self.folder = folder
        self.index = index  # install from the package index, as real runners do
        self.env: dict[str, str] = {}  # what every job's machine has besides
        self.site: dict[str, bytes] = {}  # what Pages shows, by path
        self.runs: list[Run] = []
        self._groups: dict[str, list[Run]] = {}
        self._heard = 0
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        _python(self.bin / "python3", index)

    # Events.

    def trigger(self, event: str, payload: Mapping[str, Any] | None = None, only: str = "") -> list[Run]:
        """Queue a run of each workflow file of the default branch that wants the event."""
        tip = self.repo.tip()
        made = []
        for path in self.repo.workflows():
            spec = load(self.repo.git("show", f"{tip}:{path}"))
            if only not in ("", path.rpartition("/")[2]) or not _wants(spec, event, payload or {}):
                continue
            whole = {**_repository(self.repo, event), **(payload or {})}
            run = Run(path, event, whole, dict(self.repo.secrets), "refs/heads/main", tip, len(self.runs) + 1)
            scope = expressions.Scope(
                {"github": self._github(run), "inputs": {}, "vars": self.repo.variables}
            )
            run.title = expressions.filled(spec.get("run-name") or _default_title(run), scope)
            self.runs.append(run)
            self._queue(run, spec, scope)
            made.append(run)
        return made

    def issue(self, title: str, body: str, author: str = "ada") -> list[Run]:
        """Open an issue, and queue what it sets off."""
        issue = self.hub.issue(self.repo, title, body, author)
        shown = {"number": issue.number, "node_id": issue.node_id, "title": title, "body": body}
        shown |= {"author_association": issue.association, "user": {"login": author}}
        return self.trigger("issues", {"action": "opened", "issue": shown, "sender": {"login": author}})

    def drain(self) -> list[Run]:
        """Carry out what is queued, and what that sets off, to the last; the runs that ran."""
        ran = []
        while waiting := [group for group in self._groups.values() if group]:
            run = waiting[0][0]
            self._carry_out(run)
            waiting[0].pop(0)
            ran.append(run)
            for path, _ in self.repo.dispatches[self._heard :]:
                self.trigger("workflow_dispatch", only=path.rpartition("/")[2])
            self._heard = len(self.repo.dispatches)
        return ran

    def start(self, event: str, payload: Mapping[str, Any] | None = None, only: str = "") -> list[Run]:
        """Trigger and drain."""
        self._heard = len(self.repo.dispatches)
        self.trigger(event, payload, only)
        return self.drain()

    def _queue(self, run: Run, spec: dict[str, Any], scope: expressions.Scope) -> None:
        rule = spec.get("concurrency") or {}
        name = expressions.filled(rule.get("group", f"run {run.id}"), scope).lower()
        group = self._groups.setdefault(name, [])
        if len(group) > 1 and rule.get("queue") != "max":
            group.pop().result = "cancelled"  # one runs and one waits; a newer one takes the place of that
        assert len(group) <= 100, "GitHub lets a hundred wait"
        group.append(run)

    # One run.

    def _carry_out(self, run: Run) -> None:
        spec = load(self.repo.git("show", f"{run.sha}:{run.path}"))
        for name, job in spec["jobs"].items():
            needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
            before = {one: run.jobs[one] for one in needs}
            run.jobs[name] = made = Job(name=job.get("name", name))
            told = {one: {"result": done.result, "outputs": done.outputs} for one, done in before.items()}
            contexts = {"github": self._github(run), "needs": told, "vars": self.repo.variables, "inputs": {}}
            scope = expressions.Scope(
                contexts, failed=any(one.result != "success" for one in before.values())
            )
            if expressions.holds(job.get("if"), scope):
                self._job(run, made, spec, job, contexts)
        results = {job.result for job in run.jobs.values()}
        run.result = "failure" if "failure" in results else "success" if "success" in results else "skipped"

    def _job(
        self, run: Run, job: Job, spec: dict[str, Any], made: dict[str, Any], contexts: dict[str, Any]
    ) -> None:
        rights = made.get("permissions", spec.get("permissions"))
        assert isinstance(rights, dict), "permissions are stated"
        held = {name: level for name, level in rights.items() if name != "id-token"}
        token = self.hub.actions_token(self.repo, **held).text
        folder = self.folder / f"run-{run.id}-{len(run.jobs)}"
        masks = [
            line for value in (token, *run.secrets.values()) for line in value.splitlines() if line.strip()
        ]
        machine = Machine(self, run, job, made, folder, token, masks, _environment(folder))
        for place in (machine.workspace, machine.temp, folder / "home", folder / "files"):
            place.mkdir(parents=True)
        (folder / "home" / "gitconfig").touch()
        (folder / "event.json").write_text(json.dumps(run.payload))
        github = {**contexts["github"], "token": token, "workspace": str(machine.workspace)}
        machine.env |= self._variables(run, machine) | self.env
        machine.env |= {
            name: str(value) for name, value in {**spec.get("env", {}), **made.get("env", {})}.items()
        }
        contexts = {**contexts, "github": github, "steps": machine.steps, "job": {}, "env": machine.env,
                    "runner": {"temp": str(machine.temp), "os": "Linux"}}  # fmt: skip
        shell = str(made.get("defaults", spec.get("defaults", {})).get("run", {}).get("shell", ""))
        for number, step in enumerate(made["steps"]):
            _step(machine, step, number, contexts, shell)
        scope = expressions.Scope(contexts)
        job.outputs = {
            name: expressions.filled(text, scope) for name, text in made.get("outputs", {}).items()
        }
        job.result = "failure" if machine.failed else "success"

    def _github(self, run: Run) -> dict[str, Any]:
        return {
            "event_name": run.event, "event": run.payload, "repository": self.repo.full_name, "sha": run.sha,
            "repository_owner": self.repo.owner, "ref": run.ref, "ref_name": run.ref.rpartition("/")[2],
            "actor": "ada", "server_url": self.hub.url, "api_url": f"{self.hub.url}/api/v3",
            "run_id": str(run.id),
        }  # fmt: skip

    def _variables(self, run: Run, machine: Machine) -> dict[str, str]:
        files = {
            name: str(machine.folder / "files" / name) for name in ("ENV", "OUTPUT", "PATH", "STEP_SUMMARY")
        }
        values = {
            "API_URL": f"{self.hub.url}/api/v3", "GRAPHQL_URL": f"{self.hub.url}/api/graphql",
            "SERVER_URL": self.hub.url, "REPOSITORY": self.repo.full_name, "ACTIONS": "true", "SHA": run.sha,
            "REPOSITORY_OWNER": self.repo.owner, "EVENT_NAME": run.event, "REF": run.ref,
            "RUN_ID": str(run.id), "REF_NAME": run.ref.rpartition("/")[2], "ACTOR": "ada",
            "WORKSPACE": str(machine.workspace), "EVENT_PATH": str(machine.folder / "event.json"),
            "WORKFLOW": run.title, **files,
        }  # fmt: skip
        found = {f"GITHUB_{name}": value for name, value in values.items()}
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        return {**found, "CI": "true", "RUNNER_TEMP": str(machine.temp), "RUNNER_OS": "Linux", "PATH": path}


def load(text: str) -> dict[str, Any]:
    """A workflow file; YAML's word for `on` is true."""
    found: dict[Any, Any] = yaml.safe_load(text)
    return {"on" if name is True else str(name): value for name, value in found.items()}


def _wants(spec: dict[str, Any], event: str, payload: Mapping[str, Any]) -> bool:
    on = spec["on"]
    if isinstance(on, str | list):
        return event in ([on] if isinstance(on, str) else on)
    if event not in on:
        return False
    types = (on[event] or {}).get("types") if isinstance(on[event], dict) else None
    return types is None or payload.get("action") in types


def _repository(repo: Repository, event: str) -> dict[str, Any]:
    """What every event but the schedule's says of the repository."""
    if event == "schedule":
        return {"schedule": "17 3 * * *"}
    return {
        "repository": {"full_name": repo.full_name, "private": repo.private, "default_branch": repo.branch}
    }


def _default_title(run: Run) -> str:
    """Without a `run-name`, GitHub titles a run from the event: an issue's title would stand there."""
    return str(run.payload.get("issue", {}).get("title", run.path))


def _environment(folder: Path) -> dict[str, str]:
    """A fresh machine's: nothing of the person's git, and no package that the job did not install."""
    clean = dict(guards.clean_environment(os.environ, str(folder / "home")))
    dropped = (
        "PYTHONPATH",
        "GIT_AUTHOR_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_COMMITTER_EMAIL",
    )
    return {name: value for name, value in clean.items() if name not in dropped and name != "TMPDIR"}


# Steps.


def _step(machine: Machine, step: dict[str, Any], number: int, contexts: dict[str, Any], shell: str) -> None:
    key = step.get("id", f"step {number}")
    name = step.get("name") or step.get("uses") or step["run"]
    scope = expressions.Scope(contexts, failed=machine.failed)
    machine.steps[key] = {"outputs": {}, "conclusion": "skipped"}
    if not expressions.holds(step.get("if"), scope):
        return
    scope = expressions.Scope({**contexts, "secrets": machine.run.secrets}, failed=machine.failed)
    began, worked = time.monotonic(), _worked()
    try:
        env = {one: expressions.filled(str(value), scope) for one, value in step.get("env", {}).items()}
        machine.say(f"##[group]Run {name}")
        if "uses" in step:
            given = {
                one: expressions.filled(_plain(value), scope) for one, value in step.get("with", {}).items()
            }
            machine.say("".join(f"  {one}: {value}\n" for one, value in given.items()))
            outputs = ACTIONS[step["uses"]](machine, given)
        else:
            outputs = _shell(
                machine, expressions.filled(step["run"], scope), env, step.get("shell", shell), number
            )
        machine.steps[key] = {"outputs": outputs, "conclusion": "success"}
    except ActionFailedError as error:
        machine.say(f"##[error]{error}")
        machine.steps[key] = {"outputs": {}, "conclusion": "failure"}
        machine.failed = True
    machine.job.seconds[str(name)] = time.monotonic() - began
    machine.job.busy[str(name)] = _worked() - worked


def _worked() -> float:
    """Seconds of the processor that this process's children have had."""
    used = os.times()
    return used.children_user + used.children_system


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shell(machine: Machine, script: str, env: dict[str, str], shell: str, number: int) -> dict[str, str]:
    file = machine.temp / f"script-{number}.sh"
    file.write_text(script)
    machine.say(script)
    machine.say("".join(f"  {name}: {value}\n" for name, value in env.items()))
    files = machine.folder / "files"
    for name in ("ENV", "OUTPUT", "PATH", "STEP_SUMMARY"):
        (files / name).write_text("")
    done = subprocess.run(
        [*_SHELLS[shell], str(file)], cwd=machine.workspace, env={**machine.env, **machine.extra, **env},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=60 * float(machine.spec.get("timeout-minutes", 360)), check=False,
    )  # fmt: skip
    file.unlink()
    said = done.stdout.decode("utf-8", "replace")
    for found in _COMMAND.finditer(said):
        machine.run.commands.append(found[0].strip())
        if found[1] == "add-mask":
            machine.masks.append(found[3])
    machine.say(said)
    machine.extra |= _assigned(files / "ENV")
    machine.run.summaries += (files / "STEP_SUMMARY").read_text()
    outputs = _assigned(files / "OUTPUT")
    if done.returncode:
        raise ActionFailedError(f"Process completed with exit code {done.returncode}.")
    return outputs


def _assigned(path: Path) -> dict[str, str]:
    """What a step wrote into one of GitHub's files: `name=value` lines."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


# Python on the runner.

_PYTHON = '''#!{base} -S
"""The runner's python3: nothing but its standard library; pip takes what this machine has."""
import os, sys
args = sys.argv[1:]
if "pip" not in args:
    os.execv("{base}", ["{base}", "-S", *args])
if {index}:
    os.execv("{here}", ["{here}", *args])
for need in ("install", "--require-hashes", "--only-binary"):
    assert need in args, need
assert "--hash=sha256:" in open(args[args.index("--requirement") + 1]).read()
target = args[args.index("--target") + 1]
os.makedirs(target)
for place in {places}:
    for name in os.listdir(place):
        if not name.startswith(("gitmem", "__editable__", "_virtualenv")) and not name.endswith(".pth"):
            if not os.path.lexists(os.path.join(target, name)):
                os.symlink(os.path.join(place, name), os.path.join(target, name))
'''


def _python(path: Path, index: bool) -> None:
    places = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    path.write_text(_PYTHON.format(base=base, here=sys.executable, index=index, places=places))
    path.chmod(0o755)

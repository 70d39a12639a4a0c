"""What the jobs install: exactly the lock, which fits what the project asks for; once for real, and timed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from workflow_runner import Host

import parts

LINE = re.compile(r"([a-z0-9-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")


@pytest.fixture(scope="module")
def lock():
    from gitmem.flows import tool

    return tool.package()["gitmem/_requirements.lock"].decode()


def test_the_lock_is_names_versions_and_hashes_and_names_no_host(lock):
    body = "".join(line for line in lock.splitlines(keepends=True) if not line.startswith("#"))
    assert LINE.sub("", body) == ""
    assert "://" not in lock
    assert "index" not in lock.lower()


def test_the_lock_satisfies_every_dependency_of_the_project(lock, root):
    if not (root / "pyproject.toml").exists():
        pytest.skip("only in a checkout")
    locked = {name: version for name, version, _ in LINE.findall(lock)}
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for text in project["dependencies"]:
        wanted = Requirement(text)
        assert locked[wanted.name.lower()] in wanted.specifier, f"{text}: run scripts/lock.py"


@pytest.fixture(scope="module")
def index(real_environment, tmp_path_factory):
    """The variables by which pip reaches a package index from here."""
    env = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "")
    env |= {
        name: value
        for name, value in real_environment.items()
        if name.startswith("PIP_")
        or name.lower().endswith("_proxy")
        or name in ("SSL_CERT_FILE", "SSL_CERT_DIR")
    }
    argv = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "-d",
        tmp_path_factory.mktemp("probe"),
        "sniffio",
    ]
    done = subprocess.run(argv, env={**os.environ, **env}, capture_output=True, timeout=120, check=False)
    if done.returncode:
        parts.missing("index", "no package index can be reached from here")
    return env


def test_a_job_installs_from_the_lock_and_with_nothing_new_ends_within_thirty_seconds(vault, index, tmp_path):
    vault.actions.start("workflow_dispatch", only="consolidate.yml")
    host = Host(vault.hub, vault.repo, tmp_path / "real", index=True)
    host.env |= index
    host.trigger("schedule")
    run = host.drain()[0]
    assert run.result == "success", run.log
    assert "Nothing was new." in run.log
    job = run.jobs["consolidate"]
    # Time of the processor, or busy neighbours would decide; a runner of GitHub's has two to itself.
    assert sum(job.busy.values()) < 30, job.busy
    installed = {
        path.name.partition("-")[0].lower()
        for path in (tmp_path / "real").glob("run-1-1/temp/deps/*.dist-info")
    }
    locked = {
        name.replace("-", "_")
        for name, _, _ in LINE.findall(vault.repo.file("gitmem/_requirements.lock", "gitmem-tool"))
    }
    assert installed == locked
    assert "gitmem_vault" not in installed


def test_a_package_that_is_not_what_was_locked_stops_the_job_before_it_has_the_key(vault, index, tmp_path):
    # Whoever serves the packages can change them; the hash is of what was looked at when the lock was made.
    home = tmp_path / "program"
    for path in vault.repo.git("ls-tree", "-r", "--name-only", vault.repo.tip("gitmem-tool")).splitlines():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(vault.repo.file(path, "gitmem-tool"), newline="")
    file = home / "gitmem" / "_requirements.lock"
    file.write_text(
        re.sub(
            r"(annotated-types==\S+ \\\n    --hash=sha256:)[0-9a-f]{8}", r"\g<1>00000000", file.read_text()
        )
    )
    vault.machine.env["PYTHONPATH"] = str(home)
    vault.install()
    host = Host(vault.hub, vault.repo, tmp_path / "real", index=True)
    host.env |= index
    (run,) = host.start("workflow_dispatch", only="inbox.yml")
    assert run.result == "failure"
    assert list(run.jobs["ingest"].seconds)[-1] == "Install what it needs, locked by hashes"
    assert "DO NOT MATCH" in run.log

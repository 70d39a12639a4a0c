"""A private copy of this very repository as the vault, with gitmem running from it: the same form."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from workflow_runner import Host

from gitmem.flows import tool

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def copy(vault_of, github, tmp_path):
    """The copy, with the checkout at hand as its history, and its owner's gitmem run from the clone."""
    if not (ROOT / "pyproject.toml").exists():
        pytest.skip("only in a checkout")
    repo = github.repository("ada/copy")
    listed = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, capture_output=True, check=True).stdout.decode().split("\0")
    desk = tmp_path / "desk" / "vault"
    for name in filter(None, names):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/", "bench/", "demo/")):
            (desk / name).parent.mkdir(parents=True, exist_ok=True)
            (desk / name).write_bytes((ROOT / name).read_bytes())
    return vault_of(repo, Host(github, repo, tmp_path / "actions"), upstream=True)


def test_the_copy_runs_its_jobs_from_a_commit_of_itself_and_keeps_doing_so(copy):
    assert (copy.machine.vault / "gitmem" / "store.py").is_file()
    assert copy.machine.python("import gitmem; print(gitmem.__file__)").startswith(str(copy.machine.vault))
    first = copy.repo.tip("gitmem-tool")
    assert first in copy.repo.file(".github/workflows/inbox.yml")
    copy.actions.issue("Remember: the second quay", "It has no cranes")
    (run,) = copy.actions.drain()
    assert run.result == "success", run.log
    copy.sync()
    assert any("no cranes" in body for body in copy.machine.bodies().values())
    # Its files name a commit now; that alone makes no other program, and so no other commit.
    assert tool.NO_TOOL not in (copy.machine.vault / ".github/workflows/inbox.yml").read_text()
    assert copy.install() == (first, "")


def test_before_it_is_a_vault_nothing_runs_in_the_copy(copy):
    upstream = copy.repo.git("rev-list", "--max-parents=0", "main").split()[-1]
    copy.repo.git("update-ref", "refs/heads/main", upstream)
    for event in ("schedule", "issues"):
        for run in copy.actions.start(event, {"action": "opened", "issue": {"author_association": "OWNER"}}):
            assert run.result == "skipped"
            assert all(job.log == "" for job in run.jobs.values())
    assert {run.path.rpartition("/")[2] for run in copy.actions.runs} == {"consolidate.yml", "inbox.yml"}


def test_upstreams_next_release_merges_into_the_copy_and_doctor_installs_it(copy):
    machine = copy.machine
    upstream = machine.git("rev-list", "--max-parents=0", "main").split()[-1]
    machine.git("checkout", "-q", "-b", "release", upstream)
    (machine.vault / "gitmem" / "novelty.py").write_text('"""New."""\n')
    path = machine.vault / ".github/workflows/inbox.yml"
    path.write_text(path.read_text().replace("timeout-minutes: 10", "timeout-minutes: 11"))
    machine.git("add", "-A")
    machine.git("commit", "-qm", "release")
    machine.git("checkout", "-q", "main")
    machine.git("merge", "-q", "--no-edit", "release")
    commit, on_main = copy.install()
    assert on_main
    assert "gitmem/novelty.py" in copy.repo.git("ls-tree", "-r", "--name-only", commit)
    text = copy.repo.file(".github/workflows/inbox.yml")
    assert "timeout-minutes: 11" in text
    assert text.count(commit) == 2

"""Somebody with contents access and no key: nothing of theirs runs, and a refused tip opens no memory."""

from __future__ import annotations

from pathlib import Path

import pytest

MARK = "xylophone"
EVIL = 'import os, pathlib\npathlib.Path(os.environ["PWNED"]).write_text("ran")\n'


@pytest.fixture
def trap(vault, tmp_path) -> Path:
    """The file that appears if anything of the stranger's is ever run."""
    place = tmp_path / "pwned"
    vault.actions.env["PWNED"] = str(place)
    return place


@pytest.fixture
def stranger(vault, tmp_path):
    """A clone by somebody who may push contents and no workflows."""
    return vault.stranger(tmp_path / "stranger")


def push(machine, message="change", code=0):
    machine.git("add", "-A")
    machine.git("commit", "-q", "-m", message)
    machine.git("push", "-q", "origin", "HEAD:main", code=code)


PLANTED = {
    "gitmem/__init__.py": EVIL,
    "gitmem/__main__.py": EVIL,
    "gitmem/_requirements.lock": "evil==1\n",
    "tool/gitmem/__main__.py": EVIL,
    "templates/site/index.html.jinja": MARK,
    "requirements.lock": "evil==1\n",
    "pyproject.toml": "[build-system]\nrequires = ['evil']\n",
    "sitecustomize.py": EVIL,
    "pip.py": EVIL,
    "json.py": EVIL,
    "click/__init__.py": EVIL,
    ".github/actions/checkout/action.yml": "runs: {using: node24, main: evil.js}\n",
    ".gitattributes": "* filter=evil\n",
    ".pip/pip.conf": "[global]\nindex-url = https://evil.invalid\n",
}


def test_changed_code_templates_and_locks_on_the_vaults_branch_run_nothing(vault, trap, stranger):
    for path, text in PLANTED.items():
        (stranger.vault / path).parent.mkdir(parents=True, exist_ok=True)
        (stranger.vault / path).write_text(text)
    push(stranger)
    assert vault.repo.file("gitmem/__main__.py") == EVIL  # it is there, by ordinary commits
    vault.actions.issue("Remember: one", "the second quay")
    (run,) = vault.actions.drain()
    assert run.result == "success", run.log
    assert not trap.exists()
    assert vault.repo.issues[1].state == "closed"


def test_without_the_right_to_workflows_their_files_cannot_be_changed(vault, stranger):
    path = stranger.vault / ".github" / "workflows" / "inbox.yml"
    before = vault.repo.tip()
    path.write_text(path.read_text() + f"      - run: touch {MARK}\n")
    push(stranger, code=1)
    assert vault.repo.tip() == before


def test_a_moved_branch_of_the_program_runs_nothing(vault, trap, stranger):
    stranger.git("fetch", "-q", "origin", "gitmem-tool")
    stranger.git("checkout", "-q", "-b", "evil", "FETCH_HEAD")
    for path in ("gitmem/__init__.py", "gitmem/__main__.py", "sitecustomize.py"):
        (stranger.vault / path).write_text(EVIL)
    (stranger.vault / "gitmem" / "_requirements.lock").write_text("evil==1\n")
    stranger.git("add", "-A")
    stranger.git("commit", "-qm", "evil")
    stranger.git("push", "-qf", "origin", "HEAD:gitmem-tool")
    vault.actions.issue("Remember: one", "the second quay")
    (run,) = vault.actions.drain()
    assert run.result == "success", run.log
    assert not trap.exists()


def test_a_deleted_program_stops_the_job_before_it_has_the_key(vault, trap, stranger):
    vault.repo.git("update-ref", "-d", "refs/heads/gitmem-tool")
    vault.repo.git("reflog", "expire", "--expire=now", "--all")
    vault.repo.git("gc", "-q", "--prune=now")
    vault.actions.issue(f"Remember: {MARK}", MARK)
    (run,) = vault.actions.drain()
    assert run.result == "failure"
    assert list(run.jobs["ingest"].seconds) == ["Fetch gitmem at its fixed commit, and nothing of the vault"]
    assert not trap.exists()
    assert MARK not in run.log
    assert vault.repo.issues[1].state == "open"


@pytest.mark.parametrize("job", ["inbox.yml", "consolidate.yml", "publish.yml"])
def test_a_job_on_a_refused_tip_opens_no_memory(vault, stranger, job):
    vault.repo.pages = {"build_type": "workflow"}
    vault.write(f"The {MARK} is in the attic", "--share")
    stranger.git("pull", "-q")
    memory = next((stranger.vault / "memories").rglob("*.age"))
    memory.write_bytes(memory.read_bytes() + b"x")
    push(stranger)
    tip = vault.repo.tip()
    run, *others = vault.actions.start("workflow_dispatch", only=job)
    assert others == []  # a failed consolidation publishes nothing
    assert run.result == "failure", run.log
    assert f"Commit {tip} changes memories but was not made by a key holder." in run.log
    assert "exit code 13" in run.log
    assert MARK not in run.log
    assert run.artifacts == {}
    assert vault.repo.tip() == tip
    # Refused as it was cloned, before anything was opened: nothing of it stays on the machine.
    homes = list(vault.actions.folder.glob("run-*/home/.local/share/gitmem/vaults"))
    assert len(homes) == 1
    assert [*homes[0].iterdir()] == []


def test_a_tip_below_the_floor_of_the_secret_is_refused(vault):
    before = vault.repo.tip()
    vault.write(f"The {MARK} is in the attic")
    vault.repo.secrets["GITMEM_JOIN"] = vault.machine.run("invite").out.split()[-1]
    vault.repo.git("update-ref", "refs/heads/main", before)
    (run,) = vault.actions.start("workflow_dispatch", only="inbox.yml")
    assert run.result == "failure"
    assert "exit code 13" in run.log
    assert MARK not in run.log


def test_a_key_of_another_vault_opens_nothing(vault, tmp_path):
    from machine import Machine

    other = Machine.new(tmp_path / "other").init()
    code = other.run("invite", code=None)
    key = next(line for line in (other.home / ".config/gitmem/keys").glob("*.txt")).read_text().split()[-1]
    assert code.code != 0  # it has no remote, so there is no code to give
    vault.actions.env["GITMEM_KEY"] = key
    (run,) = vault.actions.start("workflow_dispatch", only="inbox.yml")
    assert run.result == "failure"
    assert "This key does not belong to this vault." in run.log
    assert key not in run.log

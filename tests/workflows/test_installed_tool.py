"""The program of the jobs: what goes to its branch, when, and who notices that somebody changed it."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import gitmem
from gitmem.flows import tool
from machine import Machine

RECORD = ".gitmem/workflows.age"
FILES = [f".github/workflows/{name}" for name in tool.NAMES]
_CHECK = """
import json, sys
from gitmem import app
from gitmem.flows import doctor, workflows
path = sys.argv[1]
patient = doctor.admit(path, "key file", lambda: app.open_store(path), online=True)
print(json.dumps([[one.name, one.ok, one.detail, one.fix is not None] for one in workflows.check(patient)]))
"""


def findings(vault):
    """Name → whether it holds, what was seen, whether it can be mended."""
    return {one[0]: one[1:] for one in json.loads(vault.machine.python(_CHECK, str(vault.machine.vault)))}


def pushed(vault, branch="gitmem-tool"):
    listed = vault.repo.git("ls-tree", "-r", "--name-only", vault.repo.tip(branch)).splitlines()
    return {path: vault.repo.git("show", f"{vault.repo.tip(branch)}:{path}") for path in listed}


def push(machine, *paths, message="change"):
    machine.git("add", "-A", *paths)
    machine.git("commit", "-q", "-m", message)
    return machine.git("push", "-q", "origin", "HEAD:main", code=None)


def test_the_branch_holds_the_running_package_its_templates_workflows_and_lock_and_nothing_else(vault):
    names = set(pushed(vault))
    assert names == set(tool.package())
    ours = {name for name in names if not name.endswith(".py")}
    assert {name.split("/")[1] for name in ours} == {"_templates", "_workflows", "_requirements.lock"}
    assert not [name for name in names if "test" in name or "__pycache__" in name or name.endswith(".pyc")]
    assert vault.repo.git("merge-base", vault.repo.tip("gitmem-tool"), vault.repo.tip(), code=None) == ""


def test_the_files_name_the_branchs_commit_which_bears_no_seal_and_stays_while_the_program_does(vault):
    tip = vault.repo.tip("gitmem-tool")
    # Sealed, and put by a stranger on top of the vault's own commits, it would delete every memory.
    assert "Gitmem-Seal" not in vault.repo.git("cat-file", "commit", tip)
    for path in FILES:
        text = vault.repo.file(path)
        assert text.count(tip) == 2
        assert tool.NO_TOOL not in text
    before = vault.repo.tip()
    assert vault.install() == (tip, "")
    assert (vault.repo.tip("gitmem-tool"), vault.repo.tip()) == (tip, before)


def program(machine, home, path="gitmem/novelty.py", text='"""New."""\n'):
    """Let a machine run another gitmem: a copy in which one module is other or new."""
    for name, content in {**tool.package(), path: text.encode()}.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
    machine.env["PYTHONPATH"] = str(home)


@pytest.fixture
def changed_program(vault, tmp_path):
    """The owner's machine with a changed gitmem."""
    program(vault.machine, tmp_path / "newer")


def test_a_changed_program_is_a_child_of_the_former_and_the_files_follow(vault, changed_program):
    before = vault.repo.tip("gitmem-tool")
    assert findings(vault)["workflows"][0] is False
    commit, on_main = vault.install()
    assert commit == vault.repo.tip("gitmem-tool") != before
    assert vault.repo.git("rev-parse", f"{commit}^").strip() == before
    assert on_main == vault.repo.tip()
    assert commit in vault.repo.file(FILES[0])
    assert "gitmem/novelty.py" in pushed(vault)
    assert findings(vault)["workflows"][0] is True


def test_the_program_is_on_the_remote_before_the_vault_refers_to_it(vault, changed_program):
    script = """
import sys
from gitmem import app
from gitmem.flows import workflows
store = app.open_store(sys.argv[1])
def no(*_, **__): raise SystemExit(7)
store.trunk.grow = no
workflows.install(store)
"""
    before = (vault.repo.tip("gitmem-tool"), vault.repo.tip())
    with pytest.raises(AssertionError):
        vault.machine.python(script, str(vault.machine.vault))  # killed between the two
    assert vault.repo.tip("gitmem-tool") != before[0]
    assert vault.repo.tip() == before[1]
    kept = vault.repo.tip("gitmem-tool")
    assert vault.install()[0] == kept  # and again: to its end, without another commit
    assert kept in vault.repo.file(FILES[0])


def test_a_wheel_and_a_checkout_give_the_same_tree(vault, root, tmp_path):
    if not (root / "pyproject.toml").exists():
        pytest.skip("only in a checkout")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "dist"]
    subprocess.run(build, cwd=root, check=True, capture_output=True)
    site = tmp_path / "site"
    with zipfile.ZipFile(next((tmp_path / "dist").glob("*.whl"))) as archive:
        archive.extractall(site)
    vault.machine.env["PYTHONPATH"] = str(site)
    assert str(site) in vault.machine.python("import gitmem; print(gitmem.__file__)")
    assert vault.install() == (vault.repo.tip("gitmem-tool"), "")


def test_the_jobs_own_copy_could_install_itself_again_unchanged(vault, tmp_path):
    for path, text in pushed(vault).items():
        (tmp_path / "job" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "job" / path).write_text(text, newline="")
    vault.machine.env["PYTHONPATH"] = str(tmp_path / "job")
    assert vault.install()[1] == ""


def test_nothing_of_the_vaults_own_files_is_ever_taken_for_the_program(vault):
    for path in (
        "gitmem/evil.py",
        "templates/evil.txt",
        "requirements.lock",
        ".github/workflows/publish.yml",
    ):
        (vault.machine.vault / path).parent.mkdir(parents=True, exist_ok=True)
        (vault.machine.vault / path).write_text("evil\n")
    before = vault.repo.tip("gitmem-tool")
    vault.machine.git("checkout", "-q", "--", ".github")
    vault.machine.git("add", "-A")
    vault.machine.git("commit", "-q", "-m", "mine")
    assert vault.install() == (before, "")


def test_doctor_names_a_workflow_that_somebody_changed_and_puts_ours_back(vault):
    assert findings(vault)["workflows"][0] is True
    path = vault.machine.vault / FILES[1]
    path.write_text(path.read_text().replace("timeout-minutes: 10", "timeout-minutes: 9"))
    push(vault.machine, ".")
    well, detail, mends = findings(vault)["workflows"]
    assert (well, mends) == (False, True)
    assert detail == "changed by somebody else: inbox.yml"
    vault.install()
    assert findings(vault)["workflows"][0] is True
    assert "timeout-minutes: 10" in vault.repo.file(FILES[1])


def test_doctor_names_a_workflow_that_is_gone_and_an_action_that_is_not_pinned(vault):
    (vault.machine.vault / FILES[0]).unlink()
    (vault.machine.vault / ".github/workflows/own.yml").write_text(
        "on: push\njobs:\n  a:\n    steps:\n      - uses: some/action@v1\n      - uses: 'x/y@"
        + "a" * 40
        + "'\n"
    )
    push(vault.machine, ".")
    found = findings(vault)
    assert found["workflows"][:2] == [False, "gone: consolidate.yml"]
    assert found["actions"][:2] == [False, "not pinned by commit: some/action@v1"]


def test_a_branch_that_a_stranger_moved_or_deleted_is_noticed_and_put_right(vault, tmp_path):
    stranger = vault.stranger(tmp_path / "stranger")
    stranger.git("fetch", "-q", "origin", "gitmem-tool")
    stranger.git("checkout", "-q", "-b", "evil", "FETCH_HEAD")
    (stranger.vault / "gitmem" / "app.py").write_text("raise SystemExit('evil')\n")
    stranger.git("commit", "-qam", "evil")
    stranger.git("push", "-q", "origin", "HEAD:gitmem-tool")
    assert findings(vault)["branch gitmem-tool"][:2] == [False, "moved by somebody else"]
    moved = vault.repo.tip("gitmem-tool")
    commit, _ = vault.install()
    assert vault.repo.git("rev-parse", f"{commit}^").strip() == moved  # forward, never by force
    assert "evil" not in vault.repo.git("show", f"{commit}:gitmem/app.py")
    assert findings(vault)["branch gitmem-tool"][0] is True
    vault.repo.git("update-ref", "-d", "refs/heads/gitmem-tool")
    assert findings(vault)["branch gitmem-tool"][:2] == [False, "gone"]
    assert vault.install() == (commit, "")  # the very commit, from this device
    assert findings(vault)["branch gitmem-tool"][0] is True


def test_an_older_gitmem_does_not_take_a_newer_ones_place(vault, tmp_path):
    program(vault.machine, tmp_path / "newer", "gitmem/__init__.py", '__version__ = "99.0"\n')
    newer, _ = vault.install()
    vault.machine.env["PYTHONPATH"] = str(Path(gitmem.__file__).resolve().parent.parent)
    well, detail, _ = findings(vault)["workflows"]
    assert well
    assert "gitmem 99.0" in detail
    with pytest.raises(AssertionError, match="newer than this one"):
        vault.install()
    assert vault.repo.tip("gitmem-tool") == newer


def test_another_device_changes_nothing_with_the_same_gitmem_and_installs_its_newer_one(vault, tmp_path):
    other = vault.hub.use(Machine.new(tmp_path / "other"))
    other.run("config", "set", "sync.auto", "false")
    other.join(vault.machine, "--sparse")  # its clone has no workflow file on the disk
    before = (vault.repo.tip("gitmem-tool"), vault.repo.tip())
    here, vault.machine = vault.machine, other
    assert findings(vault)["workflows"][0] is True
    assert vault.install() == (before[0], "")
    assert (vault.repo.tip("gitmem-tool"), vault.repo.tip()) == before
    program(other, tmp_path / "newer")
    commit, _ = vault.install()
    other.assert_sound("harbour")
    vault.machine = here
    assert findings(vault)["branch gitmem-tool"][:2] == [False, "moved by somebody else"]  # not synced yet
    said = here.run("sync").out
    assert "The workflows are those that another of your devices installed." in said
    assert "stolen" not in said
    found = findings(vault)
    assert found["branch gitmem-tool"][0] is True
    assert found["workflows"][1] == f"they run another gitmem than this, at {commit[:10]}"

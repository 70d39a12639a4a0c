"""What people install: the wheel, the source archive, an editable checkout; same templates, same version."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import gitmem

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS_OF_OURS = {"ci.yml", "release.yml"}

pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="only in a checkout")


def run(*argv, env=None, **options):
    done = subprocess.run(
        [*map(str, argv)], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with a wheel and a source archive, built by hatchling from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-d", folder, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    return next(built.glob("*.whl"))


def names_in(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def shipped_templates():
    return {
        path.relative_to(ROOT / "templates").as_posix()
        for path in (ROOT / "templates").rglob("*")
        if path.is_file()
    }


def test_the_wheel_holds_every_template_and_every_vault_workflow(wheel):
    assert shipped_templates() != set()
    names = names_in(wheel)
    assert {f"gitmem/_templates/{name}" for name in shipped_templates()} <= names
    assert "gitmem/_requirements.lock" in names
    workflows = {path.name for path in (ROOT / ".github" / "workflows").glob("*.yml")} - WORKFLOWS_OF_OURS
    carried = {name.rpartition("/")[2] for name in names if name.startswith("gitmem/_workflows/")}
    assert carried == workflows


def test_the_build_carries_a_vault_workflow_and_leaves_ours_behind(tmp_path):
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    for name in ("ci.yml", "release.yml", "consolidate.yml"):
        (tmp_path / ".github" / "workflows" / name).write_text("name: x\n")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text("x")
    (tmp_path / "gitmem").mkdir()
    (tmp_path / "gitmem" / "__init__.py").write_text('__version__ = "9.9"\n')
    for name in ("pyproject.toml", "hatch_build.py", "requirements.lock", "LICENSE"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "README.md").touch()
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "out", cwd=tmp_path)
    names = names_in(next((tmp_path / "out").glob("*.whl")))
    assert {name for name in names if "_workflows" in name} == {"gitmem/_workflows/consolidate.yml"}
    assert "gitmem/_templates/page.html" in names


def test_the_wheel_holds_no_memories_tests_or_caches(wheel):
    tops = {name.partition("/")[0] for name in names_in(wheel)}
    assert tops == {"gitmem", next(top for top in tops if top.endswith(".dist-info"))}
    assert [name for name in names_in(wheel) if "__pycache__" in name or name.endswith(".age")] == []


def test_the_source_archive_builds_the_same_wheel(built, wheel, tmp_path):
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    source = next(tmp_path.iterdir())
    assert not (source / ".venv").exists()
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "out", cwd=source)
    assert names_in(next((tmp_path / "out").glob("*.whl"))) == names_in(wheel)


def test_the_newest_entry_of_the_changelog_is_this_version():
    entry = re.search(
        r"^## \[?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert entry is not None
    assert entry[1] == gitmem.__version__


def test_the_project_asks_for_what_the_owner_named():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[<>=]", entry)[0] for entry in project["dependencies"]}
    named = {"anthropic", "click", "cryptography", "jinja2", "pygithub"}  # the others: docs/decisions
    assert names == named | {"detect-secrets", "pyyaml", "segno", "sqlcipher3"}
    assert set(project["optional-dependencies"]) == {"mcp", "semantic", "server"}


def environment(tmp_path, *what):
    """A clean venv with ``what`` installed; the dependencies come from this interpreter's own site-packages.

    That keeps the test quick and off the network. CI installs the wheel with all of them as well (ci.yml).
    """
    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "-q",
        "--ignore-installed",  # PYTHONPATH may show pip another gitmem
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        *what,
    )
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    # A .pth comes after the venv's own folder and does not run this environment's .pth files: the editable
    # gitmem there stays invisible.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def outside(tmp_path):
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {"env": env, "cwd": tmp_path}


WHERE = "import gitmem, os; print(os.path.dirname(gitmem.__file__))"
TEMPLATES = (
    "import os, gitmem; here = os.path.dirname(gitmem.__file__); "
    "inside = os.path.join(here, '_templates'); beside = os.path.join(os.path.dirname(here), 'templates'); "
    "print(inside if os.path.isdir(inside) else beside)"
)


def test_the_wheel_runs_in_a_clean_environment(wheel, tmp_path):
    python = environment(tmp_path, wheel)
    assert str(tmp_path) in run(python, "-c", WHERE, **outside(tmp_path))
    assert gitmem.__version__ in run(python.parent / "gitmem", "--version", **outside(tmp_path))
    assert "Usage" in run(python, "-m", "gitmem", "--help", **outside(tmp_path))
    templates = Path(run(python, "-c", TEMPLATES, **outside(tmp_path)).strip())
    assert str(tmp_path) in str(templates)
    assert {
        path.relative_to(templates).as_posix() for path in templates.rglob("*") if path.is_file()
    } == shipped_templates()


def test_an_editable_install_runs_and_finds_the_templates_beside_it(tmp_path, monkeypatch):
    # --no-build-isolation looks for hatchling in the new environment.
    monkeypatch.setenv("PYTHONPATH", sysconfig.get_path("purelib"))
    python = environment(tmp_path, "--editable", ROOT)
    assert Path(run(python, "-c", WHERE, **outside(tmp_path)).strip()) == ROOT / "gitmem"
    assert gitmem.__version__ in run(python.parent / "gitmem", "--version", **outside(tmp_path))
    assert Path(run(python, "-c", TEMPLATES, **outside(tmp_path)).strip()) == ROOT / "templates"

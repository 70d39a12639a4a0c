"""The limits that no linter holds: sizes, names, late imports, who reads the environment or starts programs.

Each rule is a function that lists its violations, so that the same rule can be tried on a planted one.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "gitmem"
FILE_LINES = 300
FUNCTION_LINES = 40
FORBIDDEN_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "manager",
    "service",
    "services",
    "common",
    "base",
    "misc",
}

# Who may import inside a function, and why. Anywhere else it hides a broken floor.
LATE_IMPORTS = {
    "app.py": "the composition root builds only what the command at hand needs",
    "connect.py": "the same, for GitHub and Claude",
    "store.py": "most commands need only a part of it: a write no merge, a read no index",
    "index/search.py": "words in other spellings are tried only when nothing was found",
    "index/hints.py": "most questions name no date, and how dates are read is much code",
    "memory/document.py": "front matter that gitmem did not write needs PyYAML; its own does not",
    "memory/merge.py": "the same",
    "memory/pack.py": "few packs hold two memories that are alike, and only those are compared closely",
    "vault/vault.py": "listing, counting and verifying need no cipher",
    "vault/age.py": "the post-quantum stanza is rare, and HPKE slow to import",
    "doors/textconv.py": "only what lies under a rekey needs the vault's other keys",
    "__main__.py": "textconv and the merge driver must not pay for click",
}
LATE_FOLDERS = {
    "doors/cli/": "each command is imported only when it runs",
}
# Importing these costs milliseconds of every start (DESIGN, start-up), or they exist on one system only.
LATE_MODULES = {
    "anthropic", "asyncio", "concurrent", "cryptography", "dataclasses", "detect_secrets", "difflib", "fcntl",
    "github", "jinja2", "logging", "msvcrt", "numpy", "onnxruntime", "pathlib", "platform", "pydantic",
    "secrets", "segno", "shutil", "subprocess", "tempfile", "threading", "tomllib", "unicodedata",
    "uuid", "yaml",
}  # fmt: skip
READ_ENVIRONMENT = ("__main__.py", "app.py", "config.py", "connect.py", "doors/cli/", "repo/git.py")
START_PROGRAMS = ("programs.py", "repo/git.py", "worker.py")
_STARTERS = {"posix_spawn", "posix_spawnp", "system", "popen", "fork", "forkpty", "startfile"}
DOORS = {"cli", "hooks", "mcp", "memory_tool", "http", "wire", "textconv", "merge_driver"}


def modules(package: Path) -> Iterator[tuple[str, Path, ast.Module]]:
    for path in sorted(package.rglob("*.py")):
        yield path.relative_to(package).as_posix(), path, ast.parse(path.read_text(encoding="utf-8"))


def long_files(package: Path) -> list[str]:
    sizes = ((name, len(path.read_text(encoding="utf-8").splitlines())) for name, path, _ in modules(package))
    return [f"{name}: {lines} lines" for name, lines in sizes if lines > FILE_LINES]


def long_functions(package: Path) -> list[str]:
    found = []
    for name, _, tree in modules(package):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    found.append(f"{name}: {node.name} has {lines} lines")
    return found


def empty_names(package: Path) -> list[str]:
    return [name for name, path, _ in modules(package) if {path.stem, path.parent.name} & FORBIDDEN_NAMES]


def undescribed_modules(package: Path) -> list[str]:
    return [name for name, _, tree in modules(package) if tree.body and not ast.get_docstring(tree)]


def late_imports(package: Path) -> list[str]:
    excused = (*LATE_IMPORTS, *LATE_FOLDERS)
    return [found for found in _all_late_imports(package) if not found.startswith(excused)]


def _all_late_imports(package: Path) -> list[str]:
    found = set()
    for name, _, tree in modules(package):
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                imports = (
                    node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)
                )
                found |= {
                    f"{name}:{node.lineno}: {ast.unparse(node)}" for node in imports if not _may_be_late(node)
                }
    return sorted(found)


def _may_be_late(node: ast.Import | ast.ImportFrom) -> bool:
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    return all(name.partition(".")[0] in LATE_MODULES for name in names)


def environment_readers(package: Path) -> list[str]:
    return [
        f"{name}:{node.lineno}: os.{node.attr}"
        for name, _, tree in modules(package)
        if not name.startswith(READ_ENVIRONMENT)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv", "putenv")
    ]


def program_starters(package: Path) -> list[str]:
    return [
        f"{name}:{node.lineno}: os.{node.attr}"
        for name, _, tree in modules(package)
        if name not in START_PROGRAMS
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
        if node.attr in _STARTERS or node.attr.startswith(("exec", "spawn"))
    ]


def prints(package: Path) -> list[str]:
    return [
        f"{name}:{node.lineno}"
        for name, _, tree in modules(package)
        if not name.startswith(("doors/", "__main__.py"))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]


def memory_io(package: Path) -> list[str]:
    """What `memory/` takes of the outside: of os only urandom, and never open()."""
    found = []
    for name, _, tree in modules(package):
        if not name.startswith("memory/"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
                if node.attr != "urandom":
                    found.append(f"{name}:{node.lineno}: os.{node.attr}")
            elif isinstance(node, ast.ImportFrom) and node.module == "os":
                found.append(f"{name}:{node.lineno}: from os import")
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
                found.append(f"{name}:{node.lineno}: open()")
    return found


def unlisted_doors(package: Path) -> list[str]:
    """import-linter does not notice a new module under doors/ that its floors do not name."""
    names = {
        path.stem
        for path in (package / "doors").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    return sorted(names - DOORS - {"__init__"})


RULES = [
    long_files,
    long_functions,
    empty_names,
    undescribed_modules,
    late_imports,
    environment_readers,
    program_starters,
    prints,
    memory_io,
    unlisted_doors,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule):
    assert rule(PACKAGE) == []


def test_every_reason_for_a_late_import_is_still_needed():
    late = _all_late_imports(PACKAGE)
    assert [
        name for name in (*LATE_IMPORTS, *LATE_FOLDERS) if not any(found.startswith(name) for found in late)
    ] == []


PLANTED = [
    (long_files, "store.py", '"""Long."""\n' + "x = 1\n" * FILE_LINES),
    (long_functions, "store.py", '"""Long."""\n\n\ndef f():\n' + "    x = 1\n" * FUNCTION_LINES),
    (empty_names, "helpers.py", '"""Whatever."""\n'),
    (undescribed_modules, "store.py", "x = 1\n"),
    (late_imports, "flows/doctor.py", '"""Late."""\n\n\ndef f():\n    from gitmem import app\n'),
    (environment_readers, "vault/keys.py", '"""Reads."""\nimport os\n\nx = os.environ\n'),
    (program_starters, "flows/doctor.py", '"""Starts."""\nimport os\n\nos.posix_spawnp("x", [], {})\n'),
    (program_starters, "flows/doctor.py", '"""Starts."""\nimport os\n\nos.execv("x", [])\n'),
    (prints, "flows/doctor.py", '"""Talks."""\nprint("x")\n'),
    (memory_io, "memory/memory.py", '"""Reads."""\nopen("x")\n'),
    (memory_io, "memory/memory.py", '"""Reads."""\nimport os\n\nos.listdir(".")\n'),
    (unlisted_doors, "doors/window.py", '"""A way in."""\n'),
]


@pytest.mark.parametrize(("rule", "where", "text"), PLANTED, ids=lambda value: getattr(value, "__name__", ""))
def test_a_planted_violation_is_found(rule, where, text, tmp_path):
    package = tmp_path / "gitmem"
    for folder in (package, package / "doors", package / "memory", package / "vault", package / "flows"):
        folder.mkdir()
    assert rule(package) == []
    (package / where).write_text(text)
    assert len(rule(package)) == 1


# --- the same for the tools of `make check` ----------------------------------------------------------------


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy")
    shutil.copy(ROOT / "pyproject.toml", folder)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, folder / "gitmem", ignore=ignore)
    return folder


def run_tool(folder, *command):
    """A tool of `make check` in that folder: its exit code and what it said."""
    script = "import sys; sys.path.insert(0, ''); from importlinter.cli import lint_imports_command as c; c()"
    argv = (
        [sys.executable, "-c", script, "--no-cache"]
        if command == ("lint-imports",)
        else [sys.executable, "-m", *command]
    )
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, env={"PATH": "", "NO_COLOR": "1"})
    return done.returncode, done.stdout + done.stderr


BROKEN_FLOORS = [
    ("vault/planted.py", "import gitmem.index", "Floors"),
    ("store.py", "import gitmem.app", "Floors"),
    ("wrench.py", "x = 1", "Floors"),  # a module that no floor names
    ("repo/planted.py", "import gitmem.memory.memory", "git never sees plaintext"),
    ("branch.py", "import gitmem.memory.memory", "git never sees plaintext"),
    ("repo/planted.py", "import gitmem.vault.keys", "git never holds a key"),
    ("vault/planted.py", "import gitmem.memory.memory", "the vault sees bytes"),
    ("memory/planted.py", "import socket", "memory does no I/O"),
    ("flows/planted.py", "import subprocess", "each outside thing has one home"),
    ("flows/planted.py", "import click", "each outside thing has one home"),
    ("store.py", "import sqlcipher3", "each outside thing has one home"),
    ("flows/planted.py", "import jinja2", "each outside thing has one home"),
    ("index/planted.py", "import yaml", "each outside thing has one home"),
]


@pytest.mark.parametrize(("where", "line", "contract"), BROKEN_FLOORS)
def test_a_planted_import_breaks_the_floors(copy, where, line, contract):
    path = copy / "gitmem" / where
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n")
    try:
        code, said = run_tool(copy, "lint-imports")
    finally:
        path.unlink() if before is None else path.write_text(before)
    assert code == 1
    assert f"{contract}" in said
    assert "BROKEN" in said


BAD_STYLE = {
    "ruff": ("import os\n", "F401"),
    "ruff ": ("def f(a):\n" + "".join(f"    if a == {n}:\n        return {n}\n" for n in range(9)), "C901"),
    "mypy": ('"""Types."""\n\n\ndef f(a):\n    return a\n', "no-untyped-def"),
}


@pytest.mark.parametrize("tool", BAD_STYLE)
def test_planted_bad_style_or_missing_types_are_refused(copy, tool, tmp_path):
    text, code_name = BAD_STYLE[tool]
    planted = copy / "planted.py"
    planted.write_text(text)
    command = (
        ("ruff", "check", "planted.py")
        if "ruff" in tool
        else ("mypy", "--cache-dir", str(tmp_path), "planted.py")
    )
    code, said = run_tool(copy, *command)
    assert code == 1
    assert code_name in said

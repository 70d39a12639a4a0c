"""The manual against the program: nothing that exists is missing in it, nothing in it does not exist."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from gitmem import errors, settings
from gitmem.doors.cli import main as command_line

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(
    path
    for path in [
        *ROOT.glob("*.md"),
        *DOCS.rglob("*.md"),
        *(ROOT / "memories").glob("*.md"),
        *ROOT.glob("plugin/**/*.md"),
    ]
)
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def read(path):
    return path.read_text(encoding="utf-8")


def walk(command, words=(), parent=None):
    """Every command: its words after `gitmem`, and the click command."""
    context = click.Context(command, parent, words[-1] if words else "gitmem")
    yield words, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None, f"the table names {name}, and there is no such command"
            yield from walk(found, (*words, name), context)


@pytest.fixture(scope="module")
def all_commands():
    return {words: command for words, command in walk(command_line.cli) if not command.hidden}


def options_of(command):
    return {
        name
        for param in command.params
        if isinstance(param, click.Option) and not param.hidden
        for name in [*param.opts, *param.secondary_opts]
    }


# --- docs/cli.md --------------------------------------------------------------------------------------------


def test_the_reference_is_what_the_commands_say_today():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "docs.py", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_every_command_and_option_is_in_the_manual(all_commands):
    sections = dict(
        re.findall(r"^## (gitmem[^\n]*)\n(.*?)(?=^## |\Z)", read(DOCS / "cli.md"), re.MULTILINE | re.DOTALL)
    )
    for words, command in all_commands.items():
        section = sections[" ".join(["gitmem", *words])]
        missing = {
            option
            for option in options_of(command)
            if not re.search(rf"(?<![\w-]){option}(?![\w-])", section)
        }
        assert missing == set(), f"gitmem {' '.join(words)}"


def test_every_summary_in_the_table_is_the_first_line_of_its_command(all_commands):
    for name, entry in command_line.COMMANDS.items():
        said = (all_commands[(name,)].help or "").partition("\n")[0].strip()
        assert said == entry.summary, name


def test_every_command_shows_examples_of_itself(all_commands):
    for words, command in all_commands.items():
        if words and not isinstance(command, click.Group):
            text = command.get_help(click.Context(command, info_name=words[-1]))
            assert f"gitmem {' '.join(words)}" in text.partition("Examples")[2], words


def test_every_command_takes_json_and_a_vault(all_commands):
    for words, command in all_commands.items():
        assert {"--json", "--vault"} <= options_of(command) or isinstance(command, click.Group), words


# --- docs/settings.md and docs/errors.md --------------------------------------------------------------------


def environment_variables():
    """What the package reads by name, and every GITMEM_… that it mentions."""
    names = set()
    for path in (ROOT / "gitmem").rglob("*.py"):
        for node in ast.walk(ast.parse(read(path))):
            text = ast.unparse(node) if isinstance(node, ast.Call | ast.Subscript | ast.Compare) else ""
            names.update(re.findall(r"os\.environ(?:\.get\(|\[)'([A-Z_]+)'", text))
            names.update(re.findall(r"'([A-Z_]+)' in os\.environ", text))
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.update(re.findall(r"(?<!\w)GITMEM_[A-Z_]+", node.value))
    return {name for name in names if not name.startswith("_")}


def test_every_setting_is_in_the_manual():
    page = read(DOCS / "settings.md")
    assert [name for name in settings.SETTINGS if f"`{name}`" not in page] == []


def test_the_manual_names_no_setting_that_does_not_exist():
    known = set(settings.SETTINGS)
    rooms = {name.partition(".")[0] for name in known}
    named = {
        name
        for name in re.findall(r"`([a-z]+\.[a-z_]+)`", read(DOCS / "settings.md"))
        if name.partition(".")[0] in rooms
    }
    assert named == known


def test_every_environment_variable_is_in_the_manual():
    page = read(DOCS / "settings.md")
    assert "GITMEM_VAULT" in environment_variables()
    assert sorted(name for name in environment_variables() if f"`{name}`" not in page) == []


def error_classes():
    return [
        cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, errors.GitmemError)
    ]


@pytest.mark.parametrize("cls", error_classes(), ids=lambda cls: cls.__name__)
def test_every_error_is_in_the_manual_with_its_exit_code(cls):
    lines = [
        line for line in read(DOCS / "errors.md").splitlines() if re.search(rf"\b{cls.__name__}\b", line)
    ]
    assert any(re.search(rf"(?<!\d){cls.exit_code}(?!\d)", line) for line in lines)


@pytest.mark.parametrize("code", [0, 2, 3, 70, 130])
def test_the_exit_codes_without_a_class_are_in_the_manual(code):
    assert re.search(rf"^\|\s*`?{code}`?\s*\|", read(DOCS / "errors.md"), re.MULTILINE)


# --- every page ---------------------------------------------------------------------------------------------


def test_the_readme_is_short():
    assert len(read(ROOT / "README.md").splitlines()) <= 150


def slug(heading):
    text = re.sub(r"[`*_]|\[([^]]*)\]\([^)]*\)", r"\1", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(page):
    return {slug(found) for found in re.findall(r"^#+ (.+)$", without_code(read(page)), re.MULTILINE)}


def without_code(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


@EVERY_PAGE
def test_every_link_leads_somewhere(page):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(read(page))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path) if path else page
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


def examples(page):
    """The `gitmem …` lines in the page's blocks of commands, as lists of words."""
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", read(page), re.MULTILINE | re.DOTALL):
        if language not in ("sh", "bash", "console", "shell", "powershell"):
            continue
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            found = re.search(r"(?:^|[|;&(]\s*|^\$ )gitmem(?=\s|$)[^|;&)>]*", line.removeprefix("$ "))
            if found:
                yield shlex.split(found[0].lstrip("|;&($ "), comments=True)[1:]


@EVERY_PAGE
def test_every_example_uses_commands_and_options_that_exist(page, all_commands):
    for words in examples(page):
        names = [word for word in words if re.fullmatch(r"[a-z-]+", word) and not word.startswith("-")]
        command, path = all_commands[()], ()
        while isinstance(command, click.Group) and names and (*path, names[0]) in all_commands:
            path = (*path, names.pop(0))
            command = all_commands[path]
        assert path or not names, f"gitmem {' '.join(words)}: there is no such command"
        used = {word.partition("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)}
        known = options_of(command) | options_of(all_commands[()]) | {"--help", "-h", "--version"}
        assert used <= known, f"gitmem {' '.join(words)}"


def test_the_checks_above_see_what_is_wrong(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A `b` c!\n\n[x](page.md#a-b-c)\n\n```sh\necho x | gitmem write - --tag y  # why\n$ gitmem\n```\n"
    )
    assert anchors(page) == {"a-b-c"}
    assert list(examples(page)) == [["write", "-", "--tag", "y"], []]

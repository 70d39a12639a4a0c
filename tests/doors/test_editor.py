"""Editing on a real terminal: a half-edited text is never lost, and never lies about in plain."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")

MARK = "xyzzy-plover-7731"


class Terminal:
    """One gitmem command on a pseudo-terminal: what it says, and a way to answer."""

    def __init__(self, arguments, env, cwd):
        import pty

        self.pid, self.handle = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execve(sys.executable, [sys.executable, "-P", "-m", "gitmem", *arguments], env)
        self.said = self.everything = ""

    def until(self, text, seconds=30):
        end = time.monotonic() + seconds
        while text not in self.said:
            assert time.monotonic() < end, self.said
            if not self._read():
                break
        assert text in self.said, self.said
        self.said = self.said.partition(text)[2]

    def answer(self, text):
        os.write(self.handle, text.encode())

    def end(self):
        while self._read():
            pass
        os.close(self.handle)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read(self):
        try:
            data = os.read(self.handle, 4096)
        except OSError:  # Linux: the other side has closed the terminal
            return False
        self.said += data.decode("utf-8", "replace")
        self.everything += data.decode("utf-8", "replace")
        return bool(data)


@pytest.fixture
def vault(run_gitmem, tmp_path, monkeypatch, home):
    assert run_gitmem(["init", "vault", "--yes"]).code == 0
    run_gitmem(["write", "first words", "--project", "", "--title", "Old title"])
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("TERM", "dumb")
    return tmp_path / "vault"


@pytest.fixture
def editor(tmp_path, monkeypatch):
    """Makes a script the editor; it gets the file as $1."""

    def make(script):
        path = tmp_path / "editor.sh"
        path.write_text("#!/bin/sh\n" + script + "\n")
        path.chmod(0o755)
        monkeypatch.setenv("VISUAL", str(path))

    return make


@pytest.fixture
def terminal(tmp_path):
    return lambda *arguments: Terminal(arguments, dict(os.environ), tmp_path)


def memory(run_gitmem):
    found = json.loads(run_gitmem(["list", "--json"]).out)["memories"]
    return json.loads(run_gitmem(["read", found[0]["id"], "--json"]).out)["memories"][0]


def the_id(run_gitmem):
    return memory(run_gitmem)["id"][-6:]


def leftovers(home):
    return list((home / "runtime").iterdir())


def plaintext(*folders):
    """Files anywhere below the folders that hold the mark in plain."""
    done = subprocess.run(["grep", "-rl", MARK, *map(str, folders)], capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if "editor.sh" not in line]


def test_what_the_editor_saves_becomes_a_new_revision(vault, editor, terminal, run_gitmem, home):
    editor("sed -i 's/Old title/New title/; s/first words/second words/; s/^tags:.*/tags: [one, two]/' $1")
    edit = terminal("edit", the_id(run_gitmem))
    edit.until("edited")
    assert edit.end() == 0
    now = memory(run_gitmem)
    assert (now["title"], now["body"], now["tags"], now["rev"]) == (
        "New title",
        "second words",
        ["one", "two"],
        2,
    )
    assert leftovers(home) == []


def test_nothing_changed_is_no_new_revision(vault, editor, terminal, run_gitmem):
    editor("true")
    edit = terminal("edit", the_id(run_gitmem))
    edit.until("unchanged")
    assert edit.end() == 0
    assert memory(run_gitmem)["rev"] == 1


def test_the_file_in_the_editor_is_private_and_the_editor_gets_no_key(
    vault, editor, terminal, run_gitmem, monkeypatch, tmp_path
):
    key = run_gitmem(["key", "show"]).out.strip()
    monkeypatch.setenv("GITMEM_KEY", key)
    editor(f'stat -c %a "$1" > {tmp_path}/mode; env > {tmp_path}/seen')
    terminal("edit", the_id(run_gitmem)).end()
    assert (tmp_path / "mode").read_text().strip() == "600"
    seen = (tmp_path / "seen").read_text()
    assert "AGE-SECRET-KEY" not in seen
    assert "PATH=" in seen


def test_an_invalid_result_can_be_edited_again(vault, editor, terminal, run_gitmem, tmp_path):
    editor(
        f"if [ -e {tmp_path}/again ]; then sed -i 's/^importance:.*/importance: 0.5/' $1; else\n"
        f"touch {tmp_path}/again; sed -i 's/^importance:.*/importance: 7/; s/first words/kept words/' $1; fi"
    )
    edit = terminal("edit", the_id(run_gitmem))
    edit.until("Importance")
    edit.until("Open the editor again?")
    edit.answer("y\n")
    edit.until("edited")
    assert edit.end() == 0
    now = memory(run_gitmem)
    assert (now["body"], now["importance"]) == ("kept words", 0.5)


def test_a_refused_result_is_kept_sealed_and_taken_up_again(vault, editor, terminal, run_gitmem, home):
    editor(f"sed -i 's/^kind:.*/kind: nonsense/; s/first words/{MARK}/' $1")
    edit = terminal("edit", the_id(run_gitmem))
    edit.until("Open the editor again?")
    edit.answer("n\n")
    edit.until("--resume")
    assert edit.end() == 16
    assert memory(run_gitmem)["body"] == "first words"
    assert plaintext(vault, home) == []
    editor("sed -i 's/^kind:.*/kind: fact/' $1")
    resumed = terminal("edit", the_id(run_gitmem), "--resume")
    resumed.until("edited")
    assert resumed.end() == 0
    assert (memory(run_gitmem)["body"], memory(run_gitmem)["kind"]) == (MARK, "fact")
    assert run_gitmem(["edit", the_id(run_gitmem), "--resume"]).code == 14


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_during_the_edit_keeps_the_text(vault, editor, terminal, run_gitmem, tmp_path, home, number):
    editor(f"sed -i 's/first words/{MARK}/' $1; touch {tmp_path}/there; sleep 5")
    edit = terminal("edit", the_id(run_gitmem))
    end = time.monotonic() + 20
    while not (tmp_path / "there").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    os.kill(edit.pid, number)
    assert edit.end() == 128 + number
    assert plaintext(vault, home) == []
    editor("true")
    resumed = terminal("edit", the_id(run_gitmem), "--resume")
    resumed.until("edited")
    assert resumed.end() == 0
    assert memory(run_gitmem)["body"] == MARK


def test_a_memory_that_moved_on_meanwhile_is_merged(vault, editor, terminal, run_gitmem):
    short = the_id(run_gitmem)
    other = f"{sys.executable} -P -m gitmem edit {short} --tag theirs </dev/null"
    editor(f"sed -i 's/first words/words of mine/' $1; {other}")
    edit = terminal("edit", short)
    edit.until("edited")
    assert edit.end() == 0
    now = memory(run_gitmem)
    assert (now["body"], now["tags"], now["rev"]) == ("words of mine", ["theirs"], 3)


def test_a_memory_that_was_forgotten_meanwhile_leaves_a_draft(vault, editor, terminal, run_gitmem, home):
    short = the_id(run_gitmem)
    editor(
        f"sed -i 's/first words/{MARK}/' $1; {sys.executable} -P -m gitmem forget {short} --yes </dev/null"
    )
    edit = terminal("edit", short)
    edit.until("--resume")
    assert edit.end() == 14
    assert plaintext(vault, home) == []
    assert run_gitmem(["undo"]).code == 0
    editor("true")
    resumed = terminal("edit", short, "--resume")
    resumed.until("edited")
    assert resumed.end() == 0
    assert memory(run_gitmem)["body"] == MARK


def test_a_new_memory_is_typed_in_the_editor(vault, editor, terminal, run_gitmem, home):
    editor(f"printf '# Typed\\n\\n{MARK}\\n' > $1")
    write = terminal("write", "--tag", "t")
    write.until("wrote")
    assert write.end() == 0
    assert (memory(run_gitmem)["title"], memory(run_gitmem)["tags"]) == ("Typed", ["t"])
    assert plaintext(vault, home) == []


def test_an_editor_left_empty_writes_nothing(vault, editor, terminal, run_gitmem, home):
    editor("true")
    write = terminal("write")
    assert write.end() == 130
    assert json.loads(run_gitmem(["list", "--json"]).out)["total"] == 1
    assert leftovers(home) == []


def test_forget_asks_and_no_changes_nothing(vault, terminal, run_gitmem):
    short = the_id(run_gitmem)
    forget = terminal("forget", short)
    forget.until("Old title")
    forget.until("Forget this memory?")
    forget.answer("n\n")
    assert forget.end() == 130
    forget = terminal("forget", short)
    forget.until("?")
    forget.answer("y\n")
    assert forget.end() == 0
    assert json.loads(run_gitmem(["list", "--json"]).out)["memories"] == []


def test_a_locked_vault_asks_for_its_passphrase(vault, terminal, run_gitmem):
    assert run_gitmem(["key", "passphrase", "--only"], stdin="five words that do well\n").code == 0
    listing = terminal("list")
    listing.until("Passphrase of the vault")
    listing.answer("five words that do well\n")
    listing.until("Old title")
    assert listing.end() == 0
    wrong = terminal("list")
    wrong.until("Passphrase")
    wrong.answer("something else entirely\n")
    assert wrong.end() == 12


def test_init_is_a_short_conversation(terminal, tmp_path, run_gitmem, bare):
    init = terminal("init")
    init.until("Folder")
    init.answer(f"{tmp_path}/mine\n")
    init.until("Remote URL")
    init.answer(f"{bare}\n")
    init.until("The vault is ready")
    init.until("Back it up now")
    assert init.end() == 0
    assert run_gitmem(["status"]).out.count(str(bare)) == 1


def test_join_reads_the_code_without_showing_it(vault, terminal, run_gitmem, tmp_path, bare, home):
    subprocess.run(["git", "-C", vault, "remote", "add", "origin", bare], check=True)
    assert run_gitmem(["sync"]).code == 0
    code = run_gitmem(["invite"]).out.strip()
    join = terminal("join", str(tmp_path / "again"))
    join.until("Join code")
    join.answer(code + "\n")
    join.until("Joined")
    assert join.end() == 0
    assert code[8:40] not in join.everything


def test_colour_is_for_terminals_whose_owner_wants_it(vault, terminal, monkeypatch, run_gitmem):
    monkeypatch.setenv("TERM", "xterm")
    coloured = terminal("list")
    assert coloured.end() == 0
    assert "\x1b[33m" in coloured.everything
    monkeypatch.setenv("NO_COLOR", "1")
    plain = terminal("list")
    assert plain.end() == 0
    assert "\x1b" not in plain.everything
    assert "Old title" in plain.everything
    assert "\x1b" not in run_gitmem(["list"], env={"NO_COLOR": None}).out

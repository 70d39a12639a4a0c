"""Git over https with a token for GitHub: from the environment, from `gh`, and sent nowhere else."""

from __future__ import annotations

import base64
import os
import sys

import pytest

from machine import Machine

NAME = "ada/memory"


@pytest.fixture
def machine(tmp_path, github):
    """A machine whose vault lies in a private repository that only the token opens."""
    github.repository(NAME)
    machine = github.use(Machine.new(tmp_path / "one")).init()
    machine.git("remote", "add", "origin", f"{github.url}/{NAME}.git")
    return machine


def gh(machine, token, told=""):
    """Put a `gh` on the machine that knows one host; ``told`` is the file that it notes its calls in."""
    folder = machine.home / "bin"
    folder.mkdir(exist_ok=True)
    note = machine.home / "gh-calls"
    script = folder / "gh"
    script.write_text(
        f"#!{sys.executable}\n"
        "import os, sys\n"
        f"open({str(note)!r}, 'a').write(' '.join(sys.argv[1:]) + ' ' + str(sorted(os.environ)) + '\\n')\n"
        f"print({token!r})\n"
    )
    script.chmod(0o755)
    machine.env["PATH"] = f"{folder}{os.pathsep}{machine.env['PATH']}"
    return note


def on_disk(machine):
    """Everything in the git directory's config, and the settings, as one text."""
    files = [machine.git_dir / "config", *(machine.home / ".config").rglob("*")]
    return "".join(path.read_text(errors="replace") for path in files if path.is_file())


@pytest.mark.parametrize("variable", ["GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN"])
def test_the_token_in_the_environment_opens_the_remote(machine, github, variable):
    del machine.env["GH_TOKEN"]
    assert "asks for credentials" in machine.run("sync", code=18).err
    machine.env[variable] = github.token
    machine.run("sync")
    assert github.repositories[NAME].tip() == machine.git("rev-parse", "HEAD").strip()
    basic = base64.b64encode(f"x-access-token:{github.token}".encode()).decode()
    for text in (on_disk(machine), str([one.path for one in github.requests])):
        assert github.token not in text
        assert basic not in text


def test_what_gh_has_is_asked_for_only_once_git_was_refused(machine, github):
    github.use(machine, "-")
    calls = gh(machine, github.token)
    machine.run("config", "set", "sync.auto", "false")  # or the push behind a write would ask
    machine.write("a thought")
    machine.run("search", "thought")
    machine.run("status")
    assert not calls.exists()
    machine.run("sync", env={"GITMEM_KEY": None, "ANTHROPIC_API_KEY": "sk-ant-swordfish"})
    said = calls.read_text()
    assert said.startswith(f"auth token --hostname {github.url.removeprefix('http://')}")
    assert "ANTHROPIC_API_KEY" not in said
    assert said.count("auth token") == 1
    assert github.repositories[NAME].tip()


def test_gits_own_credentials_come_before_gh(machine, github):
    github.use(machine, "-")
    calls = gh(machine, "gho_wrong")
    helper = f"!f() {{ echo username=ada; echo password={github.token}; }}; f"
    machine.git("config", "credential.helper", helper)
    machine.run("sync")
    assert not calls.exists()


def test_a_token_of_the_environment_that_does_not_fit_leaves_gits_own_credentials_their_turn(machine, github):
    machine.env["GH_TOKEN"] = github.token_of(github.user("eve").login).text
    machine.env["PATH"] = "/usr/bin:/bin"
    helper = f"!f() {{ echo username=ada; echo password={github.token}; }}; f"
    machine.git("config", "credential.helper", helper)
    machine.run("sync")
    assert github.repositories[NAME].tip()


def test_the_token_goes_to_no_other_host(machine, github, http_remote_with_token):
    url = http_remote_with_token.create()
    machine.git("remote", "set-url", "origin", url)
    calls = gh(machine, http_remote_with_token.token)
    machine.env["GH_TOKEN"] = http_remote_with_token.token  # it would open the door, were it sent there
    assert "asks for credentials" in machine.run("sync", code=18).err
    assert not calls.exists()


def test_a_container_joins_with_the_token_of_its_environment(machine, github, tmp_path):
    machine.write("a thought")
    machine.run("sync")
    code = machine.run("invite").out.strip()
    there = github.use(Machine.new(tmp_path / "two"))
    there.run("join", str(there.vault), stdin=code.encode())
    assert "a thought" in str(there.bodies())


def test_a_job_comes_in_by_its_join_code_and_the_token_of_the_runner(machine, github, tmp_path):
    machine.write("a thought")
    machine.run("sync")
    repo = github.repositories[NAME]
    env = {
        "GITMEM_JOIN": machine.run("invite").out.strip(),
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": github.url,
        "GH_TOKEN": github.actions_token(repo, contents="write").text,
    }
    runner = Machine.new(tmp_path / "runner")
    runner.env.update(env)
    import subprocess

    def run(*args, data=b""):
        argv = [sys.executable, "-P", "-m", "gitmem", *args]
        done = subprocess.run(
            argv, env=runner.env, cwd=runner.home, input=data, capture_output=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    assert "a thought" in run("export", "-")
    run("write", "-", data=b"from the job")
    run("sync")
    machine.run("sync")
    assert "from the job" in str(machine.bodies())


@pytest.mark.parametrize("kind", ["oauth", "classic", "actions"])
def test_a_push_of_workflow_files_that_is_refused_says_how_to_get_the_right(machine, github, kind):
    repo = github.repositories[NAME]
    machine.run("sync")
    place = machine.vault / ".github" / "workflows" / "x.yml"
    place.parent.mkdir(parents=True)
    place.write_text("on: push\n")
    machine.git("add", ".")
    machine.git("commit", "-q", "-m", "a workflow")
    token = (
        github.actions_token(repo, contents="write")
        if kind == "actions"
        else github.token_of("ada", {"repo"}, kind=kind)
    )
    before = repo.tip()
    machine.env["GH_TOKEN"] = token.text
    said = machine.run("sync", code=18).err
    assert "does not let this token change workflow files" in said
    assert "`gh auth refresh -s workflow`" in said
    assert repo.tip() == before
    machine.env["GH_TOKEN"] = github.token
    machine.run("sync")
    assert repo.workflows() == [".github/workflows/x.yml"]


def test_a_connection_cut_in_the_middle_of_a_push_is_said_and_the_next_sync_finishes(machine, github):
    machine.run("sync")
    machine.write("a thought")
    github.fault("git-receive-pack", "POST", cut=True, after=True)
    done = machine.run("sync", code=None)
    assert done.code in (0, 18)
    machine.run("sync")
    assert github.repositories[NAME].tip() == machine.git("rev-parse", "HEAD").strip()


def test_a_repository_that_is_gone_is_said_to_be(machine, github):
    machine.run("sync")
    del github.repositories[NAME]
    assert "no such repository, or no access" in machine.run("sync", code=18).err


def test_the_token_never_travels_in_clear(machine, github, monkeypatch):
    from gitmem import config, connect

    for url, expected in (("http://github.example.org", False), ("https://github.example.org", True)):
        monkeypatch.setenv("GH_TOKEN", "gho_x")
        config.put("github.url", url)
        env = connect.git_access(f"{url}/{NAME}.git")(False)
        assert bool(env) is expected
        assert connect.git_access("https://elsewhere.example/x.git")(False) == {}

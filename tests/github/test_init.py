"""`gitmem init --github` against the stand-in: from nothing to a vault, and what is said when it fails."""

from __future__ import annotations

import json
import os
import re
import signal
import time

import pytest

from github_server import GitHubServer
from gitmem.vault import joincode
from machine import Machine

NAME = "ada/memory"


@pytest.fixture
def machine(tmp_path, github: GitHubServer) -> Machine:
    machine = github.use(Machine.new(tmp_path / "one"))
    machine.vault = machine.home / "memory"
    return machine


def init(machine, *options, **more):
    return machine.run("init", str(machine.vault), "--github", NAME, "--yes", *options, **more)


def test_a_vault_on_github_is_set_up_by_one_command(machine, github):
    done = init(machine, "--anthropic-key-from", "MY_KEY", env={"MY_KEY": "sk-ant-swordfish"})
    print(done.out, done.err)
    repo = github.repositories[NAME]
    assert repo.private
    assert repo.tip() == machine.git("rev-parse", "HEAD").strip()
    assert (repo.settings["allow_squash_merge"], repo.settings["allow_rebase_merge"]) == (False, False)
    assert repo.settings["has_issues"]
    assert repo.actions == {"enabled": True, "allowed_actions": "selected", "sha_pinning_required": True}
    assert repo.selected["github_owned_allowed"]
    assert repo.workflow_access["default_workflow_permissions"] == "read"
    assert {path.rpartition("/")[2] for path in repo.workflows()} == {
        "consolidate.yml",
        "inbox.yml",
        "publish.yml",
    }
    code = joincode.decode(repo.secrets["GITMEM_JOIN"])
    assert code.remote == f"{github.url}/{NAME}.git"
    assert code.floor in repo.git("rev-list", "main").split()
    assert repo.secrets["ANTHROPIC_API_KEY"] == "sk-ant-swordfish"


# Interrupted and run again.

WRITES = {"verb": "POST|PUT|PATCH|DELETE", "path": r"^(?!.*(git-upload-pack|graphql))"}
KEYED = ("--anthropic-key-from", "MY_KEY")
_RECORD = """
import sys
from gitmem import app
from gitmem.flows import records
print(records.read(app.open_store(sys.argv[1]), "github"))
"""


def final_state(machine, github):
    """All that a run leaves behind, on GitHub and here, without what is random."""
    repo = github.repositories[NAME]
    tool, tip = repo.tip("gitmem-tool"), repo.tip()
    code = joincode.decode(repo.secrets["GITMEM_JOIN"])
    vault_id = machine.run("--json", "status").json["vault_id"]
    assert code.vault_id == vault_id
    assert code.floor in repo.git("rev-list", "main").split()
    assert tip == machine.git("rev-parse", "HEAD").strip()
    assert machine.git("status", "--porcelain") == ""
    assert not machine.locks()
    machine.run("verify")
    keys = [path.name for path in (machine.home / ".config" / "gitmem" / "keys").iterdir()]
    known = json.loads((machine.home / ".local" / "state" / "gitmem" / "vaults.json").read_text())
    files = repo.git("ls-tree", "-r", "--name-only", tip).split()
    texts = {path: repo.file(path) for path in files if not path.startswith(".gitmem/")}
    said = json.dumps({**texts, "files": sorted(files)}).replace(tool, "TOOL")
    state = {
        "settings": {**repo.settings, "private": repo.private},
        "actions": (repo.actions, repo.selected, repo.workflow_access),
        "secrets": sorted(repo.secrets),
        "code": (code.remote, code.branch),
        "pages": repo.pages,
        "branches": sorted(repo.refs()),
        "commits": repo.git("log", "--format=%s", "main").splitlines(),
        "files": re.sub(r'cron: \\"\d+', "cron", said),
        "tool": sorted(repo.git("ls-tree", "-r", "--name-only", tool).split()),
        "record": machine.python(_RECORD, str(machine.vault)),
        "keys": [name == f"{vault_id}.txt" for name in keys],
        "known": [key == vault_id for key in known],
        "remote": machine.git("remote", "get-url", "origin"),
    }
    return json.loads(json.dumps(state).replace(github.url, "URL"))


_UNDISTURBED = {}


@pytest.fixture
def undisturbed(tmp_path, github):
    """The final state of a run that nothing interrupts; made once, for it costs as much as a test."""
    if not _UNDISTURBED:
        machine = github.use(Machine.new(tmp_path / "two"))
        machine.vault = machine.home / "memory"
        init(machine, *KEYED, env={"MY_KEY": "sk-ant-swordfish"})
        writes = [one for one in github.asked(path=WRITES["path"]) if one.verb != "GET"]
        assert len(writes) == 10  # as many as the test below has places
        _UNDISTURBED.update(final_state(machine, github))
        del github.repositories[NAME]
    return _UNDISTURBED


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("place", range(10))
def test_killed_at_any_change_and_run_again_it_ends_in_the_same_state(
    machine, github, undisturbed, place, carried_out
):
    machine.env["MY_KEY"] = "sk-ant-swordfish"
    child = []
    github.fault(**WRITES, skip=place, after=carried_out, cut=True, run=lambda: kill(child[0]))
    child.append(machine.spawn("init", str(machine.vault), "--github", NAME, "--yes", *KEYED))
    child[0].communicate(timeout=60)
    assert child[0].returncode == -signal.SIGKILL
    github.faults.clear()
    init(machine, *KEYED)
    assert final_state(machine, github) == undisturbed


def kill(child):
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def test_run_again_on_a_whole_one_it_changes_nothing(machine, github, undisturbed):
    for _ in range(2):
        init(machine, *KEYED, env={"MY_KEY": "sk-ant-swordfish"})
        tips = github.repositories[NAME].refs()
    assert final_state(machine, github) == undisturbed
    init(machine, *KEYED, env={"MY_KEY": "sk-ant-swordfish"})
    assert github.repositories[NAME].refs() == tips


@pytest.mark.parametrize("left", ["not remembered", "only a repository", "only a remote"])
def test_what_a_run_left_that_was_killed_on_this_machine_is_taken_up(machine, github, undisturbed, left):
    if left == "not remembered":
        machine.run("init", str(machine.vault), "--yes")
        (machine.home / ".local" / "state" / "gitmem" / "vaults.json").unlink()
    else:
        machine.vault.mkdir()
        machine.git("init", "-q", "-b", "main")
    if left == "only a remote":
        machine.git("remote", "add", "origin", f"{github.url}/{NAME}.git")
    init(machine, *KEYED, env={"MY_KEY": "sk-ant-swordfish"})
    assert final_state(machine, github) == undisturbed


# What is said when it cannot be.


def refused(machine, *words, code=18, options=(), **more):
    """One sentence that says what happened and one that says what to do; nothing was made here."""
    done = init(machine, *options, code=code, **more)
    message, *_ = done.err.splitlines()[-2:]
    assert message.startswith("gitmem: ")
    for word in words:
        assert word in done.err, done.err
    return done.err


def nothing_made(machine, github):
    assert not machine.vault.exists()
    assert not (machine.home / ".config" / "gitmem" / "keys").exists()
    assert NAME not in github.repositories


def test_without_a_token_it_says_how_to_get_one(machine, github):
    github.use(machine, "-")
    refused(machine, "no token", "`gh auth login`", "GH_TOKEN", "--remote")
    nothing_made(machine, github)
    assert github.requests == []


def test_a_wrong_token_is_said_to_be_wrong(machine, github):
    machine.env["GH_TOKEN"] = "gho_nobody"
    said = refused(machine, "does not accept the token")
    assert "gho_nobody" not in said
    nothing_made(machine, github)


@pytest.mark.parametrize(
    ("scopes", "lacking"), [({"repo"}, "workflow"), ({"workflow", "public_repo"}, "repo")]
)
def test_a_missing_scope_is_named_before_anything_is_made(machine, github, scopes, lacking):
    machine.env["GH_TOKEN"] = github.token_of("ada", scopes).text
    refused(machine, f"lacks the scope {lacking}", f"`gh auth refresh -s {lacking}`")
    nothing_made(machine, github)


def test_without_actions_no_workflow_scope_is_asked_for_and_nothing_is_stored(machine, github):
    machine.env["GH_TOKEN"] = github.token_of("ada", {"repo"}).text
    init(machine, "--no-actions")
    repo = github.repositories[NAME]
    assert (repo.secrets, repo.workflows(), sorted(repo.refs())) == ({}, [], ["refs/heads/main"])
    assert repo.actions == {"enabled": True, "allowed_actions": "all"}
    assert repo.settings["allow_squash_merge"] is False


def test_a_missing_permission_of_a_fine_grained_token_is_named(machine, github):
    github.repository(NAME)
    rights = {"administration": "write", "contents": "write", "workflows": "write"}
    machine.env["GH_TOKEN"] = github.token_of("ada", set(), kind="fine", permissions=rights).text
    refused(machine, "needs the permission secrets=read", "docs/github.md", "run the same command again")
    machine.env["GH_TOKEN"] = github.token
    init(machine)
    assert "GITMEM_JOIN" in github.repositories[NAME].secrets


def test_a_lost_answer_to_the_creation_is_no_matter(machine, github):
    github.fault("/user/repos", "POST", status=502, after=True)
    init(machine)
    assert github.repositories[NAME].tip()
    assert len(github.asked("POST", "/user/repos")) == 2


def test_a_github_in_trouble_is_said_to_be(machine, github):
    github.fault("/user/repos", "POST", status=502, times=9)
    refused(machine, "has trouble at the moment (it answered 502)", "run the same command again")
    github.faults.clear()
    init(machine)


def test_a_name_that_is_taken_is_said_to_be(machine, github):
    repo = github.repository(NAME)
    clone = machine.home / "clone"
    machine.vault = clone
    clone.mkdir()
    for args in (["init", "-q", "-b", "main"], ["commit", "-q", "--allow-empty", "-m", "one"]):
        machine.git(*args)
    machine.git("push", "-q", str(repo.place), "main")
    machine.vault = machine.home / "memory"
    refused(machine, f"{NAME} exists already and holds something else", "another name", code=9)
    github.user("eve")
    machine.env["GH_TOKEN"] = github.token_of("eve").text
    refused(machine, "does not let this token make repositories for ada", code=18)
    assert not machine.vault.exists()


def test_a_public_repository_is_refused_before_anything_is_sent(machine, github):
    repo = github.repository(NAME, private=False)
    refused(machine, f"The repository {NAME} is not private", "Nothing was sent", code=9)
    assert repo.refs() == {}
    assert not machine.vault.exists()


@pytest.mark.parametrize("place", range(4))
def test_one_that_turns_public_on_the_way_is_refused_at_the_next_step(machine, github, place):
    def turn():
        github.repositories[NAME].private = False

    github.fault(f"/repos/{NAME}$", "GET", skip=2 + place, run=turn)
    refused(machine, "is not private", code=9)
    repo = github.repositories[NAME]
    assert repo.secrets == {}
    assert bool(repo.refs()) == (place > 1)


def test_the_vault_of_another_folder_is_not_taken_over(machine, github, tmp_path):
    init(machine)
    other = github.use(Machine.new(tmp_path / "two"))
    refused(other, "holds a vault already", "`gitmem join`", code=9)
    assert not other.vault.exists()


def test_a_folder_with_another_remote_is_left_alone(machine, github, bare):
    machine.run("init", str(machine.vault), "--yes", "--remote", str(bare))
    refused(machine, "another remote", code=9)
    assert NAME not in github.repositories


def test_a_rate_limit_is_told_with_its_end_and_not_slept_through(machine, github):
    github.limit("/user$", seconds=1800)
    begin = time.monotonic()
    said = refused(machine, "rate limit for this token is used up until")
    assert re.search(r"until \d\d:\d\d UTC", said)
    github.faults.clear()
    github.limit("/actions/permissions$", seconds=600, secondary=True)
    refused(machine, "rate limit", "run the same command again")
    assert time.monotonic() - begin < 15
    github.faults.clear()
    init(machine)


def test_pages_that_the_plan_lacks_are_said_to_lack_and_a_paid_plan_has_them(machine, github):
    done = init(machine)
    assert "plan has no Pages for private repositories" in done.err
    assert "`gitmem publish --to gist`" in done.err
    assert github.repositories[NAME].pages is None
    github.owner.plan = "pro"
    assert "nothing is published until you ask" in init(machine).err
    assert github.repositories[NAME].pages == {"build_type": "workflow"}


def test_a_dry_run_shows_the_steps_and_changes_nothing(machine, github):
    done = init(machine, "--dry-run", *KEYED, env={"MY_KEY": "x"})
    for word in ("private repository", "Administration", "Secrets", "Workflows", "Pages", "GitHub's runners"):
        assert word in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    nothing_made(machine, github)
    assert {one.verb for one in github.requests} == {"GET"}


def test_who_can_read_what_actions_hold_is_said_before(machine, github):
    repo = github.repository(NAME)
    github.user("bob")
    repo.collaborators.append("bob")
    said = init(machine).err
    assert "GitHub's runners, and whoever" in said
    assert "Others who may push there already: bob" in said
    assert "GitHub's runners" not in init(machine, "--no-actions").err


def test_without_a_terminal_it_asks_for_yes(machine, github):
    done = machine.run("init", str(machine.vault), "--github", NAME, code=2)
    assert "--yes" in done.err
    nothing_made(machine, github)


def test_keys_and_tokens_stand_in_no_request_url_output_or_git_config(machine, github):
    done = init(machine, *KEYED, env={"MY_KEY": "sk-ant-swordfish"})
    key = (machine.home / ".config" / "gitmem" / "keys").glob("*.txt").__next__().read_text().split()[-1]
    said = done.out + done.err + (machine.git_dir / "config").read_text()
    said += "".join(f"{one.path}?{one.query} {one.body}" for one in github.requests)
    for secret in (key, "sk-ant-swordfish", github.token):
        assert secret not in said


def test_a_variable_that_is_not_set_is_named_as_the_trouble(machine, github):
    refused(machine, "--anthropic-key-from", "not set", code=9, options=("--anthropic-key-from", "NO_SUCH"))
    nothing_made(machine, github)


@pytest.mark.parametrize(
    "typed", ["memory", "ada/", "ada/me mory", "https://elsewhere.example/ada/memory", "a/.."]
)
def test_a_name_that_is_none_is_refused(machine, github, typed):
    done = machine.run("init", "--github", typed, "--yes", code=9)
    assert "OWNER/NAME" in done.err
    assert github.requests == []


def test_an_organisation_gets_its_repository_too(machine, github):
    github.user("guild", kind="Organization")
    github.members["guild"] = {"ada"}
    machine.run("init", str(machine.vault), "--github", "guild/memory", "--yes")
    assert github.repositories["guild/memory"].secrets.keys() == {"GITMEM_JOIN"}


def test_a_private_copy_with_code_in_it_becomes_a_vault(machine, github):
    repo = github.repository(NAME)
    machine.vault.mkdir()
    machine.git("init", "-q", "-b", "main")
    (machine.vault / "code.py").write_text("print()\n")
    machine.git("add", ".")
    machine.git("commit", "-q", "-m", "code")
    machine.git("remote", "add", "origin", f"{github.url}/{NAME}.git")
    machine.git("push", "-q", str(repo.place), "main")
    init(machine)
    assert repo.file("code.py") == "print()\n"
    assert repo.tip() == machine.git("rev-parse", "HEAD").strip()
    assert repo.secrets.keys() == {"GITMEM_JOIN"}


def test_a_token_that_dies_half_way_is_said_to_and_a_new_one_finishes(machine, github, undisturbed):
    def die():
        github.tokens[github.token].good = False

    github.fault("/actions/secrets/public-key", "GET", run=die)
    refused(machine, "does not accept the token", "run the same command again", code=18)
    assert github.repositories[NAME].secrets == {}
    machine.env["GH_TOKEN"] = github.token_of("ada").text
    init(machine, *KEYED, env={"MY_KEY": "sk-ant-swordfish"})
    assert final_state(machine, github) == undisturbed


def test_a_no_at_the_question_changes_nothing(machine, github):
    import pty

    ours, theirs = pty.openpty()
    child = machine.spawn("init", str(machine.vault), "--github", NAME, stdin=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    while b"Go on?" not in seen:
        seen += os.read(ours, 4096)
    os.write(ours, b"n\n")
    child.communicate(timeout=30)
    os.close(ours)
    assert child.returncode == 130
    assert b"GitHub's runners" in seen
    nothing_made(machine, github)

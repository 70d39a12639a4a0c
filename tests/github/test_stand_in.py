"""The GitHub stand-in is like GitHub: what tests rest on is tested first."""

from __future__ import annotations

import subprocess

import pytest

from github_server import GitHubServer
from gitmem.errors import NotFoundError, Refused, RemoteError
from gitmem.github.client import GitHub


@pytest.fixture
def hub(github: GitHubServer) -> GitHub:
    return GitHub(github.token, github.url)


def git(*args, token=""):
    argv = ["git", "-c", "init.defaultBranch=main"]
    if token:
        import base64

        basic = base64.b64encode(f"x:{token}".encode()).decode()
        argv += ["-c", f"http.extraHeader=Authorization: basic {basic}"]
    return subprocess.run([*argv, *args], capture_output=True, text=True)


def commit(folder, path="a.txt", text="text"):
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    git("-C", str(folder), "add", ".")
    git("-C", str(folder), "commit", "-q", "-m", "one")


@pytest.fixture
def clone(github, tmp_path):
    repo = github.repository("ada/memory")
    folder = tmp_path / "clone"
    assert git("clone", "-q", f"{github.url}/ada/memory", str(folder), token=github.token).returncode == 0
    commit(folder)
    return repo, folder


def test_a_repository_is_made_and_a_second_of_its_name_is_not(hub, github):
    made = hub.call("POST", "/user/repos", {"name": "memory", "private": True})
    assert made["private"]
    assert made["owner"]["id"] == github.owner.id
    with pytest.raises(Refused) as refused:
        hub.call("POST", "/user/repos", {"name": "memory", "private": True})
    assert refused.value.status == 422
    assert refused.value.reason == "name already exists on this account"


def test_a_secret_arrives_sealed_and_can_be_read_by_github_alone(hub, github):
    repo = github.repository("ada/memory")
    hub.secret("ada/memory", "WORD", "swordfish")
    assert repo.secrets == {"WORD": "swordfish"}
    assert "swordfish" not in str(github.requests)
    hub.secret("ada/memory", "WORD", "second")
    assert repo.secrets == {"WORD": "second"}
    listed = hub.call("GET", "/repos/ada/memory/actions/secrets")
    assert [one["name"] for one in listed["secrets"]] == ["WORD"]


def test_pages_of_a_private_repository_need_a_paid_plan(hub, github):
    github.repository("ada/memory")
    with pytest.raises(Refused, match="plan does not support GitHub Pages") as refused:
        hub.call("POST", "/repos/ada/memory/pages", {"build_type": "workflow"})
    assert refused.value.status == 422
    github.owner.plan = "pro"
    assert hub.call("POST", "/repos/ada/memory/pages", {"build_type": "workflow"})["public"]
    with pytest.raises(Refused) as refused:
        hub.call("POST", "/repos/ada/memory/pages", {"build_type": "workflow"})
    assert refused.value.status == 409


def test_git_pushes_with_the_token_and_not_without(github, clone):
    repo, folder = clone
    assert git("-C", str(folder), "push", "-q", "origin", "HEAD:main").returncode != 0
    assert repo.tip() == ""
    done = git("-C", str(folder), "push", "-q", "origin", "HEAD:main", token=github.token)
    assert done.returncode == 0, done.stderr
    assert repo.file("a.txt") == "text"
    assert git("ls-remote", f"{github.url}/ada/memory", token="wrong").returncode != 0
    assert "not found" in git("ls-remote", f"{github.url}/ada/nothing", token=github.token).stderr
    assert git("ls-remote", f"{github.url}/ada/memory", token=github.token).returncode == 0


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("oauth", "an OAuth App to create or update workflow .* without `workflow` scope"),
        ("classic", "a Personal Access Token to .* without `workflow` scope"),
        ("actions", "a GitHub App to create or update workflow .* without `workflows` permission"),
    ],
)
def test_workflow_files_need_a_right_of_their_own(github, clone, kind, words):
    import re

    repo, folder = clone
    if kind == "actions":
        token = github.actions_token(repo, contents="write")
    else:
        token = github.token_of("ada", {"repo"}, kind=kind)
    assert git("-C", str(folder), "push", "-q", "origin", "HEAD:main", token=token.text).returncode == 0
    commit(folder, ".github/workflows/x.yml")
    done = git("-C", str(folder), "push", "origin", "HEAD:main", token=token.text)
    assert done.returncode != 0
    assert re.search(rf"remote rejected.*refusing to allow {words}", done.stderr)
    assert repo.workflows() == []
    assert git("-C", str(folder), "push", "-q", "origin", "HEAD:main", token=github.token).returncode == 0
    assert repo.workflows() == [".github/workflows/x.yml"]


def test_a_commit_is_fetched_by_its_id_alone(github, clone, tmp_path):
    repo, folder = clone
    git("-C", str(folder), "push", "-q", "origin", "HEAD:main", token=github.token)
    first = repo.tip()
    commit(folder, "b.txt")
    git("-C", str(folder), "push", "-q", "origin", "HEAD:main", token=github.token)
    git("init", "-q", str(tmp_path / "other"))
    url = f"{github.url}/ada/memory.git"
    done = git("-C", str(tmp_path / "other"), "fetch", "-q", "--depth=1", url, first, token=github.token)
    assert done.returncode == 0, done.stderr


def test_a_workflow_is_there_once_it_was_pushed(hub, github, clone):
    repo, folder = clone
    place = "/repos/ada/memory/actions/workflows/x.yml"
    with pytest.raises(NotFoundError):
        hub.call("POST", f"{place}/dispatches", {"ref": "main"})
    commit(folder, ".github/workflows/x.yml", "on: workflow_dispatch\n")
    git("-C", str(folder), "push", "-q", "origin", "HEAD:main", token=github.token)
    run = hub.call("POST", f"{place}/dispatches", {"ref": "main", "return_run_details": True})
    found = hub.call("GET", f"/repos/ada/memory/actions/runs/{run['workflow_run_id']}")
    assert (found["status"], found["conclusion"]) == ("completed", "success")
    assert repo.dispatches == [(".github/workflows/x.yml", {})]
    repo.states[".github/workflows/x.yml"] = "disabled_inactivity"
    assert hub.call("GET", place)["state"] == "disabled_inactivity"
    hub.call("PUT", f"{place}/enable")
    assert hub.call("GET", place)["state"] == "active"


DELETE = "mutation($input: DeleteIssueInput!) { deleteIssue(input: $input) { clientMutationId } }"


def test_an_issue_is_deleted_once_by_its_owner_alone(hub, github):
    repo = github.repository("ada/memory")
    made = hub.call("POST", "/repos/ada/memory/issues", {"title": "t", "body": "first"})
    hub.call("PATCH", "/repos/ada/memory/issues/1", {"body": "second", "state": "closed"})
    assert repo.issues[1].edits == [("t", "first")]
    runner = GitHub(github.actions_token(repo, issues="write").text, github.url)
    with pytest.raises(Refused) as refused:
        runner.graphql(DELETE, {"input": {"issueId": made["node_id"]}})
    assert refused.value.status == 403
    hub.graphql(DELETE, {"input": {"issueId": made["node_id"]}})
    with pytest.raises(NotFoundError):
        hub.graphql(DELETE, {"input": {"issueId": made["node_id"]}})
    with pytest.raises(Refused) as refused:
        hub.call("GET", "/repos/ada/memory/issues/1")
    assert refused.value.status == 410


def test_gists_change_and_keep_what_they_held(hub, github):
    made = hub.call("POST", "/gists", {"public": False, "files": {"a.md": {"content": "one"}}})
    hub.call(
        "PATCH", f"/gists/{made['id']}", {"files": {"a.md": {"content": "two"}, "b.md": {"content": "b"}}}
    )
    assert github.gists[made["id"]].files == {"a.md": "two", "b.md": "b"}
    assert github.gists[made["id"]].earlier == [{"a.md": "one"}]
    hub.call("DELETE", f"/gists/{made['id']}")
    assert github.gists == {}


def test_the_token_of_a_job_reaches_neither_gists_nor_secrets_nor_the_account(github):
    repo = github.repository("ada/memory")
    runner = GitHub(github.actions_token(repo, contents="write", issues="write").text, github.url)
    for verb, path, body in (
        ("GET", "/user", None),
        ("POST", "/gists", {"files": {"a": {"content": "x"}}}),
        ("GET", "/repos/ada/memory/actions/secrets", None),
        ("POST", "/repos/ada/memory/actions/workflows/x.yml/dispatches", {"ref": "main"}),
    ):
        with pytest.raises((Refused, NotFoundError)) as refused:
            runner.call(verb, path, body)
        assert "Resource not accessible by integration" in str(refused.value), path
    github.repository("ada/other")
    with pytest.raises(NotFoundError):
        runner.call("GET", "/repos/ada/other")


@pytest.mark.parametrize(
    ("verb", "path", "body", "word"),
    [
        ("POST", "/repos/ada/memory/pages", {"build_type": "gha"}, "build_type"),
        ("PATCH", "/repos/ada/memory", {"privat": True}, "privat"),
        ("PUT", "/repos/ada/memory/actions/permissions", None, "needs a body"),
        ("GET", "/repos/ada/memory/issues?stat=open", None, "stat"),
        ("GET", "/repos/ada/memory/actions/secretz", None, "no such endpoint"),
        ("GET", "/repos/ada/memory/forks", None, "stand-in does not have"),
    ],
)
def test_a_request_that_github_does_not_know_fails_the_test(hub, github, verb, path, body, word):
    github.repository("ada/memory")
    with pytest.raises((RemoteError, NotFoundError)):
        hub.call(verb, path, body)
    with pytest.raises(AssertionError, match=word):
        github.judge.verdict()
    github.judge.wrong.clear()


def test_a_graphql_operation_that_is_not_in_the_schema_fails_the_test(hub, github):
    with pytest.raises(Refused):
        hub.graphql("mutation { deleteIssues(input: {}) { clientMutationId } }", {})
    with pytest.raises(AssertionError, match="deleteIssues"):
        github.judge.verdict()
    github.judge.wrong.clear()


def test_an_answer_that_github_would_not_give_fails_the_test(hub, github, monkeypatch):
    repo = github.repository("ada/memory")
    repo.workflow_access["default_workflow_permissions"] = "all"
    hub.call("GET", "/repos/ada/memory/actions/permissions/workflow")
    with pytest.raises(AssertionError, match="default_workflow_permissions"):
        github.judge.verdict()
    github.judge.wrong.clear()

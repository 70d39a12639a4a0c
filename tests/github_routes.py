"""The REST endpoints of the GitHub stand-in: what each asks of the token, does, and answers.

Answers name only what matters; `github_rules.shaped` adds the fields that GitHub's description requires.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from github_state import Gist, Issue, Repository, Run, Token, User, now

if TYPE_CHECKING:
    from github_server import GitHubServer


class No(Exception):
    """An answer that is a refusal."""

    def __init__(self, status: int, message: str, *errors: dict[str, str], **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message, "documentation_url": "https://docs.github.com/rest"}
        if errors:
            self.body["errors"] = list(errors)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(slots=True)
class Ask:
    """One request: who asks, for what, with which variables of the path, parameters and body."""

    hub: GitHubServer
    token: Token
    words: dict[str, str]
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def repo(self) -> Repository:
        """The repository in the path, which the token may see.

        Raises:
            No: it is not there, or hidden from this token; GitHub tells no difference.
        """
        found = self.hub.repositories.get(f"{self.words['owner']}/{self.words['repo']}".lower())
        if found is None or not self.hub.may_see(self.token, found):
            raise No(404, "Not Found")
        return found

    def page(self, items: list[Any]) -> list[Any]:
        """The part of a list that was asked for."""
        size, number = int(self.query.get("per_page", 30)), int(self.query.get("page", 1))
        return items[(number - 1) * size : number * size]


Answer = tuple[int, Any]
Handler = Callable[[Ask], Answer]
ROUTES: list[tuple[str, re.Pattern[str], str, Handler]] = []
REPO = "/repos/{owner}/{repo}"


def route(verb: str, path: str, needs: str = "") -> Callable[[Handler], Handler]:
    """Serve this endpoint. ``needs``: "permission=write", or "scope:gist" that no permission stands for."""

    def keep(handler: Handler) -> Handler:
        pattern = re.sub(
            r"\{(\w+)\}", lambda m: f"(?P<{m[1]}>{'.+' if m[1] in ('path', 'ref') else '[^/]+'})", path
        )
        ROUTES.append((verb, re.compile(pattern), needs, handler))
        return handler

    return keep


def taken(field_: str, message: str) -> dict[str, str]:
    """One entry of a 422's list of errors."""
    return {"resource": "Repository", "code": "custom", "field": field_, "message": message}


# Accounts and repositories.


def _account(user: User) -> dict[str, Any]:
    return {"login": user.login, "id": user.id, "type": user.kind}


def _repository(ask: Ask, repo: Repository) -> dict[str, Any]:
    owner = ask.hub.users[repo.owner.lower()]
    mine = ask.token.login in {repo.owner, *ask.hub.members.get(repo.owner.lower(), ())}
    return {
        "id": repo.id, "name": repo.name, "full_name": repo.full_name, "private": repo.private,
        "owner": _account(owner), "html_url": f"{ask.hub.url}/{repo.full_name}",
        "default_branch": repo.branch,
        "clone_url": f"{ask.hub.url}/{repo.full_name}.git", "size": 0, "fork": False,
        "visibility": "private" if repo.private else "public", "has_pages": repo.pages is not None,
        "permissions": {"admin": mine, "push": True, "pull": True},
        "has_issues": True, "has_wiki": True, "has_projects": True, "archived": False,
        "allow_squash_merge": True, "allow_merge_commit": True, "allow_rebase_merge": True, **repo.settings,
    }  # fmt: skip


@route("GET", "/user", "scope:")
def user(ask: Ask) -> Answer:
    found = ask.hub.users[ask.token.login.lower()]
    # The kind of account with the plan is told only to a token with the scope `user`.
    return 200, {**_account(found), "name": None, "site_admin": False, "user_view_type": "public"}


@route("GET", "/rate_limit")
def rate_limit(ask: Ask) -> Answer:
    one = {"limit": 5000, "remaining": 4999, "reset": 1_800_000_000, "used": 1}
    return 200, {"resources": {"core": one, "search": one}, "rate": one}


@route("POST", "/user/repos", "administration=write")
def make_repository(ask: Ask) -> Answer:
    return _made(ask, ask.token.login)


@route("POST", "/orgs/{owner}/repos", "administration=write")
def make_repository_of_organisation(ask: Ask) -> Answer:
    if ask.hub.users.get(ask.words["owner"].lower(), User("", 0)).kind != "Organization":
        raise No(404, "Not Found")
    return _made(ask, ask.words["owner"])


def _made(ask: Ask, owner: str) -> Answer:
    name = ask.body["name"]
    if f"{owner}/{name}".lower() in ask.hub.repositories:
        raise No(422, "Repository creation failed.", taken("name", "name already exists on this account"))
    repo = ask.hub.repository(f"{owner}/{name}", private=ask.body.get("private", False))
    repo.settings.update({key: value for key, value in ask.body.items() if key not in ("name", "private")})
    return 201, _repository(ask, repo)


@route("GET", REPO, "metadata=read")
def repository(ask: Ask) -> Answer:
    return 200, _repository(ask, ask.repo)


@route("PATCH", REPO, "administration=write")
def change_repository(ask: Ask) -> Answer:
    repo = ask.repo
    repo.private = ask.body.get("private", repo.private)
    repo.settings.update({key: value for key, value in ask.body.items() if key not in ("name", "private")})
    return 200, _repository(ask, repo)


@route("DELETE", REPO, "scope:delete_repo")
def delete_repository(ask: Ask) -> Answer:
    del ask.hub.repositories[ask.repo.full_name.lower()]
    return 204, None


@route("GET", REPO + "/collaborators", "metadata=read")
def collaborators(ask: Ask) -> Answer:
    names = [ask.repo.owner, *ask.repo.collaborators]
    rights = {"pull": True, "push": True, "admin": False}
    found = [_account(ask.hub.users[name.lower()]) for name in names]
    return 200, [{**one, "permissions": rights, "role_name": "write"} for one in ask.page(found)]


@route("GET", REPO + "/git/ref/{ref}", "contents=read")
def ref(ask: Ask) -> Answer:
    repo, name = ask.repo, f"refs/{ask.words['ref']}"
    if not repo.refs():
        raise No(409, "Git Repository is empty.")
    if name not in repo.refs():
        raise No(404, "Not Found")
    return 200, {"ref": name, "object": {"type": "commit", "sha": repo.refs()[name]}}


@route("GET", REPO + "/contents/{path}", "contents=read")
def contents(ask: Ask) -> Answer:
    text = ask.repo.file(ask.words["path"], ask.query.get("ref", ""))
    if text is None:
        raise No(404, "Not Found")
    path = ask.words["path"]
    content = base64.encodebytes(text.encode()).decode()
    return 200, {"type": "file", "encoding": "base64", "path": path, "name": path.rpartition("/")[2],
                 "content": content, "size": len(text.encode())}  # fmt: skip


# Actions.


@route("GET", REPO + "/actions/permissions", "administration=read")
def actions(ask: Ask) -> Answer:
    return 200, ask.repo.actions


@route("PUT", REPO + "/actions/permissions", "administration=write")
def set_actions(ask: Ask) -> Answer:
    ask.repo.actions.update(ask.body)
    return 204, None


@route("GET", REPO + "/actions/permissions/selected-actions", "administration=read")
def selected(ask: Ask) -> Answer:
    if ask.repo.actions["allowed_actions"] != "selected":
        raise No(409, "Conflict")
    return 200, ask.repo.selected


@route("PUT", REPO + "/actions/permissions/selected-actions", "administration=write")
def set_selected(ask: Ask) -> Answer:
    if ask.repo.actions["allowed_actions"] != "selected":
        raise No(409, "Conflict")
    ask.repo.selected = ask.body
    return 204, None


@route("GET", REPO + "/actions/permissions/workflow", "administration=read")
def workflow_access(ask: Ask) -> Answer:
    return 200, ask.repo.workflow_access


@route("PUT", REPO + "/actions/permissions/workflow", "administration=write")
def set_workflow_access(ask: Ask) -> Answer:
    ask.repo.workflow_access.update(ask.body)
    return 204, None


@route("GET", REPO + "/actions/permissions/artifact-and-log-retention", "administration=read")
def retention(ask: Ask) -> Answer:
    return 200, {"days": ask.repo.retention_days, "maximum_allowed_days": 90}


@route("PUT", REPO + "/actions/permissions/artifact-and-log-retention", "administration=write")
def set_retention(ask: Ask) -> Answer:
    ask.repo.retention_days = ask.body["days"]
    return 204, None


@route("GET", REPO + "/actions/secrets", "secrets=read")
def secrets(ask: Ask) -> Answer:
    return 200, _listed("secrets", [_secret(name) for name in sorted(ask.repo.secrets)], ask)


@route("GET", REPO + "/actions/secrets/public-key", "secrets=read")
def public_key(ask: Ask) -> Answer:
    return 200, {"key_id": "568250167242549743", "key": ask.repo.key}


@route("GET", REPO + "/actions/secrets/{name}", "secrets=read")
def secret(ask: Ask) -> Answer:
    return 200, _secret(_named(ask.repo.secrets, ask))


@route("PUT", REPO + "/actions/secrets/{name}", "secrets=write")
def put_secret(ask: Ask) -> Answer:
    repo, name = ask.repo, ask.words["name"]
    text = repo.unseal(ask.body["encrypted_value"])
    if len(text.encode()) > 48 * 1024 or name.upper().startswith("GITHUB_"):
        raise No(422, "Invalid request")
    new = name not in repo.secrets
    repo.secrets[name] = text
    return (201, {}) if new else (204, None)


@route("DELETE", REPO + "/actions/secrets/{name}", "secrets=write")
def delete_secret(ask: Ask) -> Answer:
    del ask.repo.secrets[_named(ask.repo.secrets, ask)]
    return 204, None


@route("GET", REPO + "/actions/variables", "actions_variables=read")
def variables(ask: Ask) -> Answer:
    rows = [_variable(name, value) for name, value in sorted(ask.repo.variables.items())]
    return 200, _listed("variables", rows, ask)


@route("POST", REPO + "/actions/variables", "actions_variables=write")
def make_variable(ask: Ask) -> Answer:
    if ask.body["name"] in ask.repo.variables:
        raise No(409, "Already exists - Variable already exists")
    ask.repo.variables[ask.body["name"]] = ask.body["value"]
    return 201, {}


@route("GET", REPO + "/actions/variables/{name}", "actions_variables=read")
def variable(ask: Ask) -> Answer:
    name = _named(ask.repo.variables, ask)
    return 200, _variable(name, ask.repo.variables[name])


@route("PATCH", REPO + "/actions/variables/{name}", "actions_variables=write")
def change_variable(ask: Ask) -> Answer:
    ask.repo.variables[_named(ask.repo.variables, ask)] = ask.body["value"]
    return 204, None


@route("DELETE", REPO + "/actions/variables/{name}", "actions_variables=write")
def delete_variable(ask: Ask) -> Answer:
    del ask.repo.variables[_named(ask.repo.variables, ask)]
    return 204, None


def _named(held: dict[str, str], ask: Ask) -> str:
    if ask.words["name"] not in held:
        raise No(404, "Not Found")
    return ask.words["name"]


def _secret(name: str) -> dict[str, str]:
    return {"name": name, "created_at": now(), "updated_at": now()}


def _variable(name: str, value: str) -> dict[str, str]:
    return {**_secret(name), "value": value}


def _listed(key: str, rows: list[Any], ask: Ask) -> dict[str, Any]:
    return {"total_count": len(rows), key: ask.page(rows)}


def _workflow(ask: Ask, path: str) -> dict[str, Any]:
    repo = ask.repo
    state = repo.states.get(path, "active")
    name = path.rpartition("/")[2]
    return {"id": _number(path), "name": name, "path": path, "state": state, "badge_url": "",
            "created_at": repo.installed}  # fmt: skip


def _number(path: str) -> int:
    return sum(map(ord, path))  # the same each time, and different for the few files of a vault


def _path(ask: Ask) -> str:
    """The workflow of the request, by its number or its file's name; only what was pushed is there."""
    wanted = ask.words["workflow"]
    for path in ask.repo.workflows():
        if wanted in (str(_number(path)), path.rpartition("/")[2]):
            return path
    raise No(404, "Not Found")


@route("GET", REPO + "/actions/workflows", "actions=read")
def workflows(ask: Ask) -> Answer:
    return 200, _listed("workflows", [_workflow(ask, path) for path in ask.repo.workflows()], ask)


@route("GET", REPO + "/actions/workflows/{workflow}", "actions=read")
def workflow(ask: Ask) -> Answer:
    return 200, _workflow(ask, _path(ask))


@route("PUT", REPO + "/actions/workflows/{workflow}/enable", "actions=write")
def enable(ask: Ask) -> Answer:
    ask.repo.states.pop(_path(ask), None)
    return 204, None


@route("PUT", REPO + "/actions/workflows/{workflow}/disable", "actions=write")
def disable(ask: Ask) -> Answer:
    ask.repo.states[_path(ask)] = "disabled_manually"
    return 204, None


@route("POST", REPO + "/actions/workflows/{workflow}/dispatches", "actions=write")
def dispatch(ask: Ask) -> Answer:
    repo, path = ask.repo, _path(ask)
    text = repo.file(path, ask.body["ref"].removeprefix("refs/heads/"))
    if text is None:
        raise No(422, f"No ref found for: {ask.body['ref']}")
    if "workflow_dispatch" not in text:
        raise No(422, "Workflow does not have 'workflow_dispatch' trigger")
    if repo.states.get(path):
        raise No(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow")
    inputs = ask.body.get("inputs", {})
    repo.dispatches.append((path, inputs))
    run = Run(len(repo.runs) + 1, path, "workflow_dispatch", inputs=inputs)
    repo.runs.append(run)
    if not ask.body.get("return_run_details"):
        return 204, None
    place = f"{repo.full_name}/actions/runs/{run.id}"
    return 200, {"workflow_run_id": run.id, "run_url": f"{ask.hub.url}/api/v3/repos/{place}",
                 "html_url": f"{ask.hub.url}/{place}"}  # fmt: skip


def _run(run: Run) -> dict[str, Any]:
    return {"id": run.id, "path": run.path, "event": run.event, "status": run.status, "name": "gitmem",
            "conclusion": run.conclusion, "created_at": run.created_at, "updated_at": run.created_at,
            "workflow_id": _number(run.path)}  # fmt: skip


def _runs(ask: Ask, found: list[Run]) -> Answer:
    wanted = ask.query.get("status", "")
    rows = [_run(one) for one in reversed(found) if wanted in ("", one.status, one.conclusion)]
    return 200, _listed("workflow_runs", rows, ask)


@route("GET", REPO + "/actions/workflows/{workflow}/runs", "actions=read")
def runs_of_workflow(ask: Ask) -> Answer:
    path = _path(ask)
    return _runs(ask, [run for run in ask.repo.runs if run.path == path])


@route("GET", REPO + "/actions/runs", "actions=read")
def runs(ask: Ask) -> Answer:
    return _runs(ask, ask.repo.runs)


@route("GET", REPO + "/actions/runs/{run}", "actions=read")
def run(ask: Ask) -> Answer:
    found = [one for one in ask.repo.runs if str(one.id) == ask.words["run"]]
    if not found:
        raise No(404, "Not Found")
    return 200, _run(found[0])


# Pages and gists.

_NO_PAGES = "Your current plan does not support GitHub Pages for this repository."


def _site(ask: Ask) -> dict[str, Any]:
    repo = ask.repo
    if repo.pages is None:
        raise No(404, "Not Found")
    return {"html_url": f"{ask.hub.url}/pages/{repo.owner}/{repo.name}/", "status": None, "cname": None,
            "custom_404": False, "public": True, **repo.pages}  # fmt: skip


@route("GET", REPO + "/pages", "pages=read")
def pages(ask: Ask) -> Answer:
    return 200, _site(ask)


@route("POST", REPO + "/pages", "pages=write")
def make_pages(ask: Ask) -> Answer:
    repo = ask.repo
    if repo.private and ask.hub.users[repo.owner.lower()].plan == "free":
        raise No(422, _NO_PAGES)
    if repo.pages is not None:
        raise No(409, "GitHub Pages is already enabled.")
    repo.pages = dict(ask.body)
    return 201, _site(ask)


@route("PUT", REPO + "/pages", "pages=write")
def change_pages(ask: Ask) -> Answer:
    _site(ask)
    ask.repo.pages = {**(ask.repo.pages or {}), **ask.body}
    return 204, None


@route("DELETE", REPO + "/pages", "pages=write")
def delete_pages(ask: Ask) -> Answer:
    _site(ask)
    ask.repo.pages = None
    return 204, None


def _gist(ask: Ask, gist: Gist) -> dict[str, Any]:
    raw = f"{ask.hub.url}/gist/{gist.owner}/{gist.id}/raw"
    files = {
        name: {"filename": name, "type": "text/plain", "raw_url": f"{raw}/{name}", "size": len(text.encode()),
               "truncated": False, "content": text}
        for name, text in gist.files.items()
    }  # fmt: skip
    owner = _account(ask.hub.users[gist.owner.lower()])
    return {"id": gist.id, "public": gist.public, "description": gist.description, "files": files,
            "owner": owner, "html_url": f"{ask.hub.url}/gist/{gist.owner}/{gist.id}"}  # fmt: skip


def _own_gist(ask: Ask) -> Gist:
    gist = ask.hub.gists.get(ask.words["gist"])
    if gist is None:
        raise No(404, "Not Found")
    return gist


@route("POST", "/gists", "scope:gist")
def make_gist(ask: Ask) -> Answer:
    if any(not one["content"] for one in ask.body["files"].values()):
        raise No(422, "Validation Failed", {"resource": "Gist", "code": "missing_field", "field": "files"})
    files = {name: one["content"] for name, one in ask.body["files"].items()}
    gist = Gist(f"{ask.hub.number():032x}", ask.token.login, bool(ask.body.get("public")), "", files)
    gist.description = ask.body.get("description", "")
    ask.hub.gists[gist.id] = gist
    return 201, _gist(ask, gist)


@route("GET", "/gists/{gist}", "scope:")
def gist(ask: Ask) -> Answer:
    return 200, _gist(ask, _own_gist(ask))


@route("PATCH", "/gists/{gist}", "scope:gist")
def change_gist(ask: Ask) -> Answer:
    gist = _own_gist(ask)
    gist.earlier.append(dict(gist.files))
    for name, change in ask.body.get("files", {}).items():
        gist.files.pop(name, None)
        if change is not None:
            gist.files[change.get("filename") or name] = change["content"]
    gist.description = ask.body.get("description", gist.description)
    return 200, _gist(ask, gist)


@route("DELETE", "/gists/{gist}", "scope:gist")
def delete_gist(ask: Ask) -> Answer:
    del ask.hub.gists[_own_gist(ask).id]
    return 204, None


# Issues.


def _issue(ask: Ask, issue: Issue) -> dict[str, Any]:
    author = ask.hub.users[issue.author.lower()]
    place = f"{ask.repo.full_name}/issues/{issue.number}"
    return {"number": issue.number, "id": issue.id, "node_id": issue.node_id, "title": issue.title,
            "body": issue.body, "user": _account(author), "author_association": issue.association,
            "state": issue.state, "state_reason": issue.state_reason, "locked": issue.locked,
            "created_at": issue.created_at, "html_url": f"{ask.hub.url}/{place}",
            "labels": [{"name": name} for name in issue.labels], "comments": len(issue.comments)}  # fmt: skip


def _found(ask: Ask) -> Issue:
    repo, number = ask.repo, int(ask.words["number"])
    if number in repo.deleted:
        raise No(410, "This issue was deleted")
    if number not in repo.issues:
        raise No(404, "Not Found")
    return repo.issues[number]


@route("GET", REPO + "/issues", "issues=read")
def issues(ask: Ask) -> Answer:
    state, creator = ask.query.get("state", "open"), ask.query.get("creator", "")
    found = [one for one in ask.repo.issues.values() if state in ("all", one.state)]
    found = [one for one in found if creator.lower() in ("", one.author.lower())]
    newest_first = ask.query.get("direction", "desc") == "desc"
    found.sort(key=lambda one: one.number, reverse=newest_first)
    return 200, ask.page([_issue(ask, one) for one in found])


@route("POST", REPO + "/issues", "issues=write")
def make_issue(ask: Ask) -> Answer:
    if not ask.repo.settings.get("has_issues", True):
        raise No(410, "Issues has been disabled in this repository.")
    if len(ask.body.get("body") or "") > 65_536 or len(ask.body["title"]) > 256:
        raise No(422, "Validation Failed", {"resource": "Issue", "code": "custom", "field": "body"})
    author = "github-actions[bot]" if ask.token.kind == "actions" else ask.token.login
    made = ask.hub.issue(ask.repo, ask.body["title"], ask.body.get("body") or "", author)
    return 201, _issue(ask, made)


@route("GET", REPO + "/issues/{number}", "issues=read")
def issue(ask: Ask) -> Answer:
    return 200, _issue(ask, _found(ask))


@route("PATCH", REPO + "/issues/{number}", "issues=write")
def change_issue(ask: Ask) -> Answer:
    issue = _found(ask)
    if {"title", "body"} & ask.body.keys():
        issue.edits.append((issue.title, issue.body))
    for name in ("title", "body", "state", "state_reason", "labels"):
        if name in ask.body:
            setattr(issue, name, ask.body[name])
    return 200, _issue(ask, issue)


@route("PUT", REPO + "/issues/{number}/lock", "issues=write")
def lock_issue(ask: Ask) -> Answer:
    _found(ask).locked = True
    return 204, None


@route("POST", REPO + "/issues/{number}/comments", "issues=write")
def comment(ask: Ask) -> Answer:
    issue = _found(ask)
    issue.comments.append(ask.body["body"])
    return 201, {"id": len(issue.comments), "body": ask.body["body"], "user": _account(ask.hub.owner)}

"""A GitHub on the loopback: REST, GraphQL and git over smart HTTP on one port, for PyGithub and git.

It is a GitHub Enterprise by its addresses (`/api/v3`, `/api/graphql`). State lies in plain objects
(`github_state`), endpoints in `github_routes`; every request and every answer is judged by GitHub's own
description (`github_rules`), and a test whose gitmem asked for something else fails at its end.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest

import github_rules
from git_server import Fields, ask_backend, backend, read_body, send
from github_routes import ROUTES, Ask, No
from github_state import Gist, Issue, Repository, Token, User
from machine import Machine

SCOPES = frozenset({"repo", "workflow", "gist", "read:org"})  # what `gh auth login` asks for, and `workflow`
_GIT = re.compile(r"/([^/]+)/([^/]+?)(?:\.git)?(/info/refs|/git-upload-pack|/git-receive-pack)")
_KINDS = {"oauth": "an OAuth App", "classic": "a Personal Access Token", "fine": "a Personal Access Token"}


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next ``times`` requests that fit ``verb`` and ``path``, two patterns.

    ``after``: the request is carried out, and only its answer is lost. ``cut``: the connection ends without
    an answer. ``run`` is called before anything else, such as to move a ref between two requests.
    """

    path: str
    verb: str = ""
    status: int = 0
    message: str = "Server Error"
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False
    cut: bool = False
    delay: float = 0
    run: Callable[[], object] | None = None
    times: int = 1
    skip: int = 0
    met: int = 0

    def fits(self, verb: str, path: str) -> bool:
        """Whether it strikes this request; each one that fits counts."""
        if not re.fullmatch(self.verb or ".*", verb) or not re.search(self.path, path):
            return False
        self.met += 1
        return self.skip < self.met <= self.skip + self.times


@dataclass(slots=True)
class Request:
    """One request as it came."""

    verb: str
    path: str
    query: str
    token: str
    body: Any


class GitHubServer:
    """The stand-in: what it holds, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.users: dict[str, User] = {}
        self.members: dict[str, set[str]] = {}
        self.tokens: dict[str, Token] = {}
        self.repositories: dict[str, Repository] = {}
        self.gists: dict[str, Gist] = {}
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.judge = github_rules.Judge()
        self.lock = threading.RLock()
        self._numbers = itertools.count(1001)
        self.owner = self.user("ada")
        self.user("github-actions[bot]", kind="Bot")
        self.token = self.token_of("ada").text

    # What a test sets up.

    def number(self) -> int:
        """A number that nothing else has."""
        return next(self._numbers)

    def user(self, login: str, kind: str = "User", plan: str = "free") -> User:
        """A new account."""
        self.users[login.lower()] = made = User(login, self.number(), plan, kind)
        return made

    def token_of(self, login: str, scopes: set[str] | frozenset[str] = SCOPES, **more: Any) -> Token:
        """A new token of that account: `gh`'s kind, unless ``kind`` and ``permissions`` say otherwise."""
        token = Token(f"gho_{self.number():036d}", login, scopes=set(scopes), **more)
        self.tokens[token.text] = token
        return token

    def actions_token(self, repo: Repository, **permissions: str) -> Token:
        """The GITHUB_TOKEN of a job with these permissions, such as ``contents="write"``."""
        return self.token_of(
            "github-actions[bot]", set(), kind="actions", permissions=permissions, repository=repo.full_name
        )

    def repository(self, full_name: str, *, private: bool = True) -> Repository:
        """A new empty repository."""
        owner, _, name = full_name.partition("/")
        owner = self.users[owner.lower()].login
        number = self.number()
        repo = Repository(owner, name, number, self.folder / f"{number}.git", private)
        repo.make()
        self.repositories[repo.full_name.lower()] = repo
        return repo

    def issue(self, repo: Repository, title: str, body: str, author: str = "ada") -> Issue:
        """A new issue, as when ``author`` fills in the form."""
        number = len(repo.issues) + len(repo.deleted) + 1
        ours = author.lower() in (repo.owner.lower(), "github-actions[bot]")
        others = "COLLABORATOR" if author in repo.collaborators else "NONE"
        made = Issue(
            number, self.number(), f"I_{repo.id}_{number}", title, body, author, "OWNER" if ours else others
        )
        repo.issues[number] = made
        return made

    def fault(self, path: str, verb: str = "", **what: Any) -> Fault:
        """Let something go wrong; see :class:`Fault`."""
        made = Fault(path, verb, **what)
        self.faults.append(made)
        return made

    def limit(self, path: str, *, seconds: int = 1800, secondary: bool = False, **what: Any) -> Fault:
        """Let the rate limit be used up, the primary or the secondary one, for ``seconds``."""
        told = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + seconds)}
        message = "API rate limit exceeded for user ID 1."
        if secondary:
            told, message = (
                {"Retry-After": str(seconds)},
                "You have exceeded a secondary rate limit. Please wait.",
            )
        return self.fault(path, status=403, message=message, headers=told, **what)

    def use(self, machine: Machine, token: str = "") -> Machine:
        """Let a machine take this for its GitHub, with a token in the environment ("-" for none)."""
        machine.run("config", "set", "github.url", self.url)
        machine.env.pop("GH_TOKEN", None)
        if token != "-":
            machine.env["GH_TOKEN"] = token or self.token
        return machine

    def asked(self, verb: str = "", path: str = "") -> list[Request]:
        """The requests so far that fit a verb and a pattern of their path."""
        return [one for one in self.requests if verb in ("", one.verb) and re.search(path, one.path)]

    # What tokens may do.

    def may_see(self, token: Token | None, repo: Repository) -> bool:
        """Whether this repository is there for a token."""
        if not repo.private:
            return True
        if token is None or not token.good:
            return False
        if token.kind == "actions":
            return token.repository == repo.full_name
        inside = {
            repo.owner.lower(),
            *map(str.lower, repo.collaborators),
            *self.members.get(repo.owner.lower(), ()),
        }
        return token.login.lower() in inside and (token.kind == "fine" or "repo" in token.scopes)

    def check(self, token: Token, needs: str) -> None:
        """Let the token pass for what an endpoint needs.

        Raises:
            No: it may not.
        """
        if needs.startswith("scope:"):
            scope = needs.removeprefix("scope:")
            if token.kind == "actions" or (token.kind == "fine" and scope):
                raise No(403, _ELSEWHERE.get(token.kind, ""), X_Accepted_GitHub_Permissions=f"{scope}s=write")
            if scope and scope not in token.scopes:
                raise No(404, "Not Found", X_Accepted_OAuth_Scopes=scope)
            return
        name, _, level = needs.partition("=")
        if token.kind in ("oauth", "classic"):
            if name not in ("", "metadata") and "repo" not in token.scopes:
                raise No(404, "Not Found", X_Accepted_OAuth_Scopes="repo")
            return
        held = {"metadata": "read", **token.permissions}.get(name, "")
        if name and held not in (level, "write"):
            raise No(403, _ELSEWHERE[token.kind], X_Accepted_GitHub_Permissions=needs)


_ELSEWHERE = {
    "actions": "Resource not accessible by integration",
    "fine": "Resource not accessible by personal access token",
}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubServer]:
    """A GitHub where `ada` has an account on the Free plan and a token as `gh` gets it, and nothing else."""
    backend()
    github_rules.needed()
    hub = GitHubServer(tmp_path / "github")
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    hub.judge.verdict()


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    hub: GitHubServer

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def log_message(self, *_args: object) -> None:
        """Say nothing: a test's output is its own."""

    def _answer(self) -> None:
        raw = read_body(self)
        path, _, query = self.path.partition("?")
        token = self._token()
        body = _decoded(raw)
        with self.hub.lock:
            self.hub.requests.append(Request(self.command, path, query, token.text if token else "", body))
            struck = [one for one in self.hub.faults if one.fits(self.command, path)]
        fault = struck[0] if struck else Fault("")
        if fault.run:
            fault.run()
        time.sleep(fault.delay)
        carried_out = fault.after or not (fault.status or fault.cut)
        answer = self._carried_out(path, query, token, raw, body) if carried_out else (200, [], b"")
        if fault.cut:
            self.close_connection = True
            return
        if fault.status:
            told = [("Content-Type", "application/json"), *fault.headers.items()]
            answer = (fault.status, told, json.dumps({"message": fault.message}).encode())
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            send(self, *answer)

    def _token(self) -> Token | None:
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "basic":  # git programs differ in how they write it
            value = base64.b64decode(value).decode().partition(":")[2]
        return self.hub.tokens.get(value) or (Token(value, "", good=False) if value else None)

    def _carried_out(
        self, path: str, query: str, token: Token | None, raw: bytes, body: Any
    ) -> tuple[int, Fields, bytes]:
        found = _GIT.fullmatch(path)
        if found:
            return self._git(found, query, token, raw)
        if path.startswith("/gist/"):
            return self._raw_gist(path)
        with self.hub.lock:
            try:
                status, answer, told = self._api(path, query, token, body)
            except No as no:
                status, answer, told = no.status, no.body, no.headers
        fields = [("Content-Type", "application/json; charset=utf-8"), *told.items()]
        if token and token.kind in ("oauth", "classic") and token.good:
            fields.append(("X-OAuth-Scopes", ", ".join(sorted(token.scopes))))
        if not {"X-RateLimit-Remaining"} & set(told):
            fields += [("X-RateLimit-Limit", "5000"), ("X-RateLimit-Remaining", "4999"),
                       ("X-RateLimit-Reset", str(int(time.time()) + 3600))]  # fmt: skip
        return status, fields, b"" if answer is None else json.dumps(answer).encode()

    # REST and GraphQL.

    def _api(self, path: str, query: str, token: Token | None, body: Any) -> tuple[int, Any, dict[str, str]]:
        if token is None or not token.good:
            raise No(401, "Bad credentials" if token else "Requires authentication")
        if path == "/api/graphql":
            root = _Root(self.hub, token)
            return (
                200,
                github_rules.ask_graphql(self.hub.judge, root.fields(), body["query"], body["variables"]),
                {},
            )
        return self._rest(unquote(path.removeprefix("/api/v3")), query, token, body)

    def _rest(self, path: str, query: str, token: Token, body: Any) -> tuple[int, Any, dict[str, str]]:
        judge = self.hub.judge
        found = github_rules.operation(self.command, path)
        if found is None:
            whole = (github_rules.FOLDER / "api.github.com.json").is_file()
            (judge.wrong if whole else judge.unjudged).append(
                f"{self.command} {path}: GitHub has no such endpoint"
            )
            raise No(404, "Not Found")
        wrong = list(github_rules.request_faults(found, query, body))
        judge.wrong += wrong
        if wrong:
            raise No(422, "Invalid request.\n\n" + wrong[0])
        try:
            status, values = self._handled(path, query, token, body)
            schema = found.answer_schema(status)
            answer = (
                None
                if schema is None or values is None
                else github_rules.shaped(schema, values, self.hub.url)
            )
            told: dict[str, str] = {}
        except No as no:
            status, answer, told = no.status, no.body, no.headers
        judge.wrong += github_rules.answer_faults(found, status, answer)
        return status, answer, told

    def _handled(self, path: str, query: str, token: Token, body: Any) -> tuple[int, Any]:
        for verb, pattern, needs, handler in ROUTES:
            match = pattern.fullmatch(path) if verb == self.command else None
            if match:
                ask = Ask(self.hub, token, match.groupdict(), dict(parse_qsl(query)), body)
                if "repo" in ask.words:
                    _ = ask.repo  # what the token may not see is not there, whatever it may do elsewhere
                self.hub.check(token, needs)
                return handler(ask)
        self.hub.judge.wrong.append(f"{self.command} {path}: the stand-in does not have this endpoint")
        raise No(404, "Not Found")

    # Git.

    def _git(
        self, found: re.Match[str], query: str, token: Token | None, raw: bytes
    ) -> tuple[int, Fields, bytes]:
        repo = self.hub.repositories.get(f"{found[1]}/{found[2]}".lower())
        if token is not None and not token.good:
            return 401, _ASK_AGAIN, b"Invalid username or token."
        if repo is None or not self.hub.may_see(token, repo):
            return (404, _PLAIN, b"Repository not found.") if token else (401, _ASK_AGAIN, b"")
        pushing = "git-receive-pack" in query or found[3] == "/git-receive-pack"
        if pushing and (token is None or not _may_push(token)):
            return (
                (403, _PLAIN, b"Write access to repository not granted.") if token else (401, _ASK_AGAIN, b"")
            )
        extra = {} if token is None or _may_push_workflows(token) else {"STANDIN_NO_WORKFLOWS": "1"}
        url = f"/{repo.place.name}{found[3]}" + (f"?{query}" if query else "")
        status, fields, content = ask_backend(self, self.hub.folder, url, raw, extra)
        if token and extra and b"pre-receive hook declined" in content:
            content = _refusal(raw, _why(token))
        return status, fields, content

    def _raw_gist(self, path: str) -> tuple[int, Fields, bytes]:
        _, _, owner, key, *rest = path.split("/")
        gist = self.hub.gists.get(key)
        name = rest[-1] if len(rest) > 1 else ""
        if gist is None or gist.owner != owner or name not in gist.files:
            return 404, _PLAIN, b"404: Not Found"
        return 200, _PLAIN, gist.files[name].encode()


_PLAIN: Fields = [("Content-Type", "text/plain; charset=utf-8")]
_ASK_AGAIN: Fields = [*_PLAIN, ("WWW-Authenticate", 'Basic realm="GitHub"')]


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:  # a pack
        return None


def _may_push(token: Token) -> bool:
    if token.kind in ("oauth", "classic"):
        return "repo" in token.scopes
    return token.permissions.get("contents") == "write"


def _may_push_workflows(token: Token) -> bool:
    if token.kind in ("oauth", "classic"):
        return "workflow" in token.scopes
    return token.kind == "fine" and token.permissions.get("workflows") == "write"


def _why(token: Token) -> str:
    kind = _KINDS.get(token.kind, "a GitHub App")
    right = "`workflow` scope" if token.kind in ("oauth", "classic") else "`workflows` permission"
    return f"refusing to allow {kind} to create or update workflow `.github/workflows/x.yml` without {right}"


def _refusal(raw: bytes, why: str) -> bytes:
    """The report of a push whose every ref is refused for ``why``, as git's protocol has it."""

    def packet(content: bytes) -> bytes:
        return b"%04x" % (len(content) + 4) + content

    refs, place = [], 0
    while (size := int(raw[place : place + 4], 16)) > 0:
        refs.append(raw[place + 4 : place + size].split(b"\0")[0].split()[2])
        place += size
    report = packet(b"unpack ok\n") + b"".join(
        packet(b"ng " + ref + b" " + why.encode() + b"\n") for ref in refs
    )
    return packet(b"\x01" + report + b"0000") + b"0000"


class _Root:
    """What GraphQL starts from."""

    def __init__(self, hub: GitHubServer, token: Token) -> None:
        self.hub = hub
        self.token = token

    def fields(self) -> dict[str, Any]:
        """The resolvers, by the names of the schema."""
        return {"deleteIssue": self.delete_issue, "node": self.node}

    def _issue(self, node_id: str) -> tuple[Repository, Issue]:
        from graphql import GraphQLError

        for repo in self.hub.repositories.values():
            for issue in repo.issues.values():
                if issue.node_id == node_id and self.hub.may_see(self.token, repo):
                    return repo, issue
        why = f"Could not resolve to a node with the global id of '{node_id}'."
        raise GraphQLError(why, extensions={"type": "NOT_FOUND"})

    def delete_issue(self, _info: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002 - GraphQL's name
        """Only the owner may, by a token of a person."""
        from graphql import GraphQLError

        repo, issue = self._issue(input["issueId"])
        if self.token.kind == "actions" or self.token.login.lower() != repo.owner.lower():
            why = "Resource not accessible by integration"
            raise GraphQLError(why, extensions={"type": "FORBIDDEN"})
        del repo.issues[issue.number]
        repo.deleted.add(issue.number)
        repo.erased.add(issue.node_id)
        return {"clientMutationId": input.get("clientMutationId"), "repository": {"name": repo.name}}

    def node(self, _info: Any, id: str) -> dict[str, Any]:  # noqa: A002 - GraphQL's name
        """An issue with its edit history, which no API can shorten."""
        repo, issue = self._issue(id)
        edits = [{"diff": body} for _, body in issue.edits]
        history = {"totalCount": len(edits), "nodes": edits}
        return {"__typename": "Issue", "id": id, "title": issue.title, "body": issue.body,
                "closed": issue.state == "closed", "repository": {"nameWithOwner": repo.full_name},
                "userContentEdits": history}  # fmt: skip

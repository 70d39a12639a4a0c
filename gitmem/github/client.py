"""GitHub's two APIs through PyGithub: one call each, and every failure as one clear sentence."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import github
from github.GithubException import RateLimitExceededExceedsMaxWait, RateLimitExceededException
from github.PublicKey import encrypt
from urllib3 import BaseHTTPResponse

from gitmem import __version__
from gitmem.errors import ConfigError, GitmemError, NotFoundError, Refused, RemoteError

_TIMEOUT = 15  # seconds
_LONGEST_WAIT = 20.0  # seconds to sleep for a rate limit; by itself PyGithub would sleep up to an hour
_PAGE = 100
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SAFE = "Nothing is lost; run the same command again"
_UNCHANGED = "Nothing was changed by this request."


class _Patience(github.GithubRetry):
    """PyGithub's retries, but a wait that GitHub asks for and that is too long is an error at once."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        *rest: Any,
        **named: Any,
    ) -> Any:
        """The next try, as urllib3 asks for it; an answer that asks for too long a wait is raised."""
        wait = self.get_retry_after(response) if response is not None else None
        if response is not None and wait is not None and wait > _LONGEST_WAIT:
            raise RateLimitExceededExceedsMaxWait(response.status, None, dict(response.headers), wait=wait)
        return super().increment(method, url, response, error, *rest, **named)  # type: ignore[arg-type]


def api_of(url: str) -> str:
    """The base address of the REST API of a GitHub: github.com, ``*.ghe.com`` or an Enterprise server.

    Raises:
        ConfigError: a token would go there in clear.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise ConfigError(
            "The address of GitHub must begin with https://, or your token would travel in clear.",
            "Nothing was sent; `gitmem config set github.url https://HOST` mends it.",
        )
    host = (parts.hostname or "").removeprefix("www.")
    if host == "github.com" or host.endswith(".ghe.com"):
        return f"https://api.{host}"
    return f"{url.rstrip('/')}/api/v3"


class GitHub:
    """One GitHub with one token.

    Args:
        token: a personal, OAuth or Actions token; it is sent to that GitHub alone.
        url: its address as in a browser.
    """

    def __init__(self, token: str, url: str = "https://github.com") -> None:
        self.url = url.rstrip("/")
        near = urlsplit(url).hostname in _LOOPBACK
        # urllib3 would tell of each broken connection on stderr; the error that ends them says it once.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        retry = _Patience(
            total=3,
            backoff_factor=0 if near else 0.5,
            raise_on_status=False,
            max_rate_limit_wait=_LONGEST_WAIT,
            secondary_rate_wait=10,
        )
        pauses = (None, None) if near else (0.25, 1.0)
        self._requester = github.Github(
            auth=github.Auth.Token(token),
            base_url=api_of(url),
            timeout=_TIMEOUT,
            user_agent=f"gitmem/{__version__}",
            retry=retry,
            seconds_between_requests=pauses[0],
            seconds_between_writes=pauses[1],
        ).requester

    @property
    def scopes(self) -> frozenset[str] | None:
        """The token's scopes as GitHub last named them; None for kinds of token that have none."""
        known = self._requester.oauth_scopes
        return None if known is None else frozenset(filter(None, known))

    def call(self, verb: str, path: str, body: Any = None) -> Any:
        """One REST request, such as ``call("GET", "/repos/ada/memory")``; the decoded answer.

        A failing server is asked again up to three times, so that a request that changes something may be
        carried out and still be reported as refused.

        Raises:
            NotFoundError: it is not there, or the token may not see it.
            Refused: GitHub says no; ``status`` says how.
            RemoteError: GitHub cannot be reached.
        """
        return self._call(verb, path, body)

    def every(self, path: str, key: str = "") -> Iterator[Any]:
        """All items of a list that GitHub hands out by pages; ``key`` names the field that holds them.

        Raises:
            GitmemError: as :meth:`call`.
        """
        page = 1
        while True:
            joint = "&" if "?" in path else "?"
            answer = self.call("GET", f"{path}{joint}per_page={_PAGE}&page={page}")
            items = answer[key] if key else answer
            yield from items
            if len(items) < _PAGE:
                return
            page += 1

    def graphql(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """One GraphQL operation; its ``data``.

        Raises:
            NotFoundError: it names something that is not there.
            Refused: any other error in the answer.
            RemoteError: GitHub cannot be reached.
        """
        body = {"query": query, "variables": dict(variables)}
        answer = self._call("POST", self._requester.graphql_url, body)
        if answer.get("errors"):
            raise _graphql_error(answer["errors"])
        data = answer.get("data")
        return data if isinstance(data, dict) else {}

    def secret(self, repo: str, name: str, value: str) -> None:
        """Store an Actions secret in ``repo`` ("owner/name"), sealed for GitHub's key before it is sent.

        Raises:
            GitmemError: as :meth:`call`.
        """
        place = f"/repos/{repo}/actions/secrets"
        key = self.call("GET", f"{place}/public-key")
        sealed = {"encrypted_value": encrypt(key["key"], value), "key_id": key["key_id"]}
        self.call("PUT", f"{place}/{name}", sealed)

    def _call(self, verb: str, path: str, body: Any) -> Any:
        try:
            _, answer = self._requester.requestJsonAndCheck(verb, path, input=body)
        except github.GithubException as error:
            raise _explained(error) from None  # the chain would show the request in a report
        except (AssertionError, RuntimeError):
            raise RemoteError(
                "GitHub's answer leads to another host than the one that was asked.",
                "Nothing was sent there; `gitmem config get github.url` shows the address in use.",
            ) from None
        except (OSError, ValueError):
            raise RemoteError(
                f"GitHub at {self.url} cannot be reached, or what answers there is not GitHub.",
                f"{_SAFE} once the network is back.",
            ) from None
        if isinstance(answer, dict) and isinstance(answer.get("data"), str) and len(answer) < 3:
            raise RemoteError(  # PyGithub wraps what is not JSON this way: a proxy's or a login page
                f"What answers at {self.url} is not GitHub's API.",
                "`gitmem config get github.url` shows the address in use.",
            )
        return answer


def _explained(error: github.GithubException) -> GitmemError:
    """What an answer of GitHub's means, in our words."""
    headers = {name.lower(): str(value) for name, value in (error.headers or {}).items()}
    reason = _reason(error.data)
    if isinstance(error, RateLimitExceededException) or error.status == 429:
        return _limited(error, headers)
    if error.status == 401:
        return Refused(
            "GitHub does not accept the token: it is wrong, expired or revoked.",
            "Nothing was changed by this request; `gh auth login` gets a new one, or set GH_TOKEN.",
            401,
            reason,
        )
    if error.status == 404:
        return NotFoundError(
            f"GitHub says 404: it is not there, or this token may not see it{_lack(headers)}.",
            "Check the name; `gh auth status` shows whose token is in use.",
        )
    if error.status == 403:
        return _forbidden(headers, reason)
    if error.status >= 500:
        return Refused(
            f"GitHub has trouble at the moment (it answered {error.status}).",
            f"{_SAFE} in a few minutes.",
            error.status,
            reason,
        )
    said = f": {reason}" if reason else ""
    return Refused(f"GitHub refuses this request ({error.status}{said}).", _UNCHANGED, error.status, reason)


def _forbidden(headers: Mapping[str, str], reason: str) -> Refused:
    if "required" in headers.get("x-github-sso", ""):
        return Refused(
            "The organisation asks that this token be authorised for its single sign-on first.",
            "Authorise it on GitHub under Settings, Developer settings; nothing was changed.",
            403,
            reason,
        )
    said = f" ({reason})" if reason else ""
    return Refused(
        f"GitHub forbids this to the token{_lack(headers)}{said}.",
        "Nothing was changed by this request. docs/github.md lists what each permission is for; "
        "`gh auth refresh -s repo,workflow` widens what `gh` has.",
        403,
        reason,
    )


def _lack(headers: Mapping[str, str]) -> str:
    """What the token lacks, from the headers by which GitHub says it; "" when it does not."""
    wanted = headers.get("x-accepted-github-permissions", "")
    if wanted and "x-oauth-scopes" not in headers:
        return f", which needs the permission {_plain(wanted)}"
    accepted = headers.get("x-accepted-oauth-scopes", "")
    granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")}
    if accepted and not granted & {scope.strip() for scope in accepted.split(",")}:
        return f", which lacks the scope {_plain(accepted).partition(',')[0]}"
    return ""


def _limited(error: github.GithubException, headers: Mapping[str, str]) -> Refused:
    wait = getattr(error, "wait", None) or float(headers.get("retry-after", 0) or 0)
    if not wait and headers.get("x-ratelimit-reset", "").isdigit():
        wait = int(headers["x-ratelimit-reset"]) - time.time()
    until = (
        time.strftime("%H:%M UTC", time.gmtime(time.time() + wait + 59)) if wait else "a few minutes from now"
    )
    return Refused(
        f"GitHub's rate limit for this token is used up until {until}.", f"{_SAFE} then.", error.status
    )


def _graphql_error(errors: list[dict[str, Any]]) -> GitmemError:
    kinds = {str(one.get("type", "")) for one in errors}
    reason = _plain(str(errors[0].get("message", "")))
    if kinds == {"NOT_FOUND"}:
        return NotFoundError("GitHub says it is not there, or this token may not see it.")
    if "RATE_LIMITED" in kinds:
        return Refused("GitHub's rate limit for this token is used up.", f"{_SAFE} in an hour.", 403, reason)
    status = 403 if kinds & {"FORBIDDEN", "INSUFFICIENT_SCOPES"} else 400
    return (
        _forbidden({}, reason)
        if status == 403
        else Refused(f"GitHub refuses this request ({reason}).", _UNCHANGED, status, reason)
    )


def _reason(data: Any) -> str:
    """GitHub's own words for a refusal: the first detail where there is one, else the message."""
    if not isinstance(data, dict):
        return ""
    first = next(iter(data.get("errors") or [None]), None)
    detail = first.get("message") if isinstance(first, dict) else first
    return _plain(str(detail or data.get("message") or ""))


def _plain(text: str) -> str:
    """A remote's words, cut and in printable ASCII: they are not trusted."""
    return "".join(char if " " <= char <= "~" else "?" for char in text)[:160].rstrip(".")

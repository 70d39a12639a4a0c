"""What the client makes of GitHub's answers: one clear sentence each, and nothing secret in it."""

from __future__ import annotations

import time

import pytest

from gitmem.errors import ConfigError, NotFoundError, Refused, RemoteError
from gitmem.github.client import GitHub, api_of

NAME = "ada/memory"


@pytest.fixture
def hub(github):
    github.repository(NAME)
    return GitHub(github.token, github.url)


def trouble(hub, kind=RemoteError, path=f"/repos/{NAME}", verb="GET", body=None):
    with pytest.raises(kind) as raised:
        hub.call(verb, path, body)
    text = str(raised.value)
    assert raised.value.hint
    assert "gho_" not in text
    return raised.value


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://github.com", "https://api.github.com"),
        ("https://www.github.com", "https://api.github.com"),
        ("https://guild.ghe.com", "https://api.guild.ghe.com"),
        ("https://github.example.org/", "https://github.example.org/api/v3"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/api/v3"),
    ],
)
def test_every_github_has_its_own_address_of_the_api(url, api):
    assert api_of(url) == api


def test_a_token_never_travels_in_clear():
    with pytest.raises(ConfigError, match="in clear"):
        GitHub("gho_x", "http://github.example.org")


def test_what_is_hidden_is_not_told_from_what_is_not_there(hub):
    assert "or this token may not see it" in trouble(hub, NotFoundError, "/repos/ada/nothing").message


def test_the_scopes_are_known_after_the_first_answer(hub, github):
    assert hub.scopes is None
    hub.call("GET", "/user")
    assert hub.scopes == {"repo", "workflow", "gist", "read:org"}
    fine = GitHub(github.token_of("ada", set(), kind="fine").text, github.url)
    fine.call("GET", "/user")
    assert fine.scopes is None


def test_a_missing_scope_is_named(github):
    hub = GitHub(github.token_of("ada", {"repo"}).text, github.url)
    lacking = trouble(hub, NotFoundError, "/gists", "POST", {"files": {"a": {"content": "x"}}})
    assert "lacks the scope gist" in lacking.message


def test_a_missing_permission_is_named(hub, github):
    fine = GitHub(github.token_of("ada", set(), kind="fine").text, github.url)
    lacking = trouble(fine, Refused, f"/repos/{NAME}/actions/secrets")
    assert "needs the permission secrets=read" in lacking.message
    assert lacking.status == 403


def test_an_organisation_that_wants_single_sign_on_is_named(hub, github):
    github.fault(
        "/repos", status=403, message="Resource protected", headers={"X-GitHub-SSO": "required; url=x"}
    )
    assert "single sign-on" in trouble(hub, Refused).message


def test_a_token_that_dies_on_the_way_is_said_to(hub, github):
    hub.call("GET", "/user")
    github.tokens[github.token].good = False
    assert trouble(hub, Refused).status == 401


@pytest.mark.parametrize("secondary", [False, True])
def test_a_limit_is_told_with_its_end_at_once(hub, github, secondary):
    github.limit("/repos", seconds=25, secondary=secondary, times=9)
    begin = time.monotonic()
    limited = trouble(hub, Refused)
    assert time.monotonic() - begin < 5
    # The minute in which it ends, rounded up; either clock may have gone on, or been cut, by some seconds.
    ends = {time.strftime("%H:%M UTC", time.gmtime(time.time() + 25 + 59 - late)) for late in range(-2, 8)}
    assert any(f"used up until {end}" in limited.message for end in ends), limited.message


def test_a_short_limit_is_waited_for(hub, github):
    github.limit("/repos", seconds=1, secondary=True)
    assert hub.call("GET", f"/repos/{NAME}")["private"]
    assert len(github.asked("GET", NAME)) == 2


def test_a_server_in_trouble_is_asked_again_and_then_named(hub, github):
    github.fault("/repos", status=502, times=2)
    assert hub.call("GET", f"/repos/{NAME}")["private"]
    github.fault("/repos", status=503, times=9)
    assert trouble(hub, Refused).status == 503


def test_a_cut_connection_is_tried_again_and_then_named(hub, github):
    github.fault("/repos", cut=True, times=9)
    assert "cannot be reached" in trouble(hub).message
    assert len(github.asked("GET", NAME)) == 4


def test_nobody_there_is_named(github):
    assert "cannot be reached" in trouble(GitHub("gho_x", "http://127.0.0.1:9")).message


def test_a_web_page_instead_of_an_answer_is_named(http_remote):
    class Odd(GitHub):
        """One whose address is a git server, which answers in plain text."""

    answer = trouble(Odd("gho_x", http_remote.base), (RemoteError, NotFoundError))
    assert "404" in answer.message or "not GitHub" in answer.message


def test_what_github_says_of_a_refusal_is_kept_short_and_printable(hub, github):
    github.fault("/repos", status=422, message="Bad\x1b[31m thing: " + "x" * 500)
    refusal = trouble(hub, Refused)
    assert refusal.status == 422
    assert refusal.reason.startswith("Bad?[31m thing")
    assert len(refusal.message) < 300


def test_nothing_is_written_to_stderr_by_the_libraries(hub, github, capfd):
    github.fault("/repos", cut=True, times=9)
    trouble(hub)
    assert capfd.readouterr().err == ""


def test_lists_are_read_to_their_last_page(hub, github):
    repo = github.repositories[NAME]
    for number in range(205):
        github.issue(repo, f"title {number}", "")
    assert len(list(hub.every(f"/repos/{NAME}/issues?state=all"))) == 205
    repo.secrets.update({f"S{number}": "x" for number in range(101)})
    assert len(list(hub.every(f"/repos/{NAME}/actions/secrets", "secrets"))) == 101

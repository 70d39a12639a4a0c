"""The client of Claude against the stand-in: what it asks, what it takes, and what each fault becomes."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import messages_server as server
import pydantic
import pytest

from gitmem import config, connect
from gitmem.claude.client import Prompt
from gitmem.claude.failures import MalformedError, OverBudgetError, RefusedError
from gitmem.claude.prices import MOST_TOKENS, PRICES, Budget, Price, Usage
from gitmem.errors import ConfigError, ModelError


class Colour(pydantic.BaseModel):
    name: str


LATE = "Wed, 21 Oct 2099 07:28:00 GMT"
SECRET = "a sentence that is in the notes only"
ASK = Prompt("Name the colour.", f"The boat is blue. {SECRET}", Colour)


def test_an_answer_comes_in_its_form_and_is_metered(claude, messages):
    model = claude()
    messages.script(server.Answer({"name": "blue"}, output=40, thinking="Boats, hm."))
    assert model.ask(ASK, 100).name == "blue"
    (asked,) = messages.asked
    assert asked.body["max_tokens"] == 100
    assert asked.body["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert asked.body["output_config"]["effort"] == "medium"
    assert asked.body["output_config"]["format"]["schema"]["additionalProperties"] is False
    assert set(asked.body) == {"model", "max_tokens", "system", "messages", "output_config"}
    spent = model.budget.spent
    assert (spent.requests, spent.out) == (1, 40)
    assert spent.tokens_in == server.tokens(asked.body)


def test_a_count_is_of_the_very_request_and_asked_for_once(claude, messages):
    model = claude()
    counted = model.count(ASK)
    messages.answer = lambda _: {"name": "blue"}
    model.ask(ASK, 100)
    model.ask(ASK, 100)
    assert [request.counting for request in messages.requests] == [True, False, False]
    first, second, _ = messages.requests
    assert {**second.body, "max_tokens": 0} == {**first.body, "max_tokens": 0}
    assert counted == server.tokens(first.body)


def test_constant_instructions_are_read_from_the_cache_the_second_time(claude, messages):
    model = claude()
    messages.answer = lambda _: {"name": "blue"}
    long = Prompt("Name the colour. " * 300, "One.", Colour)
    model.ask(long, 100)
    written = model.budget.spent
    model.ask(Prompt(long.instructions, "Two.", Colour), 100)
    assert written.written > 1000
    assert written.read == 0
    assert model.budget.spent.read == written.written
    once, twice = (usage.dollars(PRICES["claude-haiku-5-5"]) for usage in (written, model.budget.spent))
    assert twice < 1.3 * once


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        (server.REFUSED, RefusedError, "declined"),
        (server.CUT_OFF, RefusedError, "longer than it may be"),
        (server.Answer("", stop="refusal"), RefusedError, "declined"),
        (server.Answer({"name": "blue"}, stop="max_tokens"), RefusedError, "longer"),
        (server.Fault(413, "request_too_large", "Too large"), RefusedError, "too large"),
        ("This is no JSON", MalformedError, "form"),
        ({"colour": "blue"}, MalformedError, "form"),
        (server.Answer("", thinking="Only thought."), MalformedError, "form"),
        (server.Raw(b"<html>Sign in to the hotel network</html>"), ModelError, "not Claude's API"),
        (server.Raw(b"{}", "application/json"), ModelError, "not Claude's API"),
        (server.Raw(b'{"cut', "application/json"), ModelError, "not Claude's API"),
        (server.Raw(b"", "text/plain", 307), ModelError, "HTTP 307"),
        (server.Fault(402, "billing_error"), ModelError, "no credit"),
        (
            server.Fault(400, "invalid_request_error", "Your credit balance is too low"),
            ModelError,
            "no credit",
        ),
        (server.Fault(400, "invalid_request_error", SECRET), RefusedError, "HTTP 400"),
        (server.Fault(418, "invalid_request_error", SECRET), ModelError, "HTTP 418"),
        (server.Fault(403, "permission_error"), ModelError, "may not"),
        (server.Fault(429, "rate_limit_error", "Slow", {"retry-after": "3600"}), ModelError, "rate limit"),
        (server.Fault(429, "rate_limit_error", "Slow", {"retry-after-ms": "1e9"}), ModelError, "rate limit"),
        (server.Fault(529, "overloaded_error", "Slow", {"retry-after": LATE}), ModelError, "overloaded"),
    ],
)
def test_each_answer_that_cannot_be_used_is_one_clear_sentence(claude, messages, reply, error, said):
    model = claude()
    messages.script(reply)
    with pytest.raises(error) as caught:
        model.ask(ASK, 100)
    assert type(caught.value) is error
    assert said in caught.value.message
    told = f"{caught.value} {caught.value.__cause__}"
    assert SECRET not in told
    assert messages.key not in told
    assert len(messages.asked) == 1


QUICK = {"retry-after-ms": "5"}


@pytest.mark.parametrize(
    "faults",
    [
        [server.Fault(529, "overloaded_error", "Overloaded", QUICK)] * 3,
        [server.Fault(429, "rate_limit_error", "Slow", QUICK)] * 3,
        [server.Fault(500, "api_error", "Broken", QUICK), server.Cut(), server.Fault(503, headers=QUICK)],
    ],
    ids=["overloaded", "rate limited", "broken"],
)
def test_what_passes_is_asked_again(claude, messages, faults):
    model = claude()
    messages.script(*faults, {"name": "blue"})
    assert model.ask(ASK, 100).name == "blue"
    assert len(messages.asked) == 4
    assert model.budget.spent.requests == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (server.Fault(529, "overloaded_error", "Overloaded", QUICK), "overloaded"),
        (server.Fault(429, "rate_limit_error", "Slow", QUICK), "rate limit"),
        (server.Fault(500, "api_error", "Broken", QUICK), "HTTP 500"),
    ],
)
def test_what_does_not_pass_ends_after_four_tries(claude, messages, fault, said):
    messages.answer = lambda _: fault
    with pytest.raises(ModelError, match=said):
        claude().ask(ASK, 100)
    assert len(messages.asked) == 4


def test_a_wait_that_the_api_asks_for_is_kept(claude, messages):
    messages.script(server.LIMITED, {"name": "blue"})
    began = time.monotonic()
    claude().ask(ASK, 100)
    assert time.monotonic() - began >= 1


def test_a_slow_answer_is_given_up(claude, messages, monkeypatch):
    monkeypatch.setattr("gitmem.claude.client._RETRIES", 0)
    model = claude(seconds=0.3)
    messages.script(server.Answer({"name": "blue"}, after=2))
    with pytest.raises(ModelError, match="in time"):
        model.ask(ASK, 100)


def test_nobody_there_is_one_clear_sentence(claude, messages, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("gitmem.claude.client._RETRIES", 0)
    with pytest.raises(ModelError, match="cannot be reached"):
        claude().ask(ASK, 100)


def test_a_request_is_sent_nowhere_else(claude, messages):
    messages.answer = lambda _: server.Fault(307, headers={"location": f"{messages.url}/v1/messages"})
    with pytest.raises(ModelError, match="307"):
        claude().ask(ASK, 100)
    assert len(messages.asked) == 1


@pytest.mark.parametrize(("model", "said"), [("claude-nonexistent", "knows no model")])
def test_an_unknown_model_is_said(claude, messages, model, said):
    with pytest.raises(ModelError, match=said):
        claude(cost="", model=model).ask(ASK, 100)


# --- the budget -------------------------------------------------------------------------------------------


def test_a_request_that_might_pass_the_budget_is_not_sent(claude, messages):
    messages.answer = lambda _: server.Answer({"name": "blue"}, output=2000)
    model = claude(cost="0.0041")  # each may cost 0.0010 for the answer, and a little for the question
    with pytest.raises(OverBudgetError):
        for _ in range(10):
            model.ask(ASK, 2000)
    spent = model.budget.spent.dollars(PRICES["claude-haiku-5-5"])
    assert len(messages.asked) == 3 or len(messages.asked) == 4
    assert 0.003 < spent <= 0.0041
    assert spent + Usage.worst(model.count(ASK), 2000).dollars(PRICES["claude-haiku-5-5"]) > 0.0041


def test_a_request_that_was_cut_off_counts_as_if_it_had_cost_the_most(claude, messages):
    messages.answer = lambda _: server.Cut()
    model = claude(cost="0.0025")
    with pytest.raises(OverBudgetError):
        model.ask(ASK, 2000)
    assert len(messages.asked) == 2
    assert model.budget.spent == Usage()
    assert model.budget.unsure.requests == 2


def test_a_long_question_counts_against_the_budget_like_a_long_answer(claude, messages):
    long = Prompt(
        "Name the colour.", "The boat is blue. " * 10_000, Colour
    )  # $0.0079 at the price of a cache write
    messages.answer = lambda _: {"name": "blue"}
    with pytest.raises(OverBudgetError):
        claude(cost="0.0075").ask(long, 10)
    assert claude(cost="0.0085").ask(long, 10).name == "blue"
    assert len(messages.asked) == 1


def test_counting_costs_nothing_and_works_without_any_budget(claude, messages):
    model = claude(cost="0")
    assert model.count(ASK) > 1
    with pytest.raises(OverBudgetError):
        model.ask(ASK, 100)
    assert not messages.asked


def test_a_budget_in_tokens_is_kept_too(claude, messages):
    messages.answer = lambda _: {"name": "blue"}
    model = claude(cost="5_000 tokens", model="claude-of-tomorrow")
    with pytest.raises(OverBudgetError):
        for _ in range(100):
            model.ask(ASK, 1000)
    spent = model.budget.spent
    assert spent.tokens_in + spent.out <= 5000 < spent.tokens_in + spent.out + 2000
    assert "effort" not in messages.asked[0].body["output_config"]


@pytest.mark.parametrize(
    ("model", "asked", "good"),
    [
        ("claude-haiku-5-5", "", True),
        ("claude-haiku-5-5", "$2", True),
        ("claude-haiku-5-5-20261007", "0.1", True),
        ("claude-haiku-5-5", "1,000,000 tokens", True),
        ("claude-of-tomorrow", "", True),
        ("claude-of-tomorrow", "0.10", False),
        ("claude-haiku-5-5", "a little", False),
        ("claude-haiku-5-5", "-1", False),
        ("claude-haiku-5-5", "nan", False),
        ("claude-haiku-5-5", "1e9", False),
    ],
)
def test_a_budget_is_dollars_or_tokens_and_dollars_need_a_price(model, asked, good):
    if good:
        assert Budget.of(model, asked, "0.50").allows(Usage(1, fresh=100, out=100))
    else:
        with pytest.raises(ConfigError):
            Budget.of(model, asked, "0.50")


def test_no_budget_is_without_an_end():
    assert not Budget.of("claude-of-tomorrow", "", "0.50").allows(Usage(1, fresh=2_000_000))
    assert not Budget.of("claude-haiku-5-5", "", "0.50").allows(Usage(1, out=2_000_000))


def test_what_tokens_cost():
    price = Price(2, 10)
    assert Usage(1, fresh=1_000_000).dollars(price) == pytest.approx(2)
    assert Usage(1, written=1_000_000).dollars(price) == pytest.approx(2.5)
    assert Usage(1, read=1_000_000).dollars(price) == pytest.approx(0.2)
    assert Usage(1, out=1_000_000).dollars(price) == pytest.approx(10)


def test_no_request_comes_near_the_price_step(claude, messages):
    model = claude(cost="5")
    with pytest.raises(RefusedError):
        model.ask(Prompt("Name it.", "blue " * MOST_TOKENS, Colour), 100)
    assert not messages.asked


# --- credentials and secrecy ------------------------------------------------------------------------------


def test_without_credentials_there_is_no_model(monkeypatch):
    assert not connect.has_model()
    with pytest.raises(ModelError, match="no usable Anthropic API key"):
        connect.model()
    monkeypatch.setenv("ANTHROPIC_API_KEY", "  ")
    assert not connect.has_model()


def test_a_key_of_the_environment_is_used_and_its_blanks_are_not(messages, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", f" {messages.key}\n")
    assert connect.has_model()
    messages.script({"name": "blue"})
    assert connect.model().ask(ASK, 100).name == "blue"


def test_what_else_the_sdk_takes_counts_as_credentials(messages, monkeypatch, home):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    assert not connect.has_model()
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", messages.key)
    assert connect.has_model()
    messages.script({"name": "blue"})
    assert connect.model().ask(ASK, 100).name == "blue"
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN")
    profile = home / ".config" / "anthropic" / "configs"
    profile.mkdir(parents=True)
    (profile / "default.json").write_text("{}")
    assert connect.has_model()
    with pytest.raises(ModelError, match="no usable"):
        connect.model().ask(ASK, 100)


def test_a_wrong_key_is_said_without_the_key(messages, monkeypatch):
    for key in ("sk-ant-another-one", "sk-ant-two\nlines", "sk-ant-ümlaut"):
        monkeypatch.setenv("ANTHROPIC_API_KEY", key)
        with pytest.raises(ModelError) as caught:
            connect.model().ask(ASK, 100)
        assert key not in f"{caught.value!r} {caught.value.__cause__!r}"
        assert caught.value.exit_code == 19
        assert ("no usable" in caught.value.message) == (key != "sk-ant-another-one")


def test_notes_are_not_sent_in_clear(messages, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://192.0.2.1:8080")
    with pytest.raises(ConfigError, match="https"):
        connect.model()


def test_the_model_of_the_settings_is_asked(messages):
    config.put("consolidate.model", "claude-sonnet-5-5")
    messages.script({"name": "blue"})
    connect.model().ask(ASK, 100)
    assert messages.asked[0].body["model"] == "claude-sonnet-5-5"


LOGGED = """
import sys
from gitmem import connect
from gitmem.claude.client import Prompt
from gitmem.claude.replies import Narrative
try:
    connect.model().ask(Prompt("Tell.", sys.argv[1], Narrative), 100)
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("reply", [{"title": "t", "text": "x"}, "no JSON", server.Fault(400), server.REFUSED])
def test_the_sdks_debug_log_shows_neither_notes_nor_key(messages, monkeypatch, reply):
    monkeypatch.setenv("ANTHROPIC_LOG", "debug")
    messages.script(reply)
    argv = [sys.executable, "-P", "-c", LOGGED, SECRET]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    assert len(messages.asked) == 1
    assert SECRET in json.dumps(messages.asked[0].body)
    for stream in (done.stdout, done.stderr):
        assert SECRET not in stream
        assert messages.key not in stream
    assert done.stderr == ""

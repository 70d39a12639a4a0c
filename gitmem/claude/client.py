"""Claude by the Anthropic SDK: answers of a given form, metered and within a budget."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Generic, Protocol, TypeVar

import anthropic
import pydantic

from gitmem.claude import failures
from gitmem.claude.failures import MalformedError, OverBudgetError, RefusedError
from gitmem.claude.prices import MOST_TOKENS, PRICES, Budget, Usage

_SECONDS = 300.0  # for one answer
_RETRIES = 3
_LONGEST_WAIT = 60.0  # seconds that a rate limit may ask for
_BAD_ANSWER = (ValueError, TypeError, AttributeError, KeyError)  # an answer that is not the API's

T = TypeVar("T", bound=pydantic.BaseModel)


@dataclass(frozen=True, slots=True)
class Prompt(Generic[T]):
    """One question: constant instructions (they are cached), the text, the form of the answer, and effort."""

    instructions: str
    text: str
    form: type[T]
    effort: str = "medium"


class Model(Protocol):
    """A model that answers in a form. It costs money, and no two answers are the same."""

    @property
    def budget(self) -> Budget:
        """What it may cost, and what it has cost."""
        ...

    def count(self, prompt: Prompt[Any]) -> int:
        """How many tokens the prompt has, instructions and form included; free, and an estimate.

        Raises:
            ModelError: the model cannot be reached.
        """
        ...

    def ask(self, prompt: Prompt[T], most: int) -> T:
        """The answer, of at most ``most`` tokens, thinking included.

        Raises:
            RefusedError: it declined, or the answer does not fit into ``most``.
            MalformedError: the answer has another form.
            OverBudgetError: the request might have passed the budget and was not sent.
            ModelError: the model cannot be reached, or nothing can be asked of it.
        """
        ...


class Claude:
    """The real one.

    Requests are sent to the API alone, one by one, without sampling parameters and without any server-side
    conversation; what is asked again after a fault counts against the budget like what was asked first.

    Args:
        name: the id of the model.
        budget: see :class:`Budget`.
        key: an API key; "" for whatever credentials the SDK finds.
        seconds: how long an answer may take.

    Raises:
        ModelError: there are no usable credentials.
    """

    def __init__(self, name: str, budget: Budget, key: str = "", seconds: float = _SECONDS) -> None:
        # At level DEBUG, which ANTHROPIC_LOG sets, the SDK logs whole requests, and those are memories.
        for logger in ("anthropic", "httpx2"):
            logging.getLogger(logger).setLevel(logging.CRITICAL)
        self.name = name
        self.budget = budget
        self._worst: Usage | None = None
        self._answered = False
        self._stop = ""
        self._counts: dict[bytes, int] = {}
        if not (key.isascii() and key.isprintable()):
            raise failures.no_key()
        try:
            self._sdk = anthropic.Anthropic(
                api_key=key or None,
                timeout=anthropic.Timeout(seconds, connect=10),
                max_retries=_RETRIES,
                open_telemetry=False,  # a trace could carry what was asked
                http_client=anthropic.DefaultHttpxClient(follow_redirects=False),
                middleware=[self._meter],
            )
        except (anthropic.AnthropicError, ValueError):
            raise failures.no_key() from None

    def count(self, prompt: Prompt[Any]) -> int:
        """See :class:`Model`."""
        known = hashlib.sha256(prompt.text.encode()).digest()
        if known not in self._counts:
            self._worst = None
            ask = self._sdk.messages.count_tokens
            self._counts[known] = self._called(lambda: ask(**self._request(prompt))).input_tokens
        return self._counts[known]

    def ask(self, prompt: Prompt[T], most: int) -> T:
        """See :class:`Model`."""
        counted = self.count(prompt)
        if counted > MOST_TOKENS:
            raise RefusedError(failures.STOPS["model_context_window_exceeded"])
        self._worst, self._stop = Usage.worst(counted, most), ""
        ask = self._sdk.messages.parse
        answer = self._called(lambda: ask(**self._request(prompt), max_tokens=most))
        if self._stop in failures.STOPS:
            raise RefusedError(failures.STOPS[self._stop])
        if not isinstance(answer.parsed_output, prompt.form):
            raise MalformedError("Claude's answer does not have the form that was asked for.")
        return answer.parsed_output

    def _request(self, prompt: Prompt[Any]) -> dict[str, Any]:
        """The same for counting and for asking, so that the count is of what is asked."""
        kept = {"type": "ephemeral"}
        request = {
            "model": self.name,
            "system": [{"type": "text", "text": prompt.instructions, "cache_control": kept}],
            "messages": [{"role": "user", "content": prompt.text}],
            "output_format": prompt.form,
        }
        if self.name in PRICES:  # other models may not take an effort
            request["output_config"] = {"effort": prompt.effort}
        return request

    def _called(self, call: Callable[[], Any]) -> Any:
        self._answered = False
        try:
            return call()
        except pydantic.ValidationError:
            if self._stop in failures.STOPS:
                raise RefusedError(failures.STOPS[self._stop]) from None
            said = "Claude's answer does not have the form that was asked for."
            raise MalformedError(said) from None
        # What the SDK says may quote the answer, and a key that is not a header value: nothing of it is kept.
        except anthropic.AnthropicError as error:
            raise failures.of(error) from None
        except _BAD_ANSWER:
            raise (failures.no_claude() if self._answered else failures.no_key()) from None

    def _meter(self, request: Any, send: Callable[[Any], Any]) -> Any:
        """Around each attempt of a request: is it within the budget, and what did it take?"""
        worst = self._worst
        if worst is not None and not self.budget.allows(worst):
            raise OverBudgetError("The next request might pass the budget, so it was not sent.")
        try:
            response = send(request)
        except anthropic.APIConnectionError:
            self.budget.unsure += worst or Usage()
            raise
        self._answered = True
        if worst is not None and response.status_code == 200:
            self._take(response.http_response, worst)
        if response.status_code >= 400 and _wait(response.headers) > _LONGEST_WAIT:
            raise failures.too_long_a_wait(response.status_code)
        return response

    def _take(self, answer: Any, worst: Usage) -> None:
        try:
            body = answer.json()
            used = body["usage"]
            self._stop = str(body.get("stop_reason"))
            self.budget.spent += Usage(
                1,
                fresh=int(used["input_tokens"]),
                written=int(used.get("cache_creation_input_tokens") or 0),
                read=int(used.get("cache_read_input_tokens") or 0),
                out=int(used["output_tokens"]),
            )
        except _BAD_ANSWER:
            self.budget.unsure += worst


def _wait(headers: Any) -> float:
    """How many seconds the API asks to be left alone: the SDK would sleep for all of them."""
    after = headers.get("retry-after", "")
    try:
        if "retry-after-ms" in headers:
            return float(headers["retry-after-ms"]) / 1000
        return float(after) if after[:1].isdigit() else parsedate_to_datetime(after).timestamp() - time.time()
    except (TypeError, ValueError):
        return 0.0

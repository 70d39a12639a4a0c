"""What can go wrong with a request to Claude: one sentence each, without memory text or the key."""

from __future__ import annotations

import anthropic

from gitmem.errors import ModelError

_UNCHANGED = "Nothing was lost or changed by this."
_LATER = "Nothing was lost; try again later."
OFFLINE = "`gitmem consolidate --engine offline` works without Claude."


class RefusedError(ModelError):
    """Claude was reached and gave no answer to this prompt: it declined, or the answer was cut off."""


class MalformedError(ModelError):
    """Claude answered, but not in the form that was asked for."""


class OverBudgetError(ModelError):
    """The request was not sent because it might have passed the budget."""


STOPS = {
    "refusal": "Claude declined to work on these notes.",
    "max_tokens": "The answer would have been longer than it may be.",
    "model_context_window_exceeded": "The notes are too much for this model.",
}

_BY_STATUS = {
    400: (
        "Claude's API refused the request (HTTP 400).",
        f"{_UNCHANGED} Is the model that `gitmem config get consolidate.model` shows a current one?",
    ),
    401: (
        "Claude does not accept the API key.",
        f"{_UNCHANGED} Check ANTHROPIC_API_KEY; {OFFLINE}",
    ),
    402: (
        "The Anthropic account has no credit left.",
        f"{_UNCHANGED} Add credit in the Anthropic console; {OFFLINE}",
    ),
    403: (
        "The API key may not do this, or not with this model.",
        f"{_UNCHANGED} Check the key's permissions, or `gitmem config set consolidate.model MODEL`.",
    ),
    404: (
        "Anthropic knows no model of the name that is set.",
        f"{_UNCHANGED} `gitmem config get consolidate.model` shows it.",
    ),
    413: ("The request was too large for Claude.", _UNCHANGED),
    429: ("Anthropic's rate limit for this key is reached.", _LATER),
    529: ("Claude is overloaded.", _LATER),
}


def of(error: anthropic.AnthropicError) -> ModelError:
    """What the SDK raised, as the error that a person can use."""
    if isinstance(error, anthropic.APITimeoutError):
        return ModelError("Claude did not answer in time.", _LATER)
    if isinstance(error, anthropic.APIConnectionError):
        return ModelError(
            "Claude cannot be reached, or the connection broke.", f"{_LATER} Check the network. {OFFLINE}"
        )
    if isinstance(error, anthropic.APIStatusError):
        return _of_status(error)
    return no_key()


def no_key() -> ModelError:
    """There is nothing to sign a request with."""
    return ModelError(
        "There is no usable Anthropic API key.", f"{_UNCHANGED} Set ANTHROPIC_API_KEY; {OFFLINE}"
    )


def no_claude() -> ModelError:
    """Something else answered."""
    return ModelError(
        "What answered is not Claude's API.",
        f"{_UNCHANGED} Is ANTHROPIC_BASE_URL right, or a proxy in between?",
    )


def too_long_a_wait(status: int) -> ModelError:
    """The API wants to be left alone for longer than a run should wait."""
    return ModelError(*_BY_STATUS.get(status, _BY_STATUS[529]))


def _of_status(error: anthropic.APIStatusError) -> ModelError:
    if error.status_code == 400 and "credit balance" in (error.api_message or ""):
        return ModelError(*_BY_STATUS[402])
    if error.status_code in (400, 413):
        return RefusedError(*_BY_STATUS[error.status_code])
    if error.status_code in _BY_STATUS:
        return ModelError(*_BY_STATUS[error.status_code])
    if error.status_code >= 500:
        return ModelError(f"Claude's servers have a problem (HTTP {error.status_code}).", _LATER)
    return ModelError(f"Claude's API refused the request (HTTP {error.status_code}).", _UNCHANGED)

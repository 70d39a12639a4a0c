"""What models cost, what requests took, and a budget that is never passed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from gitmem.errors import ConfigError

# Haiku's price is five times as high for a prompt of more than 100,000 tokens, and a count made beforehand is
# an estimate, so no request is sent whose count is above this.
MOST_TOKENS = 95_000
_MILLION = 1_000_000
_CACHE_WRITE, _CACHE_READ = 1.25, 0.1  # of the price of an input token; entries live for five minutes
_COUNT_ERROR = 1.05  # how much more than counted a prompt may turn out to be
_UNPRICED = 1_000_000  # tokens that a run may take when nobody said anything and the price is not known


class Price(NamedTuple):
    """US dollars for a million tokens in and out, for prompts up to 100,000 tokens."""

    tokens_in: float
    tokens_out: float


# Source: Anthropic's price list, 2026-11-20. All of these take an effort.
PRICES = {
    "claude-haiku-5-5": Price(0.10, 0.50),
    "claude-sonnet-5-5": Price(2, 10),
    "claude-opus-5-5": Price(4, 20),
    "claude-fable-5-1": Price(10, 50),
}


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that requests took: in at full price, written to and read from the cache, and out."""

    requests: int = 0
    fresh: int = 0
    written: int = 0
    read: int = 0
    out: int = 0

    @classmethod
    def worst(cls, counted: int, most_out: int) -> Usage:
        """The most that a request may take whose prompt was counted and whose answer is bounded."""
        return cls(1, written=int(counted * _COUNT_ERROR) + 1, out=most_out)

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.requests + other.requests,
            self.fresh + other.fresh,
            self.written + other.written,
            self.read + other.read,
            self.out + other.out,
        )

    @property
    def tokens_in(self) -> int:
        """All tokens of the prompts, cached or not."""
        return self.fresh + self.written + self.read

    def dollars(self, price: Price) -> float:
        """What they cost."""
        weighted = self.fresh + _CACHE_WRITE * self.written + _CACHE_READ * self.read
        return (weighted * price.tokens_in + self.out * price.tokens_out) / _MILLION


class Budget:
    """The most that a run may take, in US dollars, or in tokens where the price of the model is not known."""

    def __init__(self, price: Price | None, dollars: float | None, tokens: int | None) -> None:
        self.price = price
        self.spent = Usage()
        self.unsure = Usage()  # of requests that were cut off: the API may have charged for them
        self._dollars = dollars
        self._tokens = tokens

    @classmethod
    def of(cls, model: str, asked: str, usual: str) -> Budget:
        """The budget of a run with that model.

        Args:
            model: its id, for the price.
            asked: what was asked for this run: US dollars such as ``0.50``, tokens such as ``200000 tokens``,
                or "" for nothing.
            usual: US dollars, used when nothing was asked and the price is known.

        Raises:
            ConfigError: it is neither, or dollars cannot be kept because the price is not known.
        """
        price = PRICES.get(re.sub(r"-20\d{6}$", "", model))
        tokens = re.fullmatch(r"([\d_,]{1,15}) ?(?:tokens|t)", asked.strip())
        if tokens:
            return cls(price, None, int(re.sub("[_,]", "", tokens[1]) or 0))
        if price is None and not asked:
            return cls(None, None, _UNPRICED)
        if price is None:
            raise ConfigError(
                "The price of this model is not known to gitmem, so a budget in dollars cannot be kept.",
                "Nothing was sent. Leave out --max-cost, or give it in tokens: `--max-cost '200000 tokens'`.",
            )
        amount = re.fullmatch(r"\$? ?(\d{1,5}(?:\.\d{1,4})?)", (asked or usual).strip())
        if amount is None:
            raise ConfigError(
                "A budget is an amount of US dollars such as 0.50, or of tokens such as '200000 tokens'.",
                "Nothing was sent.",
            )
        return cls(price, float(amount[1]), None)

    def allows(self, more: Usage) -> bool:
        """Whether what was spent, what may have been spent and ``more`` stay within the budget together."""
        every = self.spent + self.unsure + more
        if self._tokens is not None:
            return every.tokens_in + every.out <= self._tokens
        return self.price is None or self._dollars is None or every.dollars(self.price) <= self._dollars

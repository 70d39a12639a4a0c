"""The settings of a machine: their names, defaults, meanings, and how their texts are read."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from gitmem.errors import ConfigError

Value = str | int | bool
_KEPT = "Nothing was changed; `gitmem config list` shows every setting."


class Setting(NamedTuple):
    """One setting: its default, what it means in one line, and how its text is read."""

    default: Value
    meaning: str
    parse: Callable[[str], Value]


def _one_line(text: str) -> str:
    if not text.strip() or any(char in "<>" or not char.isprintable() for char in text):
        raise ConfigError("This setting is one line of text without < and >.", _KEPT)
    return text.strip()


def _yes_or_no(text: str) -> bool:
    word = text.strip().lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise ConfigError("This setting is either true or false.", _KEPT)


def _auto_or_off(text: str) -> str:
    word = text.strip().lower()
    if word not in ("auto", "off"):
        raise ConfigError("This setting is either auto or off.", _KEPT)
    return word


def _count(text: str) -> int:
    digits = text.strip().replace(",", "").replace("_", "")
    if not (digits.isascii() and digits.isdigit() and 1 <= int(digits[:9]) <= 10_000_000):
        raise ConfigError("This setting is a whole number from 1 to 10,000,000.", _KEPT)
    return int(digits[:9])


def _dollars(text: str) -> str:
    amount = text.strip().removeprefix("$")
    whole, _, cents = amount.partition(".")
    if not (amount.isascii() and (whole + cents).isdigit() and len(whole) <= 5 and len(cents) <= 4):
        raise ConfigError("This setting is an amount of US dollars, such as 0.50.", _KEPT)
    return amount


def _share(text: str) -> str:
    share = text.strip()
    whole, _, decimals = share.partition(".")
    if not (share.isascii() and (whole + decimals).isdigit() and len(share) <= 8 and float(share) <= 1):
        raise ConfigError("This setting is a number from 0 to 1, such as 0.25.", _KEPT)
    return share


def _address(text: str) -> str:
    address = text.strip().rstrip("/")
    host = address.partition("://")[2]
    if (
        not address.startswith(("https://", "http://"))
        or not host
        or any(char in "@?#\\ " for char in address)
    ):
        raise ConfigError("This setting is an address such as https://github.example.org.", _KEPT)
    return address


def _folder(text: str) -> str:
    return os.path.realpath(os.path.expanduser(text)) if text.strip() else ""


SETTINGS: dict[str, Setting] = {
    "author.name": Setting("gitmem", "The name that your commits carry, in clear.", _one_line),
    "author.email": Setting("gitmem@localhost", "The address that your commits carry, in clear.", _one_line),
    "sync.auto": Setting(True, "Push in the background after each write when there is a remote.", _yes_or_no),
    "search.limit": Setting(10, "How many results `gitmem search` shows.", _count),
    "search.min_relevance": Setting(
        "0", "The least relevance of what `gitmem search` shows, from 0 (all) to 1.", _share
    ),
    "search.semantic": Setting(
        "auto", "Search by meaning too where a model is installed (auto), or never (off).", _auto_or_off
    ),
    "read.budget": Setting(8000, "How many characters `gitmem read` without an id prints.", _count),
    "digest.budget": Setting(8000, "How many characters the overview of a digest has.", _count),
    "consolidate.model": Setting(
        "claude-haiku-5-5", "The Claude model that `gitmem consolidate` asks.", _one_line
    ),
    "consolidate.budget": Setting(
        "0.50", "The most that one consolidation may cost, in US dollars.", _dollars
    ),
    "github.url": Setting(
        "https://github.com", "GitHub, or the address of your GitHub Enterprise.", _address
    ),
    "vault.default": Setting("", "The vault used when neither an option nor the folder names one.", _folder),
}

"""Secrets in text that is about to be published: the one place that knows detect-secrets.

Its plugins for known formats look at whole texts. The two that guess are held short, because memories are
prose: a keyword counts only before a quoted value or one that looks like a password and not like a word, and
of the entropy plugins only base64 in quotes, because commit ids and checksums are what hexadecimal is mostly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import NamedTuple, Protocol

from gitmem.memory.memory import Memory

Detect = Callable[[str], bool]

_PLUGINS = {
    "aws.AWSKeyDetector": "an AWS key",
    "azure_storage_key.AzureStorageKeyDetector": "an Azure storage key",
    "basic_auth.BasicAuthDetector": "an address with a password",
    "discord.DiscordBotTokenDetector": "a Discord token",
    "github_token.GitHubTokenDetector": "a GitHub token",
    "gitlab_token.GitLabTokenDetector": "a GitLab token",
    "jwt.JwtTokenDetector": "a JSON web token",
    "mailchimp.MailchimpDetector": "a Mailchimp key",
    "npm.NpmDetector": "an npm token",
    "openai.OpenAIDetector": "an OpenAI key",
    "private_key.PrivateKeyDetector": "a private key",
    "pypi_token.PypiTokenDetector": "a PyPI token",
    "sendgrid.SendGridDetector": "a SendGrid key",
    "slack.SlackDetector": "a Slack token",
    "square_oauth.SquareOAuthDetector": "a Square secret",
    "stripe.StripeDetector": "a Stripe key",
    "telegram_token.TelegramBotTokenDetector": "a Telegram token",
    "twilio.TwilioKeyDetector": "a Twilio key",
}
# What the plugins do not know: our own formats, and some that came later.
_FORMATS = {
    "an age identity": r"AGE-SECRET-KEY-(?:PQ-)?1[A-Za-z0-9]{20}",
    "a join code of gitmem": r"gitmem1\.[A-Za-z0-9_-]{40}",
    "an Anthropic key": r"sk-ant-[A-Za-z0-9_-]{16}",
    "an OpenAI key": r"\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20}",
    "a GitHub token": r"\bgithub_pat_[A-Za-z0-9_]{22}",
    "a Google key": r"\bAIza[0-9A-Za-z_-]{35}",
    "a Hugging Face token": r"\bhf_[A-Za-z0-9]{30}",
    "a token": r"(?i)\b(?:bearer|token)[\"'`]?\s{0,3}[:=]?\s{0,3}[\"'`]?"
    r"(?=[\w.=+/-]{0,40}\d)(?=[\w.=+/-]{0,40}[A-Za-z])[\w.=+/-]{24}",
}
_PIECE, _OVERLAP = 4000, 600  # characters looked at together; a secret that is longer shows by its beginning
_WINDOW = 200  # characters from a keyword on in which its value must stand
_ENTROPY = 4.5  # bits per character; the plugin's own default
_LONG = 24  # characters below which base64 in quotes is as often a name
# Where a secret lies, or what stands for one, is no secret: a path, a variable, a password manager, "xxx".
_PLACE = re.compile(r"[~./$<{%(]|https?:|[A-Z][A-Z0-9_]*$")
_FILLER = re.compile(
    r"(?i)your|example|change.?me|redacted|placeholder|1password|bitwarden|keepass|x{3}|\*{3}|\.{3}|…"
)


class Finding(NamedTuple):
    """A memory's full id, and the kind of secret that it seems to hold; never the secret."""

    id: str
    kind: str


def scan(memories: Iterable[Memory]) -> list[Finding]:
    """What looks like a secret in anything that is shown of these memories, each kind once per memory."""
    detectors = list(_detectors())
    found = []
    for memory in memories:
        text = "\n".join((memory.title, memory.project, *memory.tags, *memory.topics, memory.body))
        pieces = list(_pieces(text))
        kinds = (kind for kind, detect in detectors if any(map(detect, pieces)))
        found += [Finding(memory.id, kind) for kind in dict.fromkeys(kinds)]
    return found


def _pieces(text: str) -> Iterable[str]:
    """A text in overlapping pieces: some of the plugins' patterns take long over long ones."""
    starts = range(0, max(len(text) - _OVERLAP, 1), _PIECE - _OVERLAP)
    return dict.fromkeys(text[at : at + _PIECE] for at in starts)


def _detectors() -> Iterator[tuple[str, Detect]]:
    """Each kind of secret with the test for a text."""
    for kind, pattern in _FORMATS.items():
        yield kind, _pattern(pattern)
    for name, kind in _PLUGINS.items():
        module, _, plugin = name.partition(".")
        yield kind, _plugin(getattr(import_module(f"detect_secrets.plugins.{module}"), plugin)())
    yield "a password or key", _keyword()
    yield "a random-looking string", _entropy()


def _pattern(pattern: str) -> Detect:
    compiled = re.compile(pattern)
    return lambda text: compiled.search(text) is not None


class _Plugin(Protocol):
    def analyze_string(self, string: str) -> Iterable[str]: ...


def _plugin(plugin: _Plugin) -> Detect:
    return lambda text: any(True for _ in plugin.analyze_string(text))


def _keyword() -> Detect:
    """Whether a word for a secret is followed by a value that looks like one."""
    from detect_secrets.plugins import keyword

    words = re.compile("|".join(keyword.DENYLIST), re.IGNORECASE)
    plugin = keyword.KeywordDetector()

    def detect(text: str) -> bool:
        # The plugin's patterns run on over line ends, and take long over long lines.
        near = (
            text[word.start() : word.start() + _WINDOW].partition("\n")[0] for word in words.finditer(text)
        )
        for line in dict.fromkeys(near):
            quoted = plugin.analyze_string(line, keyword.QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP)
            plain = plugin.analyze_string(line, keyword.CONFIG_DENYLIST_REGEX_TO_GROUP)
            if any(_secret(value, 8) for value in quoted):
                return True
            if any(_mixed(value.split()[0]) and _secret(value.split()[0], 6) for value in plain):
                return True
        return False

    return detect


def _secret(value: str, least: int) -> bool:
    """Whether a value may be a secret: one word, not a place where one lies, nor a stand-in for one."""
    from detect_secrets.filters import heuristic

    return (
        len(value) >= least
        and not re.search(r"\s", value)
        and not _PLACE.match(value)
        and not _FILLER.search(value)
        and not heuristic.is_sequential_string(value)
    )


def _mixed(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def _entropy() -> Detect:
    """Whether a long quoted string is too random for a word or a path."""
    from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString

    plugin = Base64HighEntropyString(_ENTROPY)

    def random(value: str) -> bool:
        kinds = (str.isdigit, str.islower, str.isupper)
        mixed = all(any(map(kind, value)) for kind in kinds)
        return len(value) >= _LONG and mixed and plugin.calculate_shannon_entropy(value) > _ENTROPY

    return lambda text: any(random(value) for value in plugin.analyze_string(text))

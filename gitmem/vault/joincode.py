"""The join code: one line that brings a vault to another machine. It is the key, and more."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field

from gitmem.errors import ConfigError
from gitmem.vault.keys import Identity, vault_bytes

PREFIX = "gitmem1."
_CHECK = 4  # bytes of SHA-256
_MAX_CHARS = 16_384
_OID = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})?")
_TOKEN = re.compile(r"[!-~]*")
_HOST = r"(?P<host>\w[\w.-]*|\[[0-9A-Fa-f:.]+\])"
_URL = re.compile(rf"(?P<scheme>https?|ssh)://(?:\w[\w.~+%-]*@)?{_HOST}(?::[0-9]+)?(?:/.*)?")
_SCP = re.compile(rf"(?:\w[\w.~+-]*@)?{_HOST}:(?!:|//|-).+")
_LOCAL = re.compile(r"(?:file://)?/.*")
_LOOPBACK = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|\[::1\]")
_PASSWORD = re.compile(r"\w+://[^/@]*:[^/@]*@.*")
_BAD_IN_BRANCH = re.compile(r"[\s~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|\.$|/$|^[-./]")
_WORDS = {  # in the code: in JoinCode
    "remote": "remote",
    "branch": "branch",
    "vault": "vault_id",
    "key": "identity_text",
    "floor": "floor",
    "token": "token",
}
_NEEDED = {"remote", "branch", "vault", "key"}
_STANDARD, _SAFE = b"+/", b"-_"
_URL_SAFE = bytes.maketrans(_STANDARD, _SAFE)
_FROM_URL_SAFE = bytes.maketrans(_SAFE, _STANDARD)
_BROKEN = "The join code is damaged: something in it was cut or changed."
_AGAIN = "Nothing was changed; `gitmem invite` on the other device prints a new code."
_ADDRESS = "Nothing was changed; give an https or ssh address: `git remote set-url origin URL`."
_HINT = "Copy the whole line that `gitmem invite` printed."


@dataclass(frozen=True, slots=True)
class JoinCode:
    """What a new device needs. ``repr`` leaves out the key and the token.

    ``branch`` is a short name; ``floor`` is the commit that the remote must contain, or "";
    ``token`` is for that remote only, or "".

    Raises:
        ConfigError: a malformed field, or a remote that could run a program or be read on its way.
    """

    remote: str
    branch: str
    vault_id: str
    identity_text: str = field(repr=False)
    floor: str = ""
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        check_remote(self.remote)
        if not self.branch.isprintable() or not self.branch or _BAD_IN_BRANCH.search(self.branch):
            raise ConfigError("The branch in the join code is not a branch name.", _AGAIN)
        vault_bytes(self.vault_id)
        if Identity.parse(self.identity_text).text != self.identity_text:
            raise ConfigError("The key in the join code must be written AGE-SECRET-KEY-1….", _AGAIN)
        if not _OID.fullmatch(self.floor):
            raise ConfigError("The floor in the join code is not a commit id.", _AGAIN)
        if not _TOKEN.fullmatch(self.token):
            raise ConfigError("The token in the join code holds a character that no token has.", _AGAIN)


def check_remote(remote: str) -> None:
    """Accept https, ssh, ``host:path``, an absolute path and ``file://``; http only to this very machine.

    Raises:
        ConfigError: anything else, and a URL that holds a password.
    """
    if not remote.isprintable() or remote.startswith("-"):
        raise ConfigError("That is not the address of a git remote.", _ADDRESS)
    if _PASSWORD.fullmatch(remote):
        raise ConfigError(
            "The remote's address holds a password.",
            "Take it out; `gitmem invite --with-token` passes a token instead.",
        )
    if url := _URL.fullmatch(remote):
        if url["scheme"] == "http" and not _LOOPBACK.fullmatch(url["host"]):
            raise ConfigError("Plain http can be read and changed on its way.", _ADDRESS)
    elif not _LOCAL.fullmatch(remote) and not _SCP.fullmatch(remote):
        raise ConfigError("A remote must be https, ssh, or an absolute path on this machine.", _ADDRESS)


def encode(code: JoinCode) -> str:
    """``code`` as one line without white space, beginning ``gitmem1.``.

    Raises:
        ConfigError: longer than ``decode`` would read.
    """
    said = {word: getattr(code, name) for word, name in _WORDS.items() if getattr(code, name)}
    raw = json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text = binascii.b2a_base64(raw + _checksum(raw), newline=False).rstrip(b"=").translate(_URL_SAFE)
    if len(PREFIX) + len(text) > _MAX_CHARS:
        raise ConfigError("The remote, branch or token is too long for a join code.", "Nothing was changed.")
    return PREFIX + text.decode("ascii")


def decode(text: str) -> JoinCode:
    """The code inside ``text``, which may be broken by white space and line ends.

    Raises:
        ConfigError: no join code, a damaged one, one from a newer gitmem, or one with a malformed field.
    """
    joined = "".join(text[: _MAX_CHARS + 1].split())
    if len(text) > _MAX_CHARS or not joined.startswith("gitmem"):
        raise ConfigError("That is not a join code.", _HINT)
    if not joined.startswith(PREFIX):
        raise ConfigError("That join code is damaged, or made by a newer gitmem.", _HINT)
    raw = _unwrapped(joined[len(PREFIX) :])
    said = _fields(raw[:-_CHECK])
    if not hmac.compare_digest(_checksum(raw[:-_CHECK]), raw[-_CHECK:]) or said is None:
        raise ConfigError(_BROKEN, _HINT)
    return JoinCode(**said)


def _checksum(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()[:_CHECK]


def _unwrapped(text: str) -> bytes:
    data = text.encode("ascii", "replace").translate(_FROM_URL_SAFE)
    try:
        return binascii.a2b_base64(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        return b""


def _fields(raw: bytes) -> dict[str, str] | None:
    # no error is raised from within: it would carry the text that could not be read, and so the key
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or not _NEEDED <= said.keys() <= _WORDS.keys():
        return None
    if not all(isinstance(value, str) for value in said.values()):
        return None
    return {_WORDS[word]: value for word, value in said.items()}

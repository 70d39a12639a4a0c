"""No key, recipient, passphrase or token shows in any object's text or in any error."""

from __future__ import annotations

import json
import traceback
from base64 import urlsafe_b64encode
from hashlib import sha256

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.errors import GitmemError
from gitmem.vault import age, armor, bech32, joincode, slot
from gitmem.vault.hybrid import Hybrid
from gitmem.vault.joincode import JoinCode
from gitmem.vault.keys import Identity, derive, paper
from gitmem.vault.passphrase import Passphrase
from gitmem.vault.vault import Vault
from gitmem.vault.x25519 import X25519

VAULT_ID = "00112233445566778899aabbccddeeff"
IDENTITY = Identity(sha256(b"a key for this test").digest())
VAULT = Vault(IDENTITY, VAULT_ID)
WORDS = "xq7vk2wz9jt4"  # nothing that could stand in a line of source, which tracebacks show
TOKEN = "zb5mh8yf3kd6"
CODE = JoinCode("https://git.example/me/memory.git", "main", VAULT_ID, IDENTITY.text, "", TOKEN)
RECIPIENT = str(pyrage.x25519.Identity.from_str(IDENTITY.text).to_public())
DOCUMENT = b"jw4pv9xg2rq8\n"
PIECE = 6  # characters in a row that must not come out


def pieces(text):
    return {text[at : at + PIECE].lower() for at in range(len(text) - PIECE + 1)}


SECRETS = set().union(
    *(pieces(text) for text in (IDENTITY.raw.hex(), IDENTITY.text[16:], RECIPIENT[4:], WORDS, TOKEN)),
    *(pieces(derive(IDENTITY, VAULT_ID, label).hex()) for label in ("commit-seal", "index")),
    *(pieces("".join(line[3:].split())) for line in paper(IDENTITY).splitlines()),
    pieces(joincode.encode(CODE)[8:]),
    pieces(DOCUMENT.decode()),
    pieces(repr(IDENTITY.raw)[2:-1]),
)


def everything_said(error):
    """What a log or a terminal could show of an error, its causes and all that they carry."""
    said = ["".join(traceback.format_exception(error))]
    todo = [error]
    while todo:
        one = todo.pop()
        said += [repr(one), str(one), repr(one.args), repr(getattr(one, "__dict__", {}))]
        said += [repr(getattr(one, name, "")) for name in ("object", "doc", "hint", "message")]
        todo += [cause for cause in (one.__cause__, one.__context__) if cause]
    return " ".join(said).lower()


def leaks(text):
    return {piece for piece in SECRETS if piece in text.lower()}


def spoiled(text):
    """``text`` with one place changed: a character replaced, left out or put in."""
    return st.tuples(st.integers(0, len(text)), st.integers(0, 1), st.text(max_size=1)).map(
        lambda change: text[: change[0]] + change[2] + text[change[0] + change[1] :]
    )


def refused(call):
    try:
        call()
    except GitmemError as error:
        return everything_said(error)
    return ""


@pytest.mark.parametrize(
    "thing",
    [IDENTITY, VAULT, CODE, X25519(IDENTITY.raw), Hybrid(IDENTITY.raw), Passphrase(WORDS)],
    ids=lambda thing: type(thing).__name__,
)
def test_no_object_shows_its_secret(thing):
    shown = [
        repr(thing),
        str(thing),
        f"{thing}",
        repr([thing]),
        repr(vars(thing)) if hasattr(thing, "__dict__") else "",
    ]
    assert leaks(" ".join(shown)) == set()


def test_the_search_for_leaks_finds_one():
    assert leaks(f"x {IDENTITY.text} x")
    assert leaks(RECIPIENT)
    assert leaks(everything_said(ValueError(WORDS)))


@given(spoiled(IDENTITY.text))
def test_a_mistyped_key_is_not_repeated(text):
    assert leaks(refused(lambda: Identity.parse(text))) == set()
    assert leaks(refused(lambda: bech32.decode(text))) == set()
    assert leaks(refused(lambda: age.load_key(text))) == set()


@given(spoiled(paper(IDENTITY)))
def test_a_mistyped_paper_is_not_repeated(text):
    assert leaks(refused(lambda: Identity.parse(text))) == set()


@given(spoiled(joincode.encode(CODE)))
def test_a_damaged_join_code_is_not_repeated(text):
    assert leaks(refused(lambda: joincode.decode(text))) == set()


FIELDS = {"remote": CODE.remote, "branch": "main", "vault": VAULT_ID, "key": IDENTITY.text, "token": TOKEN}


@given(spoiled(json.dumps(FIELDS)))
def test_a_join_code_that_says_nonsense_is_not_repeated(text):
    raw = text.encode("utf-8", "replace")
    packed = "gitmem1." + urlsafe_b64encode(raw + sha256(raw).digest()[:4]).decode()
    assert leaks(refused(lambda: joincode.decode(packed))) == set()


@pytest.mark.parametrize(
    "call",
    [
        lambda: slot.unlock(slot.lock(IDENTITY, VAULT_ID, "another", log_n=1), WORDS),
        lambda: slot.unlock(slot.lock(IDENTITY, VAULT_ID, WORDS, log_n=1), WORDS, "f" * 32),
        lambda: slot.unlock(age.encrypt(IDENTITY.text.encode(), [Passphrase(WORDS, 1)]), WORDS),
        lambda: slot.lock(IDENTITY, "x", WORDS, log_n=1),
        lambda: Passphrase(WORDS + "\udcff"),
        lambda: Vault(Identity(bytes(32)), VAULT_ID).open(VAULT.seal(DOCUMENT)),
        lambda: VAULT.open(VAULT.seal(DOCUMENT)[:-1]),
        lambda: VAULT.open(VAULT.seal(DOCUMENT) + b"x"),
        lambda: VAULT.open(age.encrypt(DOCUMENT, [X25519(IDENTITY.raw), X25519(bytes(32))])),
        lambda: VAULT.open(DOCUMENT),
        lambda: VAULT.seal(DOCUMENT * 200_000),
        lambda: VAULT.sign(DOCUMENT.strip()),
        lambda: armor.decode(DOCUMENT),
        lambda: Identity.parse(f"{IDENTITY.text}\n{IDENTITY.text}"),
        lambda: Identity.parse(RECIPIENT),
        lambda: Identity(IDENTITY.raw + b"x"),
        lambda: Identity.parse(bech32.encode("age-secret-key-pq-", IDENTITY.raw)),
        lambda: JoinCode(CODE.remote, "main", VAULT_ID, IDENTITY.text.lower()),
        lambda: JoinCode(CODE.remote, "main", VAULT_ID, IDENTITY.text, "", TOKEN + " "),
        lambda: JoinCode(f"https://me:{TOKEN}@git.example/x", "main", VAULT_ID, IDENTITY.text),
    ],
)
def test_no_error_carries_a_secret(call):
    said = refused(call)
    assert said
    assert leaks(said) == set()

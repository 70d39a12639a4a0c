"""The join code: one line out, the same values back in, and no remote that could do harm."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.errors import ConfigError
from gitmem.vault import joincode
from gitmem.vault.joincode import JoinCode
from gitmem.vault.keys import Identity

VAULT_ID = "00112233445566778899aabbccddeeff"
IDENTITY = Identity(bytes(range(32)))
CODE = JoinCode("https://git.example/me/memory.git", "main", VAULT_ID, IDENTITY.text, "a" * 40, "token_123")

GOOD_REMOTES = [
    "https://git.example/me/memory.git",
    "https://me@git.example:8443/me/memory.git",
    "https://bücher.example/me/memory",
    "http://localhost:8080/memory.git",
    "http://127.0.0.1:8080/memory.git",
    "http://[::1]:8080/memory.git",
    "ssh://git@git.example:2222/me/memory.git",
    "ssh://[2001:db8::1]/memory.git",
    "git@git.example:me/memory.git",
    "git.example:memory.git",
    "C:/Users/me/memory",
    "/srv/git/memory.git",
    "/srv/git/my memory ünd more.git",
    "file:///srv/git/memory.git",
]
BAD_REMOTES = [
    "",
    "-oProxyCommand=touch x",
    "--upload-pack=touch x",
    "ssh://-oProxyCommand=touch/x",
    "ssh://git@-oProxyCommand=touch/x",
    "-oProxyCommand=touch:x",
    "git@-oProxyCommand=touch:x",
    "git.example:-x",
    "ext::sh -c touch% x",
    "ext::sh",
    "fd::17",
    "http://git.example/memory.git",
    "http://localhost.evil.example/memory.git",
    "http://127.0.0.1.evil.example/memory.git",
    "http://127.0.0.1@evil.example/memory.git",
    "git://git.example/memory.git",
    "ftp://git.example/memory.git",
    "javascript:alert(1)//\n",
    "file://server/share",
    "memory.git",
    "./memory.git",
    "../memory.git",
    "~/memory.git",
    "https://",
    "https:///memory.git",
    "https://git.example/\nmemory",
    "https://git.example/\x1b[31m",
    "/srv/git\x00/memory",
    "/srv/\u202egit",
    "https://me:password@git.example/memory.git",
    "ssh://me:password@git.example/memory.git",
]
BAD_BRANCHES = [
    "",
    "-x",
    ".x",
    "/x",
    "x/",
    "x.",
    "x..y",
    "x y",
    "x~1",
    "x^",
    "x:y",
    "x?",
    "x*",
    "x[",
    "x\\y",
    "x@{1}",
]
BAD_BRANCHES += ["x//y", "x/.y", "x.lock", "x.lock/y", "x\ny", "x\x7f", "x\u202ey"]


def changed(**fields):
    return dataclasses.replace(CODE, **fields)


def packed(text, check=None):
    raw = text.encode()
    check = sha256(raw).digest()[:4] if check is None else check
    return "gitmem1." + urlsafe_b64encode(raw + check).decode().rstrip("=")


def test_a_code_is_one_line_and_comes_back():
    text = joincode.encode(CODE)
    assert text.startswith("gitmem1.")
    assert text.isascii()
    assert text.split() == [text]
    assert joincode.decode(text) == CODE


def test_a_code_is_json_and_a_checksum_in_base64():
    packed_text = joincode.encode(CODE).removeprefix("gitmem1.")
    raw = urlsafe_b64decode(packed_text + "=" * (-len(packed_text) % 4))
    assert raw[-4:] == sha256(raw[:-4]).digest()[:4]
    assert json.loads(raw[:-4]) == {
        "remote": CODE.remote,
        "branch": "main",
        "vault": VAULT_ID,
        "key": IDENTITY.text,
        "floor": "a" * 40,
        "token": "token_123",
    }


@given(
    st.sampled_from(GOOD_REMOTES),
    st.sampled_from(["main", "feature/x", "größe"]),
    st.binary(min_size=16, max_size=16).map(bytes.hex),
    st.binary(min_size=32, max_size=32).map(lambda raw: Identity(raw).text),
    st.sampled_from(["", "0" * 40, "f" * 64]),
    st.text("".join(chr(code) for code in range(0x21, 0x7F)), max_size=80),
)
def test_every_code_comes_back(remote, branch, vault_id, key, floor, token):
    code = JoinCode(remote, branch, vault_id, key, floor, token)
    assert joincode.decode(joincode.encode(code)) == code


def test_white_space_and_line_breaks_in_a_code_do_not_matter():
    text = joincode.encode(CODE)
    for form in (
        f"  {text}\n",
        "\r\n".join(textwrap.wrap(text, 30)),
        " ".join(text),
        f"\t{text}\u00a0",
    ):
        assert joincode.decode(form) == CODE


def test_a_wrong_character_anywhere_is_noticed():
    text = joincode.encode(CODE)
    for at in range(len(text)):
        for wrong in {"A", "z", "_", "!", "é", "="} - {text[at]}:
            with pytest.raises(ConfigError):
                joincode.decode(text[:at] + wrong + text[at + 1 :])


def test_a_code_cut_or_continued_is_noticed():
    text = joincode.encode(CODE)
    for end in range(len(text)):
        with pytest.raises(ConfigError):
            joincode.decode(text[:end])
    with pytest.raises(ConfigError):
        joincode.decode(text + text)


@given(st.text(max_size=200))
def test_any_text_raises_only_our_error(text):
    for form in (text, "gitmem1." + text, packed(text)):
        with pytest.raises(ConfigError):
            joincode.decode(form)


def test_a_code_is_never_longer_than_what_is_read():
    longest = changed(remote="/" + "x" * 11_900)
    assert joincode.decode(joincode.encode(longest)) == longest
    with pytest.raises(ConfigError, match="too long"):
        joincode.encode(changed(remote="/" + "x" * 12_300))
    with pytest.raises(ConfigError, match="not a join code"):
        joincode.decode(packed(json.dumps({**FIELDS, "remote": "/" + "x" * 12_300})))


def test_a_code_of_a_newer_gitmem_says_so():
    with pytest.raises(ConfigError, match="newer gitmem"):
        joincode.decode("gitmem2.AAAA")


FIELDS = {"remote": "/srv/x", "branch": "main", "vault": VAULT_ID, "key": IDENTITY.text}


@pytest.mark.parametrize(
    "said",
    [
        [],
        "text",
        None,
        {},
        {**FIELDS, "key": ""},
        {**FIELDS, "floor": 1},
        {**FIELDS, "extra": "x"},
        {**FIELDS, "branch": ["main"]},
        {**FIELDS, "remote": "ext::sh"},
        {name: value for name, value in FIELDS.items() if name != "vault"},
    ],
)
def test_a_well_packed_code_that_says_nonsense_is_refused(said):
    assert joincode.decode(packed(json.dumps(FIELDS))).floor == ""
    with pytest.raises(ConfigError):
        joincode.decode(packed(json.dumps(said)))


def test_deep_nesting_and_endless_text_are_refused():
    for text in (packed("[" * 5000), packed("[" * 9000), "gitmem1." + "A" * 1_000_000):
        with pytest.raises(ConfigError):
            joincode.decode(text)


@pytest.mark.parametrize("remote", GOOD_REMOTES)
def test_a_remote_that_git_reaches_safely_is_accepted(remote):
    assert changed(remote=remote).remote == remote


@pytest.mark.parametrize("remote", BAD_REMOTES)
def test_a_remote_that_could_do_harm_is_refused(remote):
    with pytest.raises(ConfigError):
        changed(remote=remote)
    with pytest.raises(ConfigError):
        joincode.check_remote(remote)


@pytest.mark.parametrize("branch", BAD_BRANCHES)
def test_a_branch_that_git_would_refuse_is_refused(branch):
    with pytest.raises(ConfigError):
        changed(branch=branch)


@pytest.mark.parametrize(
    "fields",
    [
        {"vault_id": "x"},
        {"identity_text": "AGE-SECRET-KEY-1"},
        {"identity_text": IDENTITY.text.lower()},
        {"floor": "HEAD"},
        {"floor": "a" * 41},
        {"token": "two words"},
        {"token": "new\nline"},
        {"token": "ü"},
    ],
)
def test_a_malformed_field_is_refused(fields):
    with pytest.raises(ConfigError):
        changed(**fields)

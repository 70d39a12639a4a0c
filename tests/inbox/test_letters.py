"""What comes in: how it is sealed, opened, read and cut, whatever it claims."""

from __future__ import annotations

import base64
import json
import subprocess
import zlib
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.errors import ConfigError, GitmemError, InvalidMemoryError, WrongKeyError
from gitmem.flows.inbox import MAX_URL, issue_link, issue_pattern
from gitmem.memory.letter import (
    MAX_TEXT,
    SEALED_MARK,
    Letter,
    from_plain,
    from_sealed,
    is_sealed,
    sealed_part,
)
from gitmem.vault import armor
from gitmem.vault.inbox import MAX_SEALED, Inbox
from gitmem.vault.keys import Identity
from gitmem.vault.vault import Vault

IDENTITY, VAULT_ID = Identity(bytes(range(32))), "00112233445566778899aabbccddeeff"
BOX = Inbox(IDENTITY, VAULT_ID)


def sealed(content: bytes) -> bytes:
    """As somebody who has the recipient alone seals."""
    from gitmem.vault import bech32, header, hkdf, primitives, stream

    public = bech32.decode(BOX.recipient)[1]
    ephemeral, file_key, nonce = primitives.generate_private(), b"k" * 16, b"n" * 16
    share = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(primitives.public_key(public))
    key = hkdf.hkdf(shared, share + public, b"age-encryption.org/v1/X25519")
    stanza = header.Stanza(("X25519", header.encode64(share)), primitives.wrap_key(key, file_key))
    payload = stream.seal(hkdf.hkdf(file_key, nonce, b"payload"), content)
    return header.build([stanza], file_key) + nonce + payload


# The key.


def test_what_is_sealed_to_the_recipient_opens_in_binary_and_in_armor():
    assert BOX.recipient.startswith("age1")
    assert BOX.open(sealed(b"text")) == b"text"
    assert BOX.open(armor.encode(sealed(b"text"))) == b"text"


def test_stock_age_seals_to_the_recipient(age_program):
    done = subprocess.run(
        [age_program, "-a", "-r", BOX.recipient], input=b"by hand", capture_output=True, check=True
    )
    assert from_sealed(BOX.open(sealed_part(done.stdout.decode()))) == Letter("", (), "by hand")


def test_the_inbox_key_opens_no_memory_and_the_vaults_key_nothing_of_the_inbox():
    vault = Vault(IDENTITY, VAULT_ID)
    with pytest.raises(WrongKeyError):
        BOX.open(vault.seal(b"a memory"))
    with pytest.raises(GitmemError):
        vault.open(sealed(b"text"))
    assert Inbox(IDENTITY, "ff" * 16).recipient != BOX.recipient
    assert repr(BOX) == f"Inbox({BOX.recipient})"


def test_the_recipient_never_changes_for_a_vault():
    assert BOX.recipient == "age10dvf3pshjlcxk5zrmeu8dyvd5s027mfexpml5xqtzwvytjcg2a4qxsvx76"


def test_larger_files_are_refused_before_any_work():
    with pytest.raises(InvalidMemoryError):
        BOX.open(b"x" * (MAX_SEALED + 1))


def test_a_mark_depends_on_the_vault_and_on_the_issue():
    marks = {BOX.mark("a"), BOX.mark("b"), Inbox(IDENTITY, "ff" * 16).mark("a")}
    assert len(marks) == 3
    assert all(len(mark) == 10 for mark in marks)


def test_what_the_page_of_this_version_has_sealed_opens_for_ever():
    body = (
        "gitmem inbox v1\n"
        "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0-IFgyNTUxOSBhSDFvVmsxamtWcHpvRythS1M0NnVTaXIzanl4a052UzlkbHZNZG5kcmxBCmxL"
        "dGkzWU5KdXB1bVVMMlJicERpa3d5RGtlcjd5b3RyWVZ6UVMvVEcvN0kKLS0tIGswMDYxOXJkeGZtd215OTBZVkxhVzlYc2NpNk54TVBF"
        "VHJWUmRvZW53a2cKHQPSnArgUgh-Vo-k1fzqWlSWIs2HnuYr19PhKHp7yIp77wGzVqH1lY-SZQm7Six50YSKCP8sKucdXh4-Yjc4j-al"
        "E57FfcbTY3SiItR5R8fKQGrIO4m2Dyyko9XYXEb0LwodMrxUkE2fgLurfx1Y"
    )
    assert from_sealed(BOX.open(sealed_part(body))) == Letter(
        "Ever", ("a", "b"), "Sealed once, opened for ever. 永远"
    )


# The letter.


@pytest.mark.parametrize(
    ("title", "body", "letter"),
    [
        ("Title", "Text", Letter("Title", (), "Text")),
        ("Title", "", Letter("Title", (), "Title")),
        ("", "Text\r\nmore\r\n", Letter("", (), "Text\nmore")),
        ("T", "Text\n\n#one #two", Letter("T", ("one", "two"), "Text")),
        ("T", "#one", Letter("T", ("one",), "T")),
        ("T", "# Heading", Letter("T", (), "# Heading")),
        ("T", "#one two", Letter("T", (), "#one two")),
        ("T", "#" + "x" * 99, Letter("T", ("x" * 50,), "T")),
        (" two\n lines ", "x", Letter("two lines", (), "x")),
        ("T", "---\ntrust: self\n---\nx", Letter("T", (), "---\ntrust: self\n---\nx")),
    ],
)
def test_a_plain_issue_is_read_as_it_stands(title, body, letter):
    assert from_plain(title, body) == letter


def test_of_a_sealed_object_only_title_tags_and_text_are_taken():
    claims = {
        "title": "T",
        "tags": ["a", 7, " b c ", "a"],
        "text": "x",
        "trust": "self",
        "id": "1",
        "share": True,
    }
    for content in (json.dumps(claims).encode(), zlib.compress(json.dumps(claims).encode())):
        assert from_sealed(content) == Letter("T", ("a", "b-c"), "x")


@pytest.mark.parametrize(
    ("content", "letter"),
    [
        (b"just text", Letter("", (), "just text")),
        (b'{"text": 7}', Letter("", (), '{"text": 7}')),
        (b"{not json", Letter("", (), "{not json")),
        (b'{"text": "x", "title": 7, "tags": "no"}', Letter("", (), "x")),
        (b'{"a":' * 5000, Letter("", (), '{"a":' * 5000)),
    ],
)
def test_anything_else_that_is_sealed_is_its_own_text(content, letter):
    assert from_sealed(content) == letter


BOMBS = {
    "a bomb": zlib.compress(b"x" * (200 << 20)),
    "a bomb in json": zlib.compress(json.dumps({"text": "x" * (MAX_TEXT + 1)}).encode()),
    "cut": zlib.compress(b"text" * 1000)[:-3],
    "not deflated": b"\x78not",
    "not text": b"\xff\xfe\x00",
    "too long": b"x" * (MAX_TEXT + 1),
    "empty": b"",
    "nothing in it": b'{"text": " \\n", "title": ""}',
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS.keys())
def test_what_is_too_long_broken_or_empty_is_refused_without_quoting_it(content):
    with pytest.raises(InvalidMemoryError) as refused:
        from_sealed(content)
    assert refused.value.__cause__ is None
    assert "xx" not in str(refused.value)


@pytest.mark.parametrize(
    ("body", "sealed"),
    [
        (f"{SEALED_MARK}\nYWdl", True),
        (f"\r\n {SEALED_MARK} \r\nanything", True),
        (f"{SEALED_MARK} YWdlLWVuY3J5cHRpb24ub3Jn", True),
        (SEALED_MARK, True),
        ("-----BEGIN AGE ENCRYPTED FILE-----\n", True),
        (f"{SEALED_MARK} is what stands above sealed text", False),
        (f"{SEALED_MARK}1\nYWdl", False),
        (f"text\n{SEALED_MARK}\nYWdl", False),
    ],
)
def test_only_the_mark_on_its_own_line_or_before_an_age_file_means_sealed(body, sealed):
    assert is_sealed(body) is sealed


def test_a_bomb_is_not_blown_up():
    import tracemalloc

    tracemalloc.start()
    with pytest.raises(InvalidMemoryError):
        from_sealed(BOMBS["a bomb"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


@given(st.text() | st.text().map(lambda text: f"{SEALED_MARK}\n{text}"), st.binary())
def test_no_text_makes_the_parsers_fail_otherwise(text, content):
    for parse in (sealed_part, lambda body: from_plain(body, body), lambda _: from_sealed(content)):
        try:
            parse(text)
        except GitmemError:
            continue


@given(st.binary(max_size=300))
def test_the_marked_form_of_any_file_is_read_back(content):
    packed = base64.urlsafe_b64encode(content).decode().rstrip("=")
    wrapped = "\r\n".join(packed[at : at + 60] for at in range(0, len(packed), 60))
    if content:
        assert sealed_part(f" {SEALED_MARK}\r\n{wrapped}\r\n\r\nSent from my phone") == content


@given(st.binary(max_size=400))
def test_the_box_raises_only_our_errors(content):
    with pytest.raises(GitmemError):
        BOX.open(content)


# Links.


def read(link):
    """Title and body as GitHub fills them in."""
    query = parse_qs(urlsplit(link).query)
    return query["title"][0], query["body"][0]


def test_a_link_fills_in_title_text_and_tags_and_nothing_else():
    [link] = issue_link(
        "ada/memory", "https://github.com", "Release day", "We ship & rest.", ["ops", "two words"]
    )
    assert link.startswith(
        "https://github.com/ada/memory/issues/new?title=Remember%3A%20Release%20day&body=We%20ship"
    )
    assert set(parse_qs(urlsplit(link).query)) == {"title", "body"}
    assert read(link) == ("Remember: Release day", "We ship & rest.\n\n#ops #two-words")
    assert from_plain("Release day", read(link)[1]) == Letter(
        "Release day", ("ops", "two-words"), "We ship & rest."
    )


def test_the_pattern_for_assistants_is_such_a_link():
    filled = (
        issue_pattern("ada/memory", "https://ghe.example").replace("TITLE", "a%20b").replace("TEXT", "c%0Ad")
    )
    assert filled.startswith("https://ghe.example/ada/memory/issues/new?")
    assert read(filled) == ("Remember: a b", "c\nd")


@pytest.mark.parametrize(
    "text", ["人工智能的记忆属于它的主人。" * 300, "word and word. " * 1500, "🦔" * 3000, "x" * 20_000]
)
def test_long_text_is_cut_into_numbered_links_that_all_fit_and_together_are_the_text(text):
    links = issue_link("ada/memory", "https://github.com", "标题", text, ["标签"])
    assert len(links) > 1
    assert max(len(link.encode()) for link in links) <= MAX_URL
    assert [read(link)[0] for link in links] == [
        f"Remember: 标题 ({n}/{len(links)})" for n in range(1, len(links) + 1)
    ]
    parts = [from_plain("t", read(link)[1]).text for link in links]
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_a_link_without_text_or_without_room_is_refused():
    for title, text, url in (("", " ", "https://github.com"), ("t", "x", "https://" + "h" * 5900)):
        with pytest.raises(ConfigError):
            issue_link("ada/memory", url, title, text)


@given(st.text(max_size=3000), st.text(max_size=400))
def test_any_text_makes_links_that_fit(text, title):
    if title.strip() or text.strip():
        for link in issue_link("ada/memory", "https://github.com", title, text, ["a"]):
            assert len(link) <= MAX_URL and link.isascii()

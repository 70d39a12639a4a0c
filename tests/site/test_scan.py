"""The secret scan: what must not be published is found wherever it stands, and prose is left in peace."""

import json
import time

import pytest

from gitmem.memory.memory import Memory
from gitmem.site.scan import scan

ID = "01KAGFWXW0ABCDEFGHJKM00001"
# Put together here, so that no scanner takes this file for a leak.
SECRETS = [
    ("an age identity", "AGE-SECRET-KEY-" + "1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" * 2),
    ("a join code of gitmem", "gitmem1" + "." + "eyJyZW1vdGUi" * 12),
    ("an Anthropic key", "sk-ant-" + "api03-" + "aB3dE6gH9" * 8),
    ("an OpenAI key", "sk-" + "proj-" + "aB3dE6gH9" * 5),
    ("an AWS key", "AKIA" + "Z3Q5" * 4),
    ("a GitHub token", "ghp_" + "aB3d" * 9),
    ("a GitHub token", "github_pat_" + "11ABCDEFG0" * 4),
    ("a Google key", "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"),
    ("a Slack token", "xoxb-" + "123456789012-123456789012-aBcDeFgH"),
    ("a Stripe key", "sk_live_" + "aB3dE6gH9kL2" * 2),
    ("a private key", "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nb3BlbnNzaC1rZXk"),
    ("a JSON web token", "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiJhZGEifQ" + ".c2lnbmF0dXJl"),
    ("an address with a password", "postgres://" + "shop:Tr0ub4dor@db.example/shop"),
    ("a token", "Authorization: Bearer " + "9f8e7d6c5b4a39281706f5e4d3c2b1a0"),
    ("a password or key", "password: " + "hunter2"),
    ("a password or key", "none yet for secret: x\nDB_PASSWORD=" + "s3cr3tpw!"),
    ("a password or key", "api_key = '" + "swordfishes" + "'"),
    ("a random-looking string", "cookie '" + "aGVsbG8gd29ybGQgMTIzNDU2Nzg5MEFCQ0RFRkc=" + "'"),
]
HARMLESS = [
    "The secret: be kind to people.",
    "password: see 1Password",
    "api_key: $API_KEY, or ${API_KEY} in the shell",
    "private_key: ~/.ssh/id_ed25519",
    "secret: 'the whole family knows'",
    'password: "<your password>"',
    "password: changeme",
    "Secret Santa is on 2026-12-24; passwords: at least 12 characters",
    "The token bucket allows 100 requests in 10 seconds.",
    "Set ANTHROPIC_API_KEY in the repository's secrets; secret_key: ANTHROPIC_API_KEY",
    "Fixed in 'da39a3ee5e6b4b0d3255bfef95601890afd80709', see " + ID,
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "https://host.example:8080/path@v1 and git@github.com:ada/memory.git",
    "key point: we moved; passport X1234567 to be renewed",
    "AGE-SECRET-KEY-1… is what the key begins with, gitmem1.… a join code",
    "def check(password: str, secret_key: bytes) -> bool: ...",
    "パスワードは毎年変える。鍵は引き出しの中。",
]  # fmt: skip


def memory(**fields):
    return Memory(**{"id": ID, "created": "2026-01-01T00:00:00Z", "body": "text", **fields})


@pytest.mark.parametrize(("kind", "secret"), SECRETS, ids=[kind for kind, _ in SECRETS])
def test_a_secret_is_found_and_named_by_its_kind_alone(kind, secret):
    found = scan([memory(body=f"before {secret} after")])
    assert kind in [one.kind for one in found]
    assert all(one.id == ID and secret not in one.kind for one in found)


@pytest.mark.parametrize("where", ["title", "project", "tags", "topics", "body"])
def test_everything_that_is_shown_is_looked_at(where):
    key = dict(SECRETS)["an AWS key"]
    assert scan([memory(**{where: (key,) if where in ("tags", "topics") else key})])


@pytest.mark.parametrize("text", HARMLESS)
def test_prose_and_ids_raise_no_alarm(text):
    assert scan([memory(body=text)]) == []


def test_a_hundred_real_conversations_raise_no_alarm(data_dir):
    lines = (data_dir / "locomo" / "dev-memories.jsonl").read_text().splitlines()
    everything = [memory(body=one["body"], title=one["title"]) for one in map(json.loads, lines)]
    assert len(everything) == 128 and scan(everything) == []


@pytest.mark.parametrize(
    "text", ["secret key " * 90_000, "'" + "aB1" * 300_000, "pwd:" * 250_000, "eyJ" * 300_000]
)
def test_hostile_texts_cost_no_time(text):
    start = time.perf_counter()
    scan([memory(body=text)])
    assert time.perf_counter() - start < 10

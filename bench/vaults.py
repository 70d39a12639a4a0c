"""Vaults of any size for timing: 640-byte memories over 60 months, sealed commits of 50, packed.

Two corpora. *made-up*: words as common and as rare as real ones, one of them unique. *talk*: sentences of
LoCoMo's conversations, one rare word in each memory; ten speakers and few topics, so that a real question
shares a word with most memories, which is as hard as it gets for a search by words.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gitmem.branch import Branch
from gitmem.flows import create, join
from gitmem.memory.ids import path_of
from gitmem.memory.memory import Memory
from gitmem.repo.repo import Draft, Repo
from gitmem.repo.trees import BLOB_MODE
from gitmem.store import Store
from gitmem.vault.joincode import JoinCode
from gitmem.vault.keys import Identity

_START = 1_577_836_800  # 2020-01-01, in seconds
_SPAN = 60 * 30 * 86_400  # 60 months
_BATCH = 50
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Vault:
    """One vault to time and the environment in which commands find it."""

    path: str
    identity: Identity
    vault_id: str
    state_dir: str

    @property
    def env(self) -> dict[str, str]:
        """The environment for whole commands."""
        return {**os.environ, "GITMEM_KEY": self.identity.text, "GITMEM_VAULT": self.path}

    def open(self) -> Store:
        """The store, in this process."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return Store.open(
            self.path, lambda _: self.identity, ("gitmem", "g@localhost"), lambda: now, str, self.state_dir
        )


def texts(seed: int = 1) -> Iterator[str]:
    """Endless texts of about 560 characters from 20,000 made-up words (Zipf), one of them unique."""
    dice = random.Random(seed)
    vowels, consonants = "aeiou", "bcdfghjklmnprstvwz"
    words = [
        "".join(dice.choice(consonants) + dice.choice(vowels) for _ in range(2 + rank % 3))
        for rank in range(20_000)
    ]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    number = 0
    while True:
        number += 1
        chosen = dice.choices(words, weights, k=80)
        yield f"{' '.join(chosen)[:540]} unique{number:x}"


def talk(sentences: Sequence[str]) -> Iterator[str]:
    """Endless texts of about 540 characters from those sentences, one rare word in each."""
    dice = random.Random(1)
    number = 0
    while True:
        number += 1
        text = ""
        while len(text) < 520:
            text += dice.choice(sentences) + " "
        yield f"{text[:540].rstrip()} unique{number:x}"


def memories(count: int, source: Iterator[str] | None = None) -> Iterator[Memory]:
    """That many memories, evenly over 60 months, ids and all from a fixed seed."""
    dice = random.Random(2)
    for number, text in zip(range(count), source or texts(), strict=False):
        seconds = _START + number * _SPAN // count
        value = seconds * 1000 << 80 | dice.getrandbits(80)
        memory_id = "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -5, -5))
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
        yield Memory(id=memory_id, body=text, title=text[:40], created=created, project=f"p{number % 20}")


def make(
    folder: str, count: int, tell: Callable[[str], None], source: Iterator[str] | None = None, name: str = ""
) -> Vault:
    """A bare vault with ``count`` memories, of made-up words unless ``source`` gives texts."""
    place = os.path.join(folder, f"{name or f'bare-{count}'}.git")
    vault = Vault(place, Identity.generate(), os.urandom(16).hex(), os.path.join(folder, "state"))
    create.create(create.Plan(place, vault.vault_id, vault.state_dir, vault.identity, bare=True))
    repo = Repo.open(place)
    repo.objects._fsync = False  # noqa: SLF001  (making the vault is not what is timed)
    branch = Branch(repo, lambda _: vault.identity, vault.state_dir)
    store = Store(branch, lambda: "", str)
    tip = branch.tip()
    batch: dict[str, tuple[bytes, str] | None] = {}
    for number, memory in enumerate(memories(count, source), start=1):
        batch[path_of(memory.id)] = (BLOB_MODE, store.put(memory))
        if len(batch) == _BATCH or number == count:
            tip = branch.seal(Draft((tip,), repo.tree(tip), batch, "write"))
            batch = {}
        if number % 10_000 == 0:
            tell(f"{number} of {count} memories")
    with repo.lock:
        branch.advance(branch.tip(), tip)
    repo.close()
    subprocess.run(["git", "-C", place, "repack", "-adq"], check=True)
    subprocess.run(["git", "-C", place, "prune-packed", "-q"], check=True)
    return vault


def clone(vault: Vault, folder: str, *, sparse: bool) -> Vault:
    """The same vault with a work tree and no remote; ``sparse`` keeps the memories out of it."""
    place = os.path.join(folder, f"{'sparse' if sparse else 'full'}-{os.path.basename(vault.path)[5:-4]}")
    code = JoinCode(vault.path, "main", vault.vault_id, vault.identity.text)
    limit = join.SPARSE_FROM
    try:
        join.SPARSE_FROM = 1 << 60
        join.join(code, place, os.path.join(folder, f"state-{os.path.basename(place)}"), sparse=sparse)
    finally:
        join.SPARSE_FROM = limit
    subprocess.run(["git", "-C", place, "remote", "remove", "origin"], check=True)
    return Vault(
        place, vault.identity, vault.vault_id, os.path.join(folder, f"state-{os.path.basename(place)}")
    )

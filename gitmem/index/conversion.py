"""From the weights of all-MiniLM-L6-v2, as published, to the small int8 files that gitmem runs.

A weight is kept as a whole number from -63 to 63 and one scale for each column of its matrix (each row of the
table of words). Seven bits, not eight: processors without VNNI add pairs of products in 16 bits and would
overflow, so their vectors would be others than a newer processor's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gitmem.index.onnxfile import CONTRIBUTED, FLOAT, INT8, INT64, Graph
from gitmem.index.vectors import SIZE

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float32]]
    Bytes = np.ndarray[Any, np.dtype[np.int8]]

NAME = "all-MiniLM-L6-v2 int8 1"  # the last number changes with anything below: vectors are made anew then
ENCODER, WORDS, PLACES, PIECES = "encoder.onnx", "words.bin", "places.bin", "vocab.txt"
LONGEST = 256  # pieces of words that the model was trained for
_LAYERS, _HEADS = 6, 12
_STEPS = 63
_EPSILON = 1e-12


def convert(safetensors: bytes) -> Iterator[tuple[str, bytes]]:
    """The files of the model by name, one after the other, from the weights in the format "safetensors".

    Raises:
        ImportError: numpy is missing.
    """
    weights = _Weights(safetensors)
    yield WORDS, _words(weights["embeddings.word_embeddings.weight"])
    places = weights["embeddings.position_embeddings.weight"][:LONGEST]
    yield PLACES, _little(places + weights["embeddings.token_type_embeddings.weight"][0])
    yield ENCODER, _Encoder(weights).file()


class _Weights:
    """The tensors of a file in the format "safetensors": a length, a table in JSON, the numbers."""

    def __init__(self, content: bytes) -> None:
        size = int.from_bytes(content[:8], "little")
        self._table: dict[str, Any] = json.loads(content[8 : 8 + size])
        self._numbers = memoryview(content)[8 + size :]

    def __getitem__(self, name: str) -> Floats:
        import numpy as np

        entry = self._table[name]
        start, end = entry["data_offsets"]
        return np.frombuffer(self._numbers[start:end], "<f4").reshape(entry["shape"])


class _Encoder:
    """The network from the sum of the embeddings of a text's pieces to the mean of its last layer."""

    def __init__(self, weights: _Weights) -> None:
        self._weights = weights
        self._graph = Graph()

    def file(self) -> bytes:
        graph = self._graph
        state = graph.apply(
            "LayerNormalization", "pieces", *self._norm("embeddings.LayerNorm"), epsilon=_EPSILON, axis=-1
        )
        for number in range(_LAYERS):
            state = self._layer(state, f"encoder.layer.{number}.")
        mean = graph.apply("ReduceMean", state, axes=(1,), keepdims=0)
        return graph.file(("pieces", ("texts", "length", SIZE)), (mean, ("texts", SIZE)))

    def _layer(self, state: str, name: str) -> str:
        import numpy as np

        graph, weights = self._graph, self._weights
        parts = [f"{name}attention.self.{part}" for part in ("query", "key", "value")]
        joined = self._times(
            state,
            np.concatenate([weights[f"{part}.weight"] for part in parts]),
            np.concatenate([weights[f"{part}.bias"] for part in parts]),
        )
        thirds = graph.constant(INT64, (3,), np.full(3, SIZE, "<i8").tobytes())
        split = graph.apply_all("Split", joined, thirds, outputs=3, axis=-1)
        seen = graph.apply("MultiHeadAttention", *split, domain=CONTRIBUTED, num_heads=_HEADS)
        state = self._onto(
            state, self._dense(seen, f"{name}attention.output.dense"), f"{name}attention.output"
        )
        inner = graph.apply("Gelu", self._dense(state, f"{name}intermediate.dense"), domain=CONTRIBUTED)
        return self._onto(state, self._dense(inner, f"{name}output.dense"), f"{name}output")

    def _dense(self, state: str, name: str) -> str:
        return self._times(state, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _times(self, state: str, weight: Floats, bias: Floats) -> str:
        """``state`` by the matrix ``weight`` (a row for each output), as whole numbers, plus ``bias``."""
        whole, scales = _whole(weight)
        graph = self._graph
        matrix = graph.constant(INT8, whole.T.shape, whole.T.tobytes())
        return graph.apply(
            "DynamicQuantizeMatMul", state, matrix, self._row(scales), "", self._row(bias), domain=CONTRIBUTED
        )

    def _onto(self, state: str, change: str, name: str) -> str:
        return self._graph.apply(
            "SkipLayerNormalization",
            state,
            change,
            *self._norm(f"{name}.LayerNorm"),
            domain=CONTRIBUTED,
            epsilon=_EPSILON,
        )

    def _norm(self, name: str) -> tuple[str, str]:
        return self._row(self._weights[f"{name}.weight"]), self._row(self._weights[f"{name}.bias"])

    def _row(self, numbers: Floats) -> str:
        return self._graph.constant(FLOAT, numbers.shape, _little(numbers))


def _words(table: Floats) -> bytes:
    """Each row of the table: its scale, then its numbers."""
    import numpy as np

    rows = np.empty(len(table), word_rows())
    rows["numbers"], rows["scale"] = _whole(table, 127)
    return rows.tobytes()


def word_rows() -> np.dtype[np.void]:
    """How a row of the table of words lies in its file."""
    import numpy as np

    return np.dtype([("scale", "<f4"), ("numbers", "i1", (SIZE,))])


def _whole(rows: Floats, steps: int = _STEPS) -> tuple[Bytes, Floats]:
    """Whole numbers from ``-steps`` to ``steps`` for each row, and what they are to be multiplied with."""
    import numpy as np

    scales = np.abs(rows).max(axis=1) / np.float32(steps)
    scales[scales == 0] = 1
    return np.rint(rows / scales[:, None]).astype("i1"), scales


def _little(numbers: Floats) -> bytes:
    return numbers.astype("<f4").tobytes()

"""What the index asks of a model that turns texts into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Embedder(Protocol):
    """A model whose vectors lie near each other when texts mean the same.

    ``name`` stands for the weights and everything that was done to them: vectors of different names do not
    compare, and an index keeps those of one.
    """

    @property
    def name(self) -> str:
        """The model, its version and how it was converted."""
        ...

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """One vector for each text: ``vectors.SIZE`` signed bytes, 127 times a vector of length 1.

        A text's vector depends on nothing but the text. Nothing comes out when the model cannot be run: then
        words have to do.
        """
        ...

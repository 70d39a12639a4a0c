"""all-MiniLM-L6-v2 in whole numbers of eight bits, run by onnxruntime: texts in, unit vectors out.

Each text is run alone, by one thread. A batch would be a fifth faster, but what the network multiplies is
scaled by the largest number in the batch: a text's vector would depend on its company, and a rebuilt index
rank otherwise. Threads that share a text wait for each other forty times, and long when the machine is busy.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gitmem.index.conversion import ENCODER, LONGEST, NAME, PIECES, PLACES, WORDS, word_rows
from gitmem.index.vectors import SIZE
from gitmem.index.wordpiece import WordPiece

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime

_AT_ONCE = 2  # texts


class MiniLM:
    """A loaded model."""

    name = NAME

    def __init__(
        self, session: onnxruntime.InferenceSession, words: Any, places: Any, pieces: WordPiece
    ) -> None:
        self._session, self._words, self._places, self._pieces = session, words, places, pieces
        from concurrent.futures import ThreadPoolExecutor

        self._pool = ThreadPoolExecutor(_AT_ONCE)

    @classmethod
    def load(cls, folder: str) -> MiniLM:
        """The model whose files lie in ``folder``.

        Raises:
            ImportError: numpy or onnxruntime is missing, or does not fit this machine.
            Exception: a file is missing or is not what it should be; those of onnxruntime have no class in
                common.
        """
        import numpy as np
        import onnxruntime

        with open(os.path.join(folder, PIECES), encoding="utf-8") as file:
            pieces = WordPiece(file.read())
        words = np.memmap(os.path.join(folder, WORDS), word_rows(), "r")  # few of its rows are ever read
        places = np.fromfile(os.path.join(folder, PLACES), "<f4").reshape(LONGEST, SIZE)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what it has to say comes as exceptions
        session = onnxruntime.InferenceSession(
            os.path.join(folder, ENCODER), options, providers=["CPUExecutionProvider"]
        )
        return cls(session, words, places, pieces)

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """One vector for each text: 384 signed bytes, 127 times a vector of length 1."""
        return list(self._pool.map(self._vector, texts) if len(texts) > 1 else map(self._vector, texts))

    def _vector(self, text: str) -> bytes:
        import numpy as np

        mean = self.mean(text)
        return bytes(np.rint(mean * (127 / np.linalg.norm(mean))).astype("i1").tobytes())

    def mean(self, text: str) -> np.ndarray[Any, np.dtype[np.float32]]:
        """What the network says to ``text``, neither of length 1 nor rounded."""
        rows = self._words[self._pieces.numbers(text, LONGEST)]
        given = rows["numbers"] * rows["scale"][:, None] + self._places[: len(rows)]
        found: np.ndarray[Any, np.dtype[np.float32]] = self._session.run(None, {"pieces": given[None]})[0][0]
        return found


class Installed:
    """The model in a folder, loaded when it is first used; when it cannot be, it gives no vectors."""

    name = NAME

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._model: MiniLM | None = None
        self.failure = ""  # why it gives none

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """As for :class:`MiniLM`; nothing when the model is missing or damaged, or cannot run here."""
        try:
            if self._model is None and not self.failure:
                self._model = MiniLM.load(self._folder)
            return self._model.embed(texts) if self._model else []
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the model, words still find
            self._model, self.failure = None, f"{type(error).__name__}: {error}"
            return []

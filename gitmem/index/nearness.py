"""How near in meaning passages are to a question: what vectors add to a search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from gitmem.index.filters import Filters, numbers_of
from gitmem.index.schema import passage_of, passage_row
from gitmem.index.vectors import Cosines, Vectors, names_out
from gitmem.index.windows import Parted, Place

if TYPE_CHECKING:
    from gitmem.index.embedder import Embedder

_WEIGHTS = (0.7, 0.3)  # of the question as typed, and without its names
_CANDIDATES = 100  # passages that may be found for their vectors alone


class Near(NamedTuple):
    """Nearness and cosine of a passage: the one from 0 to 1 within a search, the other the same in all."""

    share: float
    cosine: float


def nearest(
    connection: Any, query: str, filters: Filters, embedder: Embedder | None, vectors: Vectors
) -> Cosines | None:
    """What ``embedder`` finds for a question, asked as typed and without names; None without vectors.

    Raises:
        InvalidMemoryError: a filter's date is none.
    """
    if embedder is None:
        return None
    hidden, allowed = numbers_of(connection, filters)
    return vectors.cosines(connection, embedder, (query, names_out(query)), hidden, allowed)


def best_places(cosines: Cosines | None) -> list[Place]:
    """Memory number and passage of what may be found for its vector alone."""
    return [passage_of(row)[:2] for row in cosines.best(_CANDIDATES)] if cosines is not None else []


def shares(cosines: Cosines, places: Iterable[Place], examined: Mapping[int, Parted]) -> dict[Place, Near]:
    """The nearness of those places that have a vector; ``examined`` holds all that have several."""
    rows = {}
    for number, k in places:
        several = number in examined and examined[number].size > 1
        rows[passage_row(number, k, several=several)] = (number, k)
    bounds = cosines.bounds()
    found = {}
    for row, values in cosines.of(rows).items():
        scaled = [_scaled(value, *bound) for value, bound in zip(values, bounds, strict=True)]
        share = sum(weight * one for weight, one in zip(_WEIGHTS, scaled, strict=True))
        found[rows[row]] = Near(share, max(values))
    return found


def _scaled(value: float, low: float, high: float) -> float:
    # Squared: only what is nearest says something; most passages are somewhere in the middle.
    return ((value - low) / (high - low)) ** 2 if high > low else 1.0

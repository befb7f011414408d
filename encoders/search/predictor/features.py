"""Cells as rows of numbers: what a predictor other than a network reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction import DictVectorizer

from ..space.canonical import canonical
from ..space.grammar import Cell
from .path_costs import path_costs
from .propagation import propagation
from .structure import ends, paths

Array = NDArray[Any]


Level = Literal["counts", "structure", "propagation"]


class CellFeatures:
    """Rows of numbers; the columns of counts are those that the first cells have.

    ``counts`` is operations, pairs, paths and ways into the output; ``structure`` adds what paths
    cost; ``propagation`` adds what signals do in the untrained cell, some 50 ms each.
    """

    def __init__(self, level: Level = "structure") -> None:
        self.level = level
        self._columns = DictVectorizer(sparse=False, dtype=np.float32)

    def fit_transform(self, cells: Sequence[Cell]) -> Array:
        """The rows (cells, columns) of the cells that set the columns."""
        return self._joined(self._columns.fit_transform(map(_counted, cells)), cells)

    def transform(self, cells: Sequence[Cell]) -> Array:
        """The rows (cells, columns) of other cells; a count without a column is left out."""
        return self._joined(self._columns.transform(map(_counted, cells)), cells)

    def _joined(self, counted: Array, cells: Sequence[Cell]) -> Array:
        parts = [counted]
        if self.level != "counts":
            parts.append(np.stack([_costs(cell) for cell in cells]))
        if self.level == "propagation":
            parts.append(np.stack([_propagated(cell) for cell in cells]))
        return np.hstack(parts)


# A search asks about the same cells after every fit.
_KEPT = 1 << 15


@lru_cache(_KEPT)
def _counted(cell: Cell) -> Counter[str]:
    cell = canonical(cell)
    return paths(cell) + ends(cell)


@lru_cache(_KEPT)
def _costs(cell: Cell) -> Array:
    return path_costs(cell)


@lru_cache(_KEPT)
def _propagated(cell: Cell) -> Array:
    return propagation(cell)

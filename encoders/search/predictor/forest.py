"""The rival of the ranking predictor: a random forest on counts and paths of operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.ensemble import RandomForestRegressor

from ..space.grammar import Cell
from .features import CellFeatures, Level

Array = NDArray[Any]


class ForestPredictor:
    """Scores of cells, the lower the better, by squared error of the ranks of their losses.

    (Breiman 2001.) It reads how often each operation, each pair, each path and each way into the
    output stands in a cell, or more: the levels of ``features.CellFeatures``.
    """

    def __init__(self, level: Level = "counts", trees: int = 100, seed: int = 0) -> None:
        self._features = CellFeatures(level)
        self._forest = RandomForestRegressor(trees, max_features=1 / 3, random_state=seed)

    def fit(self, cells: Sequence[Cell], losses: Sequence[float]) -> ForestPredictor:
        """Fit to cells and their losses; inf is the last rank of all."""
        self._forest.fit(self._features.fit_transform(cells), rankdata(losses))
        return self

    def predict(self, cells: Sequence[Cell]) -> Array:
        """The expected rank (cells,) among the cells fitted to, from 1."""
        ranks: Array = self._forest.predict(self._features.transform(cells))
        return ranks

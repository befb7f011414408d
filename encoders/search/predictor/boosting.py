"""Boosted trees on the pairwise ranking loss.

(Friedman 2001, Ann. Statist. 29, algorithm 1, with Newton's step of each leaf; Burges 2010,
MSR-TR-2010-82, section 3, boosts a ranking loss this way.)
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.tree import DecisionTreeRegressor

from .ranking_loss import ranking_derivatives

Array = NDArray[Any]
Loss = Literal["pairwise", "squared"]

_LEAST_CURVATURE = 1e-6  # of a cell next to the mean one, so that a sure pair cannot throw a tree


class BoostedTrees:
    """Scores, the lower the better, that rank rows of features as their targets do.

    ``loss`` is the pairwise one, or the squared error of the standardised targets. Each tree sees
    ``rows`` of the rows and, at each split, ``columns`` of the features.
    """

    def __init__(
        self,
        loss: Loss = "pairwise",
        trees: int = 150,
        rate: float = 0.1,
        depth: int = 5,
        leaf: int = 3,
        rows: float = 0.7,
        columns: float = 0.2,
        seed: int = 0,
    ) -> None:
        self.loss, self.trees, self.rate, self.depth = loss, trees, rate, depth
        self.leaf, self.rows, self.columns, self.seed = leaf, rows, columns, seed
        self._fitted: list[DecisionTreeRegressor] = []

    def fit(self, features: Array, targets: Array) -> BoostedTrees:
        """Fit to (cells, features) and finite targets (cells,)."""
        features = np.ascontiguousarray(features, np.float32)
        targets = (targets - targets.mean()) / (targets.std() or 1.0)
        generator = np.random.default_rng(self.seed)
        scores = np.zeros(len(targets))
        seen = max(2, round(self.rows * len(targets)))
        self._fitted = []
        # On so few rows, most of a tree's time would go into checks of what is known to be sound.
        with config_context(skip_parameter_validation=True):
            for _ in range(self.trees):
                rows = generator.permutation(len(targets))[:seen]
                step, weight = self._newton(scores[rows], targets[rows])
                tree = DecisionTreeRegressor(
                    max_depth=self.depth,
                    max_features=self.columns,
                    min_samples_leaf=self.leaf,
                    random_state=int(generator.integers(2**31)),
                ).fit(features[rows], step, sample_weight=weight, check_input=False)
                scores += self.rate * tree.predict(features, check_input=False)
                self._fitted.append(tree)
        return self

    def _newton(self, scores: Array, targets: Array) -> tuple[Array, Array]:
        """The step that each row asks for, and how much it weighs."""
        if self.loss == "squared":
            return targets - scores, np.ones(len(targets))
        gradient, curvature = ranking_derivatives(scores, targets)
        floor = _LEAST_CURVATURE * curvature.mean() + np.finfo(float).tiny
        curvature = np.maximum(curvature, floor)
        return -gradient / curvature, curvature

    def predict(self, features: Array) -> Array:
        """The scores (cells,) of (cells, features)."""
        features = np.ascontiguousarray(features, np.float32)
        total = np.zeros(len(features))
        for tree in self._fitted:
            total += self.rate * tree.predict(features, check_input=False)
        return total

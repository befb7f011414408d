"""A predictor of which cell is better, fitted to cells whose losses are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ....core.errors import UsageError, did_you_mean
from ..space.grammar import Cell
from .boosting import BoostedTrees
from .cell_tensor import cell_tensors
from .features import CellFeatures, Level
from .network import GraphNetwork, TensorNetwork
from .network_fit import NetworkRegressor

Array = NDArray[Any]
Model = Literal["trees", "graph", "convolution"]
Loss = Literal["pairwise", "squared"]

LEAST = 10  # cells to fit to
_FOLDS = 5
_SIZE = 19  # of the tensors that a convolution reads: the input, and 18 nodes


class _Member(Protocol):
    def fit(self, features: Array, targets: Array) -> object: ...

    def predict(self, features: Array) -> Array: ...


class RankingPredictor:
    """Scores of cells, the lower the better; their order is what they say.

    (ReNAS: Xu et al. 2021, arXiv 1910.01523.) ``model`` is ``trees``, boosted on ``features`` (a
    level of ``features.CellFeatures``); ``graph``, messages along the edges of the cell's tensor;
    or ``convolution``, the published network over it. ``loss`` is over pairs, or squared; both see
    the ranks of the losses. Each of ``members`` leaves out another fifth of the cells (a smaller
    part if there are more than five), and the score is their mean. What a member left out tells how
    far its scores can be trusted: ``held_out``.
    """

    held_out: Array
    """After ``fit``, the score (cells,) of each cell by the member that did not see it, or nan."""

    def __init__(
        self,
        model: Model = "trees",
        loss: Loss = "pairwise",
        members: int = _FOLDS,
        seed: int = 0,
        features: Level = "structure",
    ) -> None:
        for name, value, known in (
            ("model", model, Model),
            ("loss", loss, Loss),
            ("features", features, Level),
        ):
            if value not in get_args(known):
                raise UsageError(
                    f"the ranking predictor has none of this name: {value!r}",
                    where=name,
                    cure=did_you_mean(value, get_args(known)),
                )
        if members < 1:
            raise UsageError(f"{members} members", where="members", cure="take 1 or more")
        self.model, self.loss, self.members, self.seed = model, loss, members, seed
        self.features = features
        self._fitted: list[_Member] = []

    def fit(self, cells: Sequence[Cell], losses: Sequence[float]) -> RankingPredictor:
        """Fit to cells and their losses; inf, a training that diverged, is the last rank of all.

        UsageError for fewer than ten cells, for nan, and for losses that are all equal.
        """
        targets = _ranks(cells, losses)
        rows = self._rows(cells, fit=True)
        parts = np.random.default_rng(self.seed).permutation(len(cells))
        folds = np.array_split(parts, min(max(self.members, _FOLDS), len(cells)))
        self.held_out = np.full(len(cells), np.nan)
        self._fitted = []
        for number, out in enumerate(folds[: self.members]):
            seen = np.setdiff1d(parts, out)
            member = self._member(self.seed + 1000 * number)
            member.fit(rows[seen], targets[seen])
            self.held_out[out] = member.predict(rows[out])
            self._fitted.append(member)
        return self

    def predict(self, cells: Sequence[Cell]) -> Array:
        """The scores (cells,). UsageError before a fit.

        DataError for a cell of more than 18 nodes where the model is ``convolution``.
        """
        if not self._fitted:
            raise UsageError("not fitted", where="ranking predictor", cure="call fit first")
        rows = self._rows(cells, fit=False)
        scores: Array = np.mean([member.predict(rows) for member in self._fitted], axis=0)
        return scores

    def _rows(self, cells: Sequence[Cell], fit: bool) -> Array:
        if self.model == "trees":
            if fit:
                self._structure = CellFeatures(self.features)
                return self._structure.fit_transform(cells)
            return self._structure.transform(cells)
        # Messages go along edges whatever the size; a convolution ends in a layer of one size.
        return cell_tensors(cells, None if self.model == "graph" else _SIZE)

    def _member(self, seed: int) -> _Member:
        if self.model == "trees":
            return BoostedTrees(self.loss, seed=seed)
        make = TensorNetwork if self.model == "convolution" else _graph
        return NetworkRegressor(make, self.loss, seed=seed)


def _graph(size: int) -> GraphNetwork:
    del size  # any will do
    return GraphNetwork()


def _ranks(cells: Sequence[Cell], losses: Sequence[float]) -> Array:
    """Ranks of the losses, equal ones in the middle of theirs."""
    where = "ranking predictor"
    if len(cells) != len(losses) or len(cells) < LEAST:
        raise UsageError(
            f"{len(cells)} cells and {len(losses)} losses",
            where=where,
            cure=f"give as many of both, {LEAST} or more",
        )
    known = np.asarray(losses, float)
    if np.isnan(known).any():
        raise UsageError("a loss is nan", where=where, cure="give inf for what diverged")
    if len(set(known.tolist())) == 1:
        raise UsageError(f"all losses are {known[0]:g}", where=where, cure="give cells that differ")
    ranks: Array = rankdata(known)
    return ranks

"""What an encoder will cost, told from its description: a time, a peak of memory, a training.

A cost is taken for a sum of what its parts cost, each at least 0, and boosted trees correct the sum
by a factor. Intervals are those of cross-conformal prediction on the logarithm of the cost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from sklearn.ensemble import HistGradientBoostingRegressor

from ...core.errors import DataError, UsageError
from ...core.files import read_json, write_json

Floats = NDArray[np.float64]

_FORMAT = "layerwise cost model"
_VERSION = 1
_FEWEST = 4  # measurements
_ROUNDS = 10  # of reweighting
_LEAF = 20  # measurements, at least
_ONE = "one"  # a part that every cost has


class CostModel:
    """Costs from descriptions, in the unit that it was fitted in, with intervals.

    ``source`` is a model of another device or another cost: its measurements, scaled to these, then
    weigh as much as one of these, and tell what few measurements leave open. ``folds`` is the
    number of parts that the measurements are cut into for the intervals; as many as measurements,
    if those are fewer.
    """

    def __init__(self, folds: int = 10, seed: int = 0, source: CostModel | None = None) -> None:
        if folds < 2:
            raise UsageError(f"{folds} folds", where="CostModel", cure="take two or more")
        self.folds, self.seed, self.source = folds, seed, source
        self.facts: dict[str, Any] = {}
        """What was measured, and of what; kept in the file."""
        self.names: tuple[str, ...] = ()
        self._features: list[dict[str, float]] = []

    def fit(self, features: Sequence[Mapping[str, float]], costs: Sequence[float]) -> CostModel:
        """Learn from descriptions and what each cost; a count that is absent is 0.

        UsageError for fewer than four, for counts below 0 and for costs that are not above 0.
        """
        measured = np.asarray(costs, dtype=float)
        if len(features) != len(measured) or len(measured) < _FEWEST:
            raise UsageError(
                f"{len(features)} descriptions and {len(measured)} costs",
                where="cost model",
                cure=f"give at least {_FEWEST} of each, as many of one as of the other",
            )
        if not (np.isfinite(measured) & (measured > 0)).all():
            raise UsageError(
                "a cost is not above 0", where="cost model", cure="leave failed measurements out"
            )
        told = [*features, *(self.source._features if self.source else [])]
        self.names = tuple(sorted({name for each in told for name in each} | {_ONE}))
        self._features = [dict(each) for each in features]
        self._rows, self._costs = self._matrix(features), measured
        if not (np.isfinite(self._rows) & (self._rows >= 0)).all():
            raise UsageError("a count is below 0, or none", where="cost model")
        self._prepare_source(features)
        self._whole = self._fitted(np.ones(len(measured), dtype=bool))
        self._cross_fit()
        return self

    def predict(self, features: Sequence[Mapping[str, float]]) -> Floats:
        """What each will cost."""
        return np.exp(self._whole.predict(self._matrix(features)))

    def interval(
        self, features: Sequence[Mapping[str, float]], confidence: float = 0.9
    ) -> tuple[Floats, Floats]:
        """Between what each will cost, in ``confidence`` of cases: lower and upper bounds.

        (CV+; Barber et al. 2021, Ann. Statist. 49, section 3, after Vovk 2015 and with absolute
        errors of the logarithm.) It is sure of 2 ``confidence`` - 1 where descriptions are drawn
        as those that were measured, and has mostly ``confidence``. 0 and inf where there are too
        few measurements to tell.
        """
        if not 0 < confidence < 1:
            raise UsageError(
                f"{confidence} is no share of cases", where="confidence", cure="such as 0.9"
            )
        rows = self._matrix(features)
        # (descriptions, measurements): what the model without a measurement says, and its error.
        said = np.stack([part.predict(rows) for part in self._parts], axis=1)[:, self._part_of]
        count = len(self._costs)
        # Rounding must not push an exact rank, such as 0.9 * 10, to the next.
        rank = math.ceil(confidence * (count + 1) - 1e-9)
        if rank > count:
            return np.zeros(len(rows)), np.full(len(rows), np.inf)
        low = np.sort(said - self._errors, axis=1)[:, count - rank]
        high = np.sort(said + self._errors, axis=1)[:, rank - 1]
        return np.exp(low), np.exp(high)

    def outside(self, features: Mapping[str, float]) -> list[str]:
        """The counts of a description that are beyond what was measured: there it is a guess."""
        low, high = self._rows.min(axis=0), self._rows.max(axis=0)
        (row,) = self._matrix([features])
        return [
            *(n for n, x, a, b in zip(self.names, row, low, high, strict=True) if not a <= x <= b),
            *sorted(n for n, value in features.items() if n not in self.names and value),
        ]

    def save(self, path: Path) -> None:
        """Keep the measurements as JSON: ``load`` fits anew, which gives the same model."""
        write_json(path, self._document())

    @classmethod
    def load(cls, path: Path) -> CostModel:
        """Read what ``save`` wrote. DataError for any other file."""
        document = read_json(path)
        try:
            return cls._of(document)
        except (UsageError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                "is no cost model", where=str(path), cure="make one with `probe cost fit`"
            ) from error

    def _document(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "version": _VERSION,
            "folds": self.folds,
            "seed": self.seed,
            "facts": self.facts,
            "features": self._features,
            "costs": self._costs.tolist(),
            "source": self.source._document() if self.source else None,
        }

    @classmethod
    def _of(cls, document: Mapping[str, Any]) -> CostModel:
        if (document["format"], document["version"]) != (_FORMAT, _VERSION):
            raise ValueError("another format")
        source = cls._of(document["source"]) if document["source"] else None
        model = cls(int(document["folds"]), int(document["seed"]), source)
        model.facts = dict(document["facts"])
        return model.fit(document["features"], document["costs"])

    def _matrix(self, features: Sequence[Mapping[str, float]]) -> Floats:
        return np.array(
            [[1.0 if n == _ONE else float(each.get(n, 0)) for n in self.names] for each in features]
        )

    def _prepare_source(self, features: Sequence[Mapping[str, float]]) -> None:
        if self.source is not None:
            self._ratios = self._costs / self.source.predict(features)
            self._source_rows = self._matrix(self.source._features)

    def _fitted(self, these: NDArray[np.bool_]) -> PartsAndTrees:
        """An estimator that knows some of the measurements, and the source's by their scale."""
        prior = None
        if self.source is not None:
            scale = float(np.median(self._ratios[these]))
            prior = self._source_rows, scale * self.source._costs
        return PartsAndTrees(self.seed).fit(self._rows[these], self._costs[these], prior)

    def _cross_fit(self) -> None:
        count = len(self._costs)
        order = np.random.default_rng(self.seed).permutation(count)
        self._part_of = np.empty(count, dtype=int)
        self._part_of[order] = np.arange(count) % min(self.folds, count)
        self._errors = np.empty(count)
        self._parts = []
        for at in range(min(self.folds, count)):
            held_out = self._part_of == at
            part = self._fitted(~held_out)
            error = np.log(self._costs[held_out]) - part.predict(self._rows[held_out])
            self._errors[held_out] = np.abs(error)
            self._parts.append(part)


class PartsAndTrees:
    """A sum of parts, each at least 0, with the least absolute error relative to the cost.

    Trees, boosted on the absolute error of the logarithm (Friedman 2001, Ann. Statist. 29,
    algorithm 3), then learn a factor. Absolute errors, for a time that was disturbed is far off.
    """

    def __init__(self, seed: int = 0) -> None:
        self._trees = HistGradientBoostingRegressor(
            loss="absolute_error",
            max_iter=150,
            learning_rate=0.05,
            max_leaf_nodes=8,
            min_samples_leaf=_LEAF,
            early_stopping=False,
            random_state=seed,
        )

    def fit(
        self, rows: Floats, costs: Floats, prior: tuple[Floats, Floats] | None = None
    ) -> PartsAndTrees:
        """Fit the sum to rows (rows, counts) and costs (rows,), then the trees to what it leaves.

        All rows and costs of ``prior`` together weigh as much as one row, in the sum alone.
        """
        known, all_costs, share = rows, costs, np.ones(len(rows))
        if prior is not None:
            known = np.concatenate([rows, prior[0]])
            all_costs = np.concatenate([costs, prior[1]])
            share = np.concatenate([share, np.full(len(prior[1]), len(prior[1]) ** -0.5)])
        largest = known.max(axis=0)
        parts = known / np.where(largest > 0, largest, 1) / all_costs[:, None]  # (rows, counts)
        weight = share
        # Least absolute errors, by least squares weighted anew each time (Schlossmacher 1973).
        for _ in range(_ROUNDS):
            prices, _ = nnls(parts * weight[:, None], weight)
            off = np.abs(parts @ prices - 1)
            usual = max(np.median(off[: len(rows)]), 1e-9)
            weight = share / np.sqrt(np.maximum(off, usual))
        self.prices = prices / np.where(largest > 0, largest, 1)  # (counts,) in the cost's unit
        # What has no part that costs anything still costs something.
        self._least = float(costs.min()) / 10
        left = np.log(costs) - self._sum(rows)  # (rows,)
        # Fewer than two leaves' worth make no tree: what is left is the constant of them all.
        self._constant = float(np.median(left)) if len(rows) < 2 * _LEAF else None
        if self._constant is None:
            self._trees.fit(rows, left)
        return self

    def predict(self, rows: Floats) -> Floats:
        """Logarithms (rows,)."""
        if self._constant is not None:
            return self._sum(rows) + self._constant
        corrected: Floats = self._sum(rows) + self._trees.predict(rows)
        return corrected

    def _sum(self, rows: Floats) -> Floats:
        logarithm: Floats = np.log(np.maximum(rows @ self.prices, self._least))
        return logarithm

"""How well one number ranks things as another does: Kendall's tau, with intervals by thing.

Signed, positive where both rise together. All intervals over the same things with the same seed
draw the same things: differences between them are paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimated:
    """A number with the bounds of its interval."""

    value: float
    low: float
    high: float

    @property
    def is_told(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


class Ranked:
    """Some things, and resamples of them to compare rankings on.

    The bootstrap draws things with replacement (Efron and Tibshirani 1993, chapter 13): a thing
    that is drawn twice is tied with itself. Raises DataError for fewer than three things.
    """

    def __init__(self, count: int, replicates: int = 2000, seed: int = 0) -> None:
        if count < 3:
            raise DataError(f"{count} things cannot be ranked", where="rank agreement")
        drawn = np.random.default_rng(seed).integers(count, size=(replicates, count))
        drawn += np.arange(replicates)[:, None] * count
        weights = np.bincount(drawn.ravel(), minlength=replicates * count)
        self.count = count
        self._weights = np.concatenate(
            [np.ones((1, count)), weights.reshape(replicates, count).astype(float)]
        )  # (1 + replicates, count); the first is all things, once each

    def tau(self, first: Sequence[float], second: Sequence[float]) -> Estimated:
        """Kendall's tau-b of two numbers of each thing; 0 where either is the same for all."""
        return _estimated(self.taus(first, second))

    def difference(
        self, first: Sequence[float], second: Sequence[float], target: Sequence[float]
    ) -> Estimated:
        """How much better ``first`` ranks as ``target`` than ``second`` does."""
        return _estimated(self.taus(first, target) - self.taus(second, target))

    def taus(self, first: Sequence[float], second: Sequence[float]) -> Floats:
        """Of all things and of each resample, (1 + replicates,)."""
        x, y = self._signs(first), self._signs(second)
        shared = np.sqrt(self._pairs(x * x) * self._pairs(y * y))
        return np.divide(self._pairs(x * y), shared, out=np.zeros(len(shared)), where=shared > 0)

    def _signs(self, values: Sequence[float]) -> Floats:
        """The order of each pair, (count, count), of -1, 0 and 1; infinite numbers have a place."""
        if len(values) != self.count or np.isnan(values).any():
            raise DataError(
                f"{len(values)} numbers for {self.count} things, or one that is none",
                where="rank agreement",
            )
        places = np.unique(values, return_inverse=True)[1]
        return np.asarray(np.sign(places[:, None] - places[None, :]), dtype=float)

    def _pairs(self, of: Floats) -> Floats:
        """The sum over pairs, in each resample."""
        return np.asarray(((self._weights @ of) * self._weights).sum(axis=1))


def _estimated(values: Floats) -> Estimated:
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Estimated(float(values[0]), float(low), float(high))

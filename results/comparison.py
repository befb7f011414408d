"""The difference between two systems on the same targets, and what the test set can tell of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from ..core.errors import DataError
from .permutation import PermutationTest, Statistic, paired_permutation_test
from .records import Interval
from .statistics import seeded_bootstrap_interval

ALPHA = 0.05
POWER = 0.8

_BLOCK_VALUES = 4_000_000  # values held at a time: 32 MB


@dataclass(frozen=True)
class PairedDifference:
    """The scores of two systems, and the first's less the second's.

    ``interval`` is that of the difference, None with one cluster; ``detectable`` the smallest
    difference that such a test set shows, None where the systems never differ. Of several seeds,
    scores are means.
    """

    first: float
    second: float
    interval: Interval | None
    test: PermutationTest
    detectable: float | None
    clusters: int
    seeds: int

    @property
    def difference(self) -> float:
        """The first score less the second."""
        return self.test.difference


def paired_difference(
    statistic: Statistic,
    first: NDArray[Any],
    second: NDArray[Any],
    *,
    replicates: int = 1000,
    swaps: int = 10_000,
    seed: int = 0,
) -> PairedDifference:
    """Compare two systems by counts of shape (seeds, clusters, ...), the same for both.

    ``statistic`` maps sums of counts over clusters, (any number, ...), to scores. The interval
    is the paired two-level bootstrap of ``seeded_bootstrap_interval``; the test swaps clusters
    whole, with all their seeds, and takes the seeds as given. Raises DataError for counts that do
    not fit each other.
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape or first.ndim < 2 or 0 in first.shape[:2]:
        raise DataError(f"{first.shape} and {second.shape} are no counts of the same clusters")
    by_cluster = np.swapaxes(first, 0, 1), np.swapaxes(second, 0, 1)

    def mean_over_seeds(sums: NDArray[Any]) -> NDArray[Any]:
        each = np.asarray(statistic(sums.reshape(-1, *sums.shape[2:])), dtype=np.float64)
        return np.asarray(each.reshape(sums.shape[:2]).mean(axis=1))

    def difference(sums: NDArray[Any]) -> NDArray[Any]:
        return np.subtract(statistic(sums[:, 0]), statistic(sums[:, 1]))

    return PairedDifference(
        first=float(mean_over_seeds(by_cluster[0].sum(axis=0)[None])[0]),
        second=float(mean_over_seeds(by_cluster[1].sum(axis=0)[None])[0]),
        interval=seeded_bootstrap_interval(
            difference, np.stack([first, second], axis=2), replicates=replicates, seed=seed
        ),
        test=paired_permutation_test(mean_over_seeds, *by_cluster, swaps=swaps, seed=seed),
        detectable=minimum_detectable_difference(mean_over_seeds, *by_cluster),
        clusters=len(by_cluster[0]),
        seeds=len(first),
    )


def minimum_detectable_difference(
    statistic: Statistic,
    first: NDArray[Any],
    second: NDArray[Any],
    *,
    alpha: float = ALPHA,
    power: float = POWER,
) -> float | None:
    """The true difference that a two-sided paired test at ``alpha`` finds with ``power``.

    Counts are (clusters, ...). It is (t(1 - alpha / 2) + t(power)) standard errors of the
    difference, t the quantiles with clusters - 1 degrees of freedom; the standard error is that
    of the jackknife over clusters, for a mean the standard deviation of the clusters' differences
    over the root of their number. None where there is no spread: with one cluster, or where the
    systems never differ.

    Source: Bloom 1995, Minimum Detectable Effects, Evaluation Review 19(5); Efron and Tibshirani
    1993, chapter 11, for the jackknife. It is of one test, before any correction, and too small
    where a handful of clusters makes the difference.
    """
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    clusters = len(first)
    if clusters < 2:
        return None
    block = max(1, _BLOCK_VALUES // max(1, first[0].size))
    without = []
    for start in range(0, clusters, block):
        left_out = slice(start, start + block)
        scores = (np.asarray(statistic(c.sum(axis=0) - c[left_out])) for c in (first, second))
        without.append(np.subtract(*scores))
    values = np.concatenate(without)
    error = float(np.sqrt((clusters - 1) * np.mean((values - values.mean()) ** 2)))
    quantiles = scipy.stats.t.ppf([1 - alpha / 2, power], clusters - 1)
    return float(quantiles.sum() * error) if error > 0 else None

"""Whether two systems differ on the same targets by more than chance: a paired permutation test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError

Statistic = Callable[[NDArray[Any]], NDArray[Any]]

MOST_CLUSTERS_ENUMERATED = 12
"""Up to so many clusters that tell the systems apart, all 2 ** clusters swaps are tried."""

_BLOCK_VALUES = 4_000_000  # values held at a time: 32 MB
_TIE = 1e-12  # differences that summing in another order makes


@dataclass(frozen=True)
class PermutationTest:
    """``difference`` is the first system's score less the second's, ``p_value`` two-sided.

    ``deciding`` clusters are those in which the systems' counts differ; of ``swaps`` outcomes the
    p-value is made, all there are where it is ``exact``.
    """

    difference: float
    p_value: float
    deciding: int
    swaps: int
    exact: bool


def paired_permutation_test(
    statistic: Statistic,
    first: NDArray[Any],
    second: NDArray[Any],
    swaps: int = 10_000,
    seed: int = 0,
) -> PermutationTest:
    """Test that two systems' predictions are exchangeable within every cluster.

    ``first`` and ``second`` are (clusters, ...): what each cluster of the same targets contributes
    to each system; ``statistic`` maps sums of them, (swaps, ...), to scores, (swaps,). All of a
    cluster's predictions change sides together, each cluster with probability 1/2, and both
    scores are counted anew. The p-value is the share of outcomes whose difference is at least as
    far from 0 as the one found. Where few clusters decide, every outcome is tried; else ``swaps``
    of them are drawn, and the one found counts among them, (r + 1) / (n + 1), so that the test
    keeps its level (Davison and Hinkley 1997, Bootstrap Methods, section 4.2).

    The fits are taken as given: it tells whether these two differ on other text of this kind, not
    whether others, from other training data, would. Raises DataError for counts that do not fit
    each other and for a score that is not a finite number.

    Source: Noreen 1989, Computer-Intensive Methods for Testing Hypotheses, chapter 2 (stratified
    by cluster); Yeh 2000 (COLING), section 3, for F1.
    """
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if first.shape != second.shape or first.ndim == 0 or len(first) == 0:
        raise DataError(f"{first.shape} and {second.shape} are no counts of the same clusters")
    if swaps < 1:
        raise DataError(f"no p-value from {swaps} swaps")
    sums = first.sum(axis=0), second.sum(axis=0)
    change = (second - first).reshape(len(first), -1)
    # Swapping what is equal changes nothing, so the others' outcomes are all there are.
    change = change[change.any(axis=1)]
    exact = len(change) <= MOST_CLUSTERS_ENUMERATED
    observed = float(_differences(statistic, sums, np.zeros((1, *sums[0].shape)))[0])
    if exact:
        sides = _all_sides(len(change))
    else:
        sides = _drawn_sides(len(change), swaps, change.shape[1], np.random.default_rng(seed))
    used = np.flatnonzero(change.any(axis=0))
    tie, extreme, total = _TIE * max(1.0, abs(observed)), 0, 0
    for block in sides:
        moved = np.zeros((len(block), change.shape[1]))
        moved[:, used] = block @ change[:, used]
        found = _differences(statistic, sums, moved.reshape(len(block), *sums[0].shape))
        extreme += int((np.abs(found) >= abs(observed) - tie).sum())
        total += len(block)
    return PermutationTest(
        difference=observed,
        p_value=extreme / total if exact else (extreme + 1) / (total + 1),
        deciding=len(change),
        swaps=total,
        exact=exact,
    )


def _differences(
    statistic: Statistic, sums: tuple[NDArray[Any], NDArray[Any]], moved: NDArray[Any]
) -> NDArray[np.float64]:
    """The differences of scores after ``moved`` counts have changed sides, (swaps, ...)."""
    found: NDArray[np.float64] = np.subtract(
        statistic(sums[0] + moved), statistic(sums[1] - moved), dtype=np.float64
    )
    if found.shape != moved.shape[:1]:
        raise DataError(f"the statistic gives {found.shape} values for {len(moved)} swaps")
    if not np.isfinite(found).all():
        raise DataError("the statistic is not a finite number after some swap")
    return found


def _all_sides(clusters: int) -> Iterator[NDArray[np.float64]]:
    """Each way to swap clusters (1) or leave them (0): (2 ** clusters, clusters)."""
    ways = np.arange(2**clusters)[:, None] >> np.arange(clusters)
    yield (ways & 1).astype(np.float64)


def _drawn_sides(
    clusters: int, swaps: int, cells: int, generator: np.random.Generator
) -> Iterator[NDArray[np.float64]]:
    block = max(1, _BLOCK_VALUES // max(clusters, cells))
    for start in range(0, swaps, block):
        size = min(block, swaps - start)
        yield (generator.random((size, clusters)) < 0.5).astype(np.float64)

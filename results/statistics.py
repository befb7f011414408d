"""How far a score may lie from what it would be on other text: cluster-bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError
from .records import Interval

_BLOCK_VALUES = 4_000_000  # values held at a time: 32 MB


def bootstrap_interval(
    statistic: Callable[[NDArray[Any]], NDArray[Any]],
    counts_by_cluster: NDArray[Any],
    confidence: float = 0.95,
    replicates: int = 1000,
    seed: int = 0,
) -> Interval | None:
    """The percentile interval of a statistic of summed counts, resampling whole clusters.

    ``counts_by_cluster`` is (clusters, ...): what each sentence or document contributes;
    ``statistic`` maps sums of it, (replicates, ...), to (replicates,). Targets of one sentence go
    together, so that the interval is not too narrow for their likeness. None where there is only
    one cluster: nothing can be said then. Raises DataError where there is none, or where the
    statistic is not a finite number in some replicate.

    The same seed and number of clusters draw the same clusters: intervals of two layers or
    encoders on one test set are paired.

    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13. The
    percentile interval keeps within the range of the score, follows any monotone transformation
    of it, and stays defined where every prediction is right, where the BCa correction is not. It
    is narrow where clusters are few: in our simulation (tests) 95 % intervals covered the truth
    in 88 % of the cases with 10 clusters, 92 % with 30, 94 % with 80.
    """
    counts = np.asarray(counts_by_cluster)
    if not 0 < confidence < 1 or replicates < 1:
        raise DataError(f"no interval from {replicates} replicates at confidence {confidence}")
    if counts.ndim == 0 or len(counts) == 0:
        raise DataError("no clusters to resample")
    if len(counts) == 1:
        return None
    values = np.concatenate(
        [
            np.asarray(statistic(sums), dtype=np.float64)
            for sums in _resampled(counts, replicates, np.random.default_rng(seed))
        ]
    )
    if values.shape != (replicates,):
        raise DataError(f"the statistic gives {values.shape} values for {replicates} replicates")
    if not np.isfinite(values).all():
        raise DataError("the statistic is not a finite number in some replicate")
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(
        low=float(low),
        high=float(high),
        confidence=confidence,
        clusters=len(counts),
        replicates=replicates,
    )


def seeded_bootstrap_interval(
    statistic: Callable[[NDArray[Any]], NDArray[Any]],
    counts_by_seed: NDArray[Any],
    confidence: float = 0.95,
    replicates: int = 1000,
    seed: int = 0,
) -> Interval | None:
    """The percentile interval of the mean over seeds, resampling seeds and clusters.

    ``counts_by_seed`` is (seeds, clusters, ...): several fits (seeds, or refits on resampled
    training data) of one unit, tested on the same clusters; ``statistic`` is as above. Each
    replicate draws as many clusters as there are, with replacement and the same ones for every
    fit, scores each fit on them, and takes the mean score of as many fits as there are, drawn
    with replacement. So the interval holds for other text and for other fits. With one seed it is
    ``bootstrap_interval``: then it holds for that fit alone.

    Source: Owen 2007, The pigeonhole bootstrap, Annals of Applied Statistics 1(2). The variance
    between fits comes out as (seeds - 1) / seeds of what it is, that of one fit on one cluster up
    to three times too large. In our simulation (tests), with 60 clusters and fits whose true
    scores have a standard deviation of .04, 95 % intervals covered the truth in 93 % of the
    cases with 3 seeds, 94 % with 10.
    """
    counts = np.asarray(counts_by_seed)
    if counts.ndim < 2 or len(counts) == 0:
        raise DataError(f"counts are (seeds, clusters, ...), not {counts.shape}")
    seeds = len(counts)
    # A stream of its own: one seed draws the same clusters as without this level.
    generator = np.random.default_rng([seed, 1])

    def mean_of_drawn(sums: NDArray[Any]) -> NDArray[Any]:
        values = np.asarray(statistic(sums.reshape(-1, *sums.shape[2:])), dtype=np.float64)
        values = values.reshape(len(sums), seeds)
        drawn = generator.integers(seeds, size=values.shape)
        return np.asarray(np.take_along_axis(values, drawn, axis=1).mean(axis=1))

    return bootstrap_interval(
        mean_of_drawn, np.swapaxes(counts, 0, 1), confidence, replicates, seed
    )


def _resampled(
    counts: NDArray[Any], replicates: int, generator: np.random.Generator
) -> Iterator[NDArray[np.float64]]:
    """Sums over resampled clusters, in blocks of (at most some replicates, ...)."""
    clusters, shape = len(counts), counts.shape[1:]
    flat = counts.reshape(clusters, -1)
    # Most cells of a confusion are zero in every cluster.
    used = np.flatnonzero(flat.any(axis=0))
    dense = flat[:, used].astype(np.float64)
    block = max(1, _BLOCK_VALUES // max(clusters, flat.shape[1]))
    for start in range(0, replicates, block):
        size = min(block, replicates - start)
        # Counting uniform draws gives multinomial weights, many times faster than drawing them.
        drawn = generator.integers(clusters, size=(size, clusters))
        drawn += np.arange(size)[:, None] * clusters
        weights = np.bincount(drawn.ravel(), minlength=size * clusters).reshape(size, clusters)
        sums = np.zeros((size, flat.shape[1]))
        sums[:, used] = weights.astype(np.float64) @ dense
        yield sums.reshape(size, *shape)

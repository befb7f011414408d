"""Cluster bootstrap: against scipy, against a loop, and by how often it covers the truth."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from layerwise.core.errors import DataError
from layerwise.results import statistics
from layerwise.results.statistics import bootstrap_interval, seeded_bootstrap_interval


def share(sums):
    """Right answers over targets: (replicates, 2) -> (replicates,)."""
    return sums[:, 0] / sums[:, 1]


def clusters_of(generator, number, spread=0.3):
    """(right, targets) of clusters whose targets are alike; the true share is 0.7."""
    sizes = generator.integers(1, 20, size=number)
    level = generator.beta(0.7 / spread, 0.3 / spread, size=number)
    return np.stack([generator.binomial(sizes, level), sizes], axis=1)


def test_equals_scipys_percentile_bootstrap_of_a_mean():
    sample = np.random.default_rng(1).gamma(2.0, size=80)
    counts = np.stack([sample, np.ones_like(sample)], axis=1)
    ours = bootstrap_interval(share, counts, confidence=0.9, replicates=20_000)
    theirs = scipy.stats.bootstrap(
        (sample,), np.mean, confidence_level=0.9, n_resamples=20_000, method="percentile", rng=2
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.03 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.03 * width)
    assert (ours.confidence, ours.clusters, ours.replicates) == (0.9, 80, 20_000)


def test_equals_a_loop_that_draws_clusters_one_by_one():
    counts = clusters_of(np.random.default_rng(3), 40)
    generator = np.random.default_rng(5)
    values = []
    for _ in range(300):
        drawn = [counts[i] for i in generator.integers(40, size=40)]
        values.append(sum(c[0] for c in drawn) / sum(c[1] for c in drawn))
    ours = bootstrap_interval(share, counts, replicates=300, seed=5)
    assert (ours.low, ours.high) == pytest.approx(tuple(np.percentile(values, [2.5, 97.5])))


def test_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(11)
    covered = 0
    for seed in range(400):
        interval = bootstrap_interval(share, clusters_of(generator, 80), replicates=400, seed=seed)
        covered += interval.low <= 0.7 <= interval.high
    # 0.95 less the small shortfall of percentile intervals; four standard errors are 0.044.
    assert 0.90 <= covered / 400 <= 0.98


@pytest.mark.slow
@pytest.mark.parametrize(("clusters", "expected"), [(10, 0.88), (30, 0.92), (80, 0.94)])
def test_covers_the_truth_as_the_docstring_says(clusters, expected):
    generator = np.random.default_rng(11)
    covered = 0
    for seed in range(4000):
        interval = bootstrap_interval(share, clusters_of(generator, clusters), seed=seed)
        covered += interval.low <= 0.7 <= interval.high
    # Rounded to .01, and three standard errors are .015.
    assert covered / 4000 == pytest.approx(expected, abs=0.02)


def test_is_wider_than_one_that_takes_targets_for_independent():
    counts = clusters_of(np.random.default_rng(4), 100, spread=1.0)
    right, total = counts.sum(axis=0)
    single = np.ones((total, 2))
    single[right:, 0] = 0
    clustered, naive = (bootstrap_interval(share, c) for c in (counts, single))
    assert clustered.high - clustered.low > 1.5 * (naive.high - naive.low)


def test_depends_on_the_seed_alone(monkeypatch):
    counts = clusters_of(np.random.default_rng(6), 30)
    first = bootstrap_interval(share, counts)
    assert bootstrap_interval(share, counts) == first
    assert bootstrap_interval(share, counts, seed=1) != first
    monkeypatch.setattr(statistics, "_BLOCK_VALUES", 200)
    assert bootstrap_interval(share, counts) == first


def test_counts_of_any_shape_reach_the_statistic():
    counts = np.random.default_rng(7).integers(0, 3, size=(25, 4, 4))
    counts[:, 2, 3] = 0

    def diagonal(sums):
        assert sums.shape[1:] == (4, 4)
        assert not sums[:, 2, 3].any()
        return np.trace(sums, axis1=1, axis2=2) / sums.sum(axis=(1, 2))

    flat = np.stack([np.trace(counts, axis1=1, axis2=2), counts.sum(axis=(1, 2))], axis=1)
    assert bootstrap_interval(diagonal, counts) == bootstrap_interval(share, flat)


def test_a_statistic_without_spread_has_a_point():
    interval = bootstrap_interval(share, np.ones((5, 2)))
    assert interval.low == interval.high == 1.0


def test_one_cluster_says_nothing():
    assert bootstrap_interval(share, np.ones((1, 2))) is None


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize(
    ("counts", "options"),
    [
        (np.ones((0, 2)), {}),
        (np.float64(1), {}),
        (np.zeros((3, 2)), {}),  # 0 / 0
        (np.ones((3, 2)), {"confidence": 1.0}),
        (np.ones((3, 2)), {"replicates": 0}),
    ],
)
def test_what_has_no_interval_is_refused(counts, options):
    with pytest.raises(DataError):
        bootstrap_interval(share, counts, **options)


def test_a_statistic_of_the_wrong_shape_is_refused():
    with pytest.raises(DataError, match="1000 replicates"):
        bootstrap_interval(lambda sums: sums, np.ones((3, 2)))


def fits_of(generator, seeds, clusters, spread=0.0):
    """(seeds, clusters, right and targets) of fits whose true shares spread around 0.7.

    Clusters are as easy for every fit, and a fit is as good on every cluster."""
    sizes = generator.integers(1, 20, size=clusters)
    level = generator.normal(0, 0.12, size=clusters) + spread * generator.normal(size=(seeds, 1))
    right = generator.binomial(sizes, np.clip(0.7 + level, 0, 1))
    return np.stack([right, np.broadcast_to(sizes, right.shape)], axis=2)


def test_one_fit_is_resampled_by_cluster_alone():
    counts = clusters_of(np.random.default_rng(6), 30)
    assert seeded_bootstrap_interval(share, counts[None]) == bootstrap_interval(share, counts)
    # Fits that are the same have no spread of their own.
    assert seeded_bootstrap_interval(share, np.stack([counts] * 3)) == bootstrap_interval(
        share, counts
    )


def test_seeds_and_clusters_equal_a_loop_that_draws_both():
    counts = fits_of(np.random.default_rng(3), 4, 12, spread=0.1)
    generator, values = np.random.default_rng(0), []
    for _ in range(4000):
        drawn = generator.integers(12, size=12)
        each = [share(fit[drawn].sum(axis=0)[None])[0] for fit in counts]
        values.append(np.mean([each[i] for i in generator.integers(4, size=4)]))
    expected = np.percentile(values, [2.5, 97.5])
    ours = seeded_bootstrap_interval(share, counts, replicates=20_000)
    assert (ours.low, ours.high) == pytest.approx(tuple(expected), abs=0.04 * np.ptp(expected))
    assert ours.clusters == 12


def test_seeds_depend_on_the_seed_alone(monkeypatch):
    counts = fits_of(np.random.default_rng(3), 4, 12, spread=0.1)
    first = seeded_bootstrap_interval(share, counts)
    assert seeded_bootstrap_interval(share, counts, seed=1) != first
    monkeypatch.setattr(statistics, "_BLOCK_VALUES", 200)
    assert seeded_bootstrap_interval(share, counts) == first


def coverage(rounds, replicates, seeds, one_level=False):
    generator = np.random.default_rng(17)
    covered = 0
    for seed in range(rounds):
        counts = fits_of(generator, seeds, 60, spread=0.04)
        if one_level:
            interval = bootstrap_interval(share, counts.sum(axis=0), replicates=replicates)
        else:
            interval = seeded_bootstrap_interval(share, counts, replicates=replicates, seed=seed)
        covered += interval.low <= 0.7 <= interval.high
    return covered / rounds


def test_covers_the_truth_over_fits_too():
    # 0.92; three standard errors are .047.
    assert 0.87 <= coverage(300, 300, seeds=3) <= 0.98
    # Clusters alone do not tell how far other fits may lie.
    assert coverage(300, 300, seeds=3, one_level=True) < 0.86


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "expected"), [(3, 0.93), (10, 0.94)])
def test_covers_the_truth_over_fits_as_the_docstring_says(seeds, expected):
    assert coverage(3000, 1000, seeds) == pytest.approx(expected, abs=0.018)


@pytest.mark.parametrize("counts", [np.ones((0, 3, 2)), np.ones(3), np.ones((2, 0, 2))])
def test_fits_without_counts_are_refused(counts):
    with pytest.raises(DataError):
        seeded_bootstrap_interval(share, counts)

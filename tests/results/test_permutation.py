"""The paired permutation test: against scipy, against every swap by hand, and by its level."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import scipy.stats
from sklearn.metrics import f1_score

from layerwise.core.errors import DataError
from layerwise.results import permutation
from layerwise.results.permutation import paired_permutation_test


def share(sums):
    """Right answers over targets: (..., 2) -> (...)."""
    return sums[..., 0] / sums[..., 1]


def f1(sums):
    """Of hits, gold and predicted: (..., 3) -> (...)."""
    return 2 * sums[..., 0] / np.maximum(1, sums[..., 1] + sums[..., 2])


def of_ones(values):
    return np.stack([values, np.ones_like(values)], axis=1)


def labels(generator, clusters, targets=6, alike=0.0):
    """Gold and two systems' yes and no, (clusters, targets); ``alike`` is how much of its errors
    a system makes by the cluster."""
    gold = generator.random((clusters, targets)) < 0.4
    systems = []
    for _ in range(2):
        by_cluster = generator.random((clusters, 1)) < 0.3
        by_target = generator.random((clusters, targets)) < 0.3
        wrong = np.where(generator.random((clusters, 1)) < alike, by_cluster, by_target)
        systems.append(gold ^ wrong)
    return gold, *systems


def counted(gold, predicted):
    return np.stack([(gold & predicted).sum(1), gold.sum(1), predicted.sum(1)], axis=1)


@pytest.mark.parametrize("clusters", [3, 7, 11])
def test_equals_scipys_exact_test_of_a_mean(clusters):
    generator = np.random.default_rng(clusters)
    a, b = generator.normal(size=(2, clusters))
    ours = paired_permutation_test(share, of_ones(a), of_ones(b))
    theirs = scipy.stats.permutation_test(
        (a, b),
        lambda x, y, axis: x.mean(axis) - y.mean(axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    assert ours.exact and ours.swaps == 2**clusters == len(theirs.null_distribution)
    assert ours.p_value == pytest.approx(theirs.pvalue)
    assert ours.difference == pytest.approx(theirs.statistic)


def test_comes_near_scipys_random_test_of_a_mean():
    a, b = np.random.default_rng(2).normal([[0.25], [0]], size=(2, 40))
    ours = paired_permutation_test(share, of_ones(a), of_ones(b), swaps=20_000)
    theirs = scipy.stats.permutation_test(
        (a, b),
        lambda x, y, axis: x.mean(axis) - y.mean(axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=20_000,
        rng=1,
    )
    assert not ours.exact and ours.swaps == 20_000
    # Four standard errors of the difference of two shares near .3.
    assert ours.p_value == pytest.approx(theirs.pvalue, abs=0.018)
    assert 0.05 < ours.p_value < 0.6


def test_equals_every_swap_of_predictions_scored_by_scikit_learn():
    gold, one, other = labels(np.random.default_rng(5), clusters=6)

    def difference(swapped):
        rows = np.array(swapped, dtype=bool)[:, None]
        x, y = np.where(rows, other, one), np.where(rows, one, other)
        return f1_score(gold.ravel(), x.ravel()) - f1_score(gold.ravel(), y.ravel())

    every = [difference(swapped) for swapped in product([0, 1], repeat=6)]
    expected = np.mean(np.abs(every) >= abs(every[0]) - 1e-12)
    ours = paired_permutation_test(f1, counted(gold, one), counted(gold, other))
    assert ours.difference == pytest.approx(every[0])
    assert ours.p_value == pytest.approx(expected)
    assert 0 < ours.p_value < 1


def test_clusters_that_agree_do_not_matter():
    generator = np.random.default_rng(3)
    a, b = generator.integers(0, 5, size=(2, 8, 1)).astype(float)
    same = generator.integers(1, 5, size=(50, 1)).astype(float)
    ones = np.ones((58, 1))
    few = paired_permutation_test(
        share, *(np.hstack([x, np.ones_like(x) * 58 / 8]) for x in (a, b))
    )
    many = paired_permutation_test(
        share, *(np.hstack([np.vstack([x, same]), ones]) for x in (a, b))
    )
    assert many.exact and many.swaps == 2**many.deciding and many.deciding <= 8
    assert many.p_value == few.p_value


def test_the_other_way_round_only_the_sign_changes():
    gold, one, other = labels(np.random.default_rng(8), clusters=30)
    forth = paired_permutation_test(f1, counted(gold, one), counted(gold, other))
    back = paired_permutation_test(f1, counted(gold, other), counted(gold, one))
    assert forth.difference == -back.difference
    assert forth.p_value == back.p_value


def test_systems_that_never_differ_have_a_p_of_one():
    gold, one, _ = labels(np.random.default_rng(1), clusters=20)
    found = paired_permutation_test(f1, counted(gold, one), counted(gold, one))
    assert (found.difference, found.p_value, found.deciding, found.swaps) == (0, 1, 0, 1)


def test_a_random_test_is_never_certain():
    right, wrong = of_ones(np.ones(60)), of_ones(np.zeros(60))
    found = paired_permutation_test(share, right, wrong, swaps=999)
    assert found.p_value == 1 / 1000


def test_depends_on_the_seed_alone(monkeypatch):
    gold, one, other = labels(np.random.default_rng(4), clusters=30)
    counts = counted(gold, one), counted(gold, other)
    first = paired_permutation_test(f1, *counts, swaps=501)
    assert paired_permutation_test(f1, *counts, swaps=501, seed=1) != first
    monkeypatch.setattr(permutation, "_BLOCK_VALUES", 700)
    assert paired_permutation_test(f1, *counts, swaps=501) == first


def rejections(rounds, swaps, clusters, by_target=False):
    """How often equal systems are told apart at .05."""
    generator = np.random.default_rng(12)
    found = []
    for seed in range(rounds):
        gold, one, other = labels(generator, clusters, alike=0.8)
        if by_target:
            gold, one, other = (each.reshape(-1, 1) for each in (gold, one, other))
        counts = counted(gold, one), counted(gold, other)
        found.append(paired_permutation_test(f1, *counts, swaps=swaps, seed=seed).p_value <= 0.05)
    return np.mean(found)


def test_keeps_its_level_where_targets_of_a_cluster_are_alike():
    # Three standard errors of .05 in 500 rounds are .03.
    assert rejections(500, 199, clusters=25) <= 0.08
    # Taking such targets for independent, the same test would be wrong more often.
    assert rejections(200, 199, clusters=25, by_target=True) > 0.12


@pytest.mark.slow
@pytest.mark.parametrize(("clusters", "lowest"), [(10, 0.015), (25, 0.03), (100, 0.04)])
def test_keeps_its_level_at_length(clusters, lowest):
    # Three standard errors of .05 in 5,000 rounds are .009. Few swaps have few p-values.
    assert lowest <= rejections(5000, 499, clusters) <= 0.059


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize(
    ("first", "second", "options"),
    [
        (np.ones((0, 2)), np.ones((0, 2)), {}),
        (np.ones((3, 2)), np.ones((4, 2)), {}),
        (np.float64(1), np.float64(1), {}),
        (np.zeros((3, 2)), np.zeros((3, 2)), {}),  # 0 / 0
        (np.ones((3, 2)), np.ones((3, 2)), {"swaps": 0}),
    ],
)
def test_what_cannot_be_tested_is_refused(first, second, options):
    with pytest.raises(DataError):
        paired_permutation_test(share, first, second, **options)


def test_a_statistic_of_the_wrong_shape_is_refused():
    with pytest.raises(DataError, match="for 1 swaps"):
        paired_permutation_test(lambda sums: sums, np.ones((3, 2)), np.ones((3, 2)))

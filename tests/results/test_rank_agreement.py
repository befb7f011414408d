"""Rank agreement against scipy, on the things themselves and on resamples drawn by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import kendalltau

from layerwise.core.errors import DataError
from layerwise.results.rank_agreement import Ranked


@pytest.mark.parametrize("levels", [3, 1000])
def test_tau_is_scipys_with_and_without_ties(levels: int) -> None:
    random = np.random.default_rng(0)
    x = random.integers(levels, size=40).astype(float)
    y = x + random.integers(levels, size=40)
    found = Ranked(40).tau(x, y)
    assert found.value == pytest.approx(kendalltau(x, y).statistic, abs=1e-12)
    assert found.low < found.value < found.high


def test_each_resample_is_scipys_of_the_things_drawn() -> None:
    random = np.random.default_rng(1)
    x, y = random.normal(size=(2, 12)).round(1)
    taus = Ranked(12, replicates=20, seed=5).taus(x, y)
    drawn = np.random.default_rng(5).integers(12, size=(20, 12))
    expected = [kendalltau(x[rows], y[rows]).statistic for rows in drawn]
    assert taus[1:] == pytest.approx(expected, abs=1e-12)


def test_the_sign_says_the_direction_and_a_constant_says_nothing() -> None:
    x = list(range(8))
    ranked = Ranked(8)
    assert ranked.tau(x, x).value == 1
    assert ranked.tau(x, [-each for each in x]).value == -1
    assert ranked.tau([2.0] * 8, x).value == 0
    assert ranked.tau([-math.inf, *x[1:]], x).value == 1


def test_intervals_of_taus_cover_the_truth() -> None:
    """For normal variables tau = 2 / pi * asin(rho) (Greiner 1909)."""
    rho = 0.5
    truth = 2 / math.pi * math.asin(rho)
    covered = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        x, noise = random.normal(size=(2, 60))
        found = Ranked(60, replicates=400, seed=seed).tau(x, rho * x + math.sqrt(0.75) * noise)
        covered += found.low <= truth <= found.high
    assert 180 <= covered <= 199  # 95 % of 200, give or take three standard errors and a little


def test_a_difference_is_paired() -> None:
    random = np.random.default_rng(3)
    target = random.normal(size=80)
    near = target + 0.3 * random.normal(size=80)
    nearly_the_same = near + 1e-3 * random.normal(size=80)
    far = random.normal(size=80)
    ranked = Ranked(80)
    told = ranked.difference(near, far, target)
    assert told.is_told and told.value > 0.3
    small = ranked.difference(near, nearly_the_same, target)
    alone = ranked.tau(near, target)
    assert small.high - small.low < 0.2 * (alone.high - alone.low)
    assert not ranked.difference(near, near, target).is_told


@pytest.mark.parametrize(("count", "values"), [(2, [1.0, 2.0]), (3, [1.0]), (3, [1, 2, math.nan])])
def test_what_cannot_be_ranked_is_refused(count: int, values: list[float]) -> None:
    with pytest.raises(DataError, match="rank agreement"):
        Ranked(count).tau(values, values)

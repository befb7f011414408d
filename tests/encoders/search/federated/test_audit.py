"""The audit: its bound against Clopper and Pearson, its level, and mechanisms of known epsilon."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, binomtest, norm

from layerwise.core.errors import DataError
from layerwise.encoders.search.federated.audit import audit, flip_coins, lower_bound, p_value


@pytest.mark.parametrize(("guesses", "correct"), [(10, 10), (100, 63), (200, 170), (50, 25)])
def test_without_delta_it_is_the_logit_of_clopper_and_pearson(guesses: int, correct: int) -> None:
    share = binomtest(correct, guesses, alternative="greater").proportion_ci(0.95, "exact").low
    expected = max(0.0, math.log(share / (1 - share)))
    assert lower_bound(guesses, guesses, correct, 0.0) == pytest.approx(expected, abs=1e-9)


def test_delta_weakens_it_as_the_theorem_says() -> None:
    right = math.exp(0.8) / (1 + math.exp(0.8))
    tail = sum(binom.pmf(v, 20, right) for v in range(18, 21))
    shifts = [
        sum(binom.pmf(v, 20, right) for v in range(18 - shift, 18)) / shift
        for shift in range(1, 19)
    ]
    assert p_value(50, 20, 18, 0.8, 1e-3) == pytest.approx(tail + 2 * 50 * 1e-3 * max(shifts))
    assert lower_bound(50, 20, 18, 1e-3) < lower_bound(50, 20, 18, 0.0)


@pytest.mark.parametrize("eps", [0.0, 0.5, 2.0])
def test_a_true_claim_is_refuted_in_one_of_twenty_audits_at_most(eps: float) -> None:
    # Randomised response is the mechanism that the bound is for: its level is exact.
    right = math.exp(eps) / (1 + math.exp(eps))
    chance = sum(
        binom.pmf(correct, 60, right)
        for correct in range(61)
        if lower_bound(60, 60, correct, 0.0) > eps
    )
    assert chance <= 0.05
    assert chance > 0.005  # and the bound is not empty


def _gaussian(noise: float, seed: int) -> float:
    """The lower bound for a release of 400 coins, a Gaussian on each."""
    generator = np.random.default_rng(seed)
    members = flip_coins(400, generator)
    scores = members + generator.normal(0, noise, 400)
    return audit(scores, members, guesses=200, delta=1e-5).epsilon


def test_a_gaussian_mechanism_stays_below_its_claim_and_no_noise_does_not() -> None:
    noise, delta, eps = 2.0, 1e-5, 2.0
    while norm.cdf(0.25 - 2 * eps) - math.exp(eps) * norm.cdf(-0.25 - 2 * eps) > delta:
        eps += 0.01  # the closed form of Balle and Wang 2018, theorem 8, for noise 2
    bounds = [_gaussian(noise, seed) for seed in range(10)]
    assert max(bounds) < eps
    assert min(_gaussian(0.01, seed) for seed in range(3)) > 4
    assert np.mean(bounds) < np.mean([_gaussian(0.5, seed) for seed in range(10)])


def test_half_of_the_guesses_goes_to_each_end() -> None:
    members = np.array([True, True, False, False, True, False])
    found = audit([5.0, 4.0, 3.0, 2.0, 1.0, 0.0], members, guesses=4, delta=0.0)
    assert (found.canaries, found.guesses, found.correct) == (6, 4, 3)


def test_what_cannot_be_audited_is_refused() -> None:
    members = np.array([True, False])
    with pytest.raises(DataError, match="3 guesses, 2 scores"):
        audit([1.0, 2.0], members, guesses=3, delta=0.0)
    with pytest.raises(DataError, match="no number"):
        audit([1.0, math.nan], members, guesses=2, delta=0.0)

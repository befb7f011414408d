"""A released gain: bounded whatever the losses are, with noise in units of its sensitivity."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import kstest

from layerwise.core.errors import DataError
from layerwise.encoders.search.federated.gains import Gain, pooled, release_gain


def _gain(before: list[float], after: list[float], clip: float = 1.0) -> float:
    return release_gain(before, after, clip, 0.0, np.random.default_rng(0)).value


def test_a_gain_is_the_mean_fall_of_the_loss() -> None:
    assert _gain([5.0, 4.0], [4.5, 4.25]) == pytest.approx(0.125)
    assert _gain([5.0, 5.0], [1.0, 4.5]) == pytest.approx((1 + 0.5) / 2)  # the first is clipped


@pytest.mark.parametrize("bad", [math.inf, math.nan, 1e30])
def test_a_training_that_diverged_is_the_worst_and_no_more(bad: float) -> None:
    assert _gain([5.0, 4.0], [bad, 4.0], clip=0.5) == pytest.approx(-0.25)
    assert _gain([math.inf], [math.inf], clip=0.5) == -0.5


def test_one_window_more_or_less_moves_it_by_no_more_than_the_sensitivity() -> None:
    generator = np.random.default_rng(1)
    windows, clip = 7, 0.3
    for _ in range(200):
        before = generator.normal(0, 10 ** generator.uniform(-2, 3), windows)
        after = generator.normal(0, 10 ** generator.uniform(-2, 3), windows)
        gain = _gain(list(before), list(after), clip)
        absent = before.copy()
        absent[3] = after[3]  # a window that is not there adds nothing to the sum
        assert abs(gain) <= clip
        assert abs(gain - _gain(list(absent), list(after), clip)) <= clip / windows + 1e-12


def test_the_noise_is_the_multiplier_times_the_sensitivity() -> None:
    generator = np.random.default_rng(2)
    released = [release_gain([3.0] * 4, [2.9] * 4, 0.5, 20.0, generator).value for _ in range(4000)]
    scaled = (np.array(released) - 0.1) / (20 * 0.5 / 4)
    assert kstest(scaled, "norm").pvalue > 0.01


def test_clients_count_by_their_windows() -> None:
    assert pooled([Gain(1.0, 3), Gain(-1.0, 1)]) == pytest.approx(0.5)


def test_losses_that_do_not_pair_are_refused() -> None:
    with pytest.raises(DataError, match="2 losses before and 1 after"):
        _gain([1.0, 2.0], [1.0])
    with pytest.raises(DataError, match="0 losses"):
        _gain([], [])
    with pytest.raises(DataError, match="a clip of 0"):
        _gain([1.0], [1.0], clip=0.0)

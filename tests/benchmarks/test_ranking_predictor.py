"""The regret of random search against all draws one by one."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from layerwise.benchmarks.ranking_predictor import expected_regret


@pytest.mark.parametrize("draws", [1, 2, 4, 7])
def test_the_regret_of_random_search_is_the_mean_over_all_draws(draws: int) -> None:
    losses = np.array([4.6, 4.4, 5.0, 4.4, 6.1, 4.7, 4.45])
    best = [min(drawn) - losses.min() for drawn in combinations(losses, draws)]
    assert expected_regret(losses, draws) == pytest.approx(np.mean(best))

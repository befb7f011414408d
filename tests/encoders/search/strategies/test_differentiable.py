"""A distribution over architectures that climbs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from layerwise.core.errors import DataError
from layerwise.encoders.search.protocols import Estimate, Trial
from layerwise.encoders.search.strategies.differentiable import (
    GRADIENT,
    Differentiable,
    probabilities,
    score_gradient,
    utilities,
)

Run = Callable[..., list[Trial]]


def test_the_gradient_is_unbiased() -> None:
    rng = np.random.default_rng(0)
    logits = [rng.normal(size=2), rng.normal(size=3)]
    worth = rng.normal(size=(2, 3))
    vectors = np.array(list(itertools.product(range(2), range(3))))

    def expected(logits: list[np.ndarray]) -> float:
        first, second = probabilities(logits)
        return float(first @ worth @ second)

    shares = probabilities(logits)
    chance = np.array([shares[0][a] * shares[1][b] for a, b in vectors])
    # The mean over all vectors, each as often as it is drawn.
    weighted = chance * worth[vectors[:, 0], vectors[:, 1]] * len(vectors)
    gradient = score_gradient(shares, vectors, weighted)
    for gene, value in [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]:
        step = 1e-6
        up, down = ([each.copy() for each in logits] for _ in range(2))
        up[gene][value] += step
        down[gene][value] -= step
        slope = (expected(up) - expected(down)) / (2 * step)
        assert gradient[gene][value] == pytest.approx(slope, abs=1e-8)


def test_utilities_go_by_rank_alone() -> None:
    inf = float("inf")
    assert utilities([(3.0,), (inf,), (1.0,), (3.0,), (200.0,)]).tolist() == [
        0.25,
        -1,
        1,
        0.25,
        -0.5,
    ]
    assert utilities([(2.0,)] * 4).tolist() == [0] * 4


def test_shares_gather_at_what_is_better(digits: Any, run: Run) -> None:
    def errors(trial: Trial) -> tuple[float]:
        return (float(sum(abs(int(digit) - 3) for digit in trial.candidate)),)

    strategy = Differentiable(digits, seed=0)
    asked = run(strategy, errors, 150)
    assert [int(share.argmax()) for share in strategy.shares] == [3] * 6
    assert min(errors(trial)[0] for trial in asked) <= 1
    # All alike is no gradient, and the distribution stays.
    still = Differentiable(digits, seed=0)
    run(still, lambda trial: (1.0,), 50)
    assert all(np.allclose(share, 0.2) for share in still.shares)


def test_a_told_gradient_is_gone_against(digits: Any) -> None:
    strategy = Differentiable(digits, seed=0, batch=2, learning_rate=0.1)
    slopes = [[1.0, 0.0, -1.0, 0.0, 0.5]] * 6
    for _ in range(2):
        trial = strategy.ask()
        assert trial
        strategy.tell(trial, Estimate((1.0,), details={GRADIENT: slopes}))
    # The first step of Adam is the learning rate against the sign.
    expected = probabilities([np.array([-0.1, 0, 0.1, 0, -0.1])])[0]
    assert all(np.allclose(share, expected) for share in strategy.shares)


def test_a_gradient_of_another_shape_is_refused(digits: Any) -> None:
    strategy = Differentiable(digits, seed=0, batch=2)
    trials = [strategy.ask(), strategy.ask()]
    assert trials[0] and trials[1]
    strategy.tell(trials[0], Estimate((1.0,), details={GRADIENT: [[0.0] * 5] * 6}))
    with pytest.raises(DataError, match="not shaped as the genes of digits"):
        strategy.tell(trials[1], Estimate((1.0,), details={GRADIENT: [[0.0] * 4] * 6}))

"""Rank correlations against their definitions, and intervals against what they must be."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from layerwise.core.errors import UsageError
from layerwise.results.agreement import agreement, best, rho, tau


def tau_by_pairs(scores: np.ndarray, losses: np.ndarray) -> float:
    """Concordant less discordant pairs, over the pairs that are no ties (Kendall 1945)."""
    pairs = list(combinations(range(len(scores)), 2))
    ups = [np.sign(scores[i] - scores[j]) for i, j in pairs]
    downs = [np.sign(losses[j] - losses[i]) for i, j in pairs]
    both = sum(up * down for up, down in zip(ups, downs, strict=True))
    return float(both / math.sqrt(np.abs(ups).sum() * np.abs(downs).sum()))


def rho_by_ranks(scores: np.ndarray, losses: np.ndarray) -> float:
    """Pearson's correlation of mid-ranks."""

    def ranks(x: np.ndarray) -> list[float]:
        return [float((x < each).sum() + (x == each).sum() / 2) for each in x]

    return float(np.corrcoef(ranks(scores), ranks(-losses))[0, 1])


@pytest.mark.parametrize("levels", [4, 1000])
def test_both_are_what_their_definitions_say(levels: int) -> None:
    rng = np.random.default_rng(levels)
    for _ in range(5):
        scores, losses = rng.integers(levels, size=(2, 30)).astype(float)
        assert tau(scores, losses) == pytest.approx(tau_by_pairs(scores, losses), abs=1e-12)
        assert rho(scores, losses) == pytest.approx(rho_by_ranks(scores, losses), abs=1e-12)


def test_signs_say_which_way_a_score_ranks() -> None:
    losses = np.array([1.0, 2.0, 3.0, np.inf])
    assert tau(-losses, losses) == rho(-losses, losses) == 1
    assert tau(losses, losses) == -1
    assert tau(np.zeros(4), losses) == rho(np.full(4, -np.inf), losses) == 0


def test_an_infinite_loss_ranks_last() -> None:
    scores = np.array([4.0, 3.0, 1.0, 2.0])
    as_infinite = agreement(scores, [1.0, 2.0, np.inf, 3.0], samples=20)
    assert as_infinite == agreement(scores, [1.0, 2.0, 99.0, 3.0], samples=20)


def test_repeated_runs_of_a_candidate_add_nothing_to_what_is_known() -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(size=100)
    losses = -scores + 2 * rng.normal(size=100)
    cells = [str(cell) for cell in range(100)]
    one = agreement(scores, losses, cells, samples=100)
    tripled = agreement(np.tile(scores, 3), np.tile(losses, 3), cells * 3, samples=100)
    naive = agreement(np.tile(scores, 3), np.tile(losses, 3), samples=100)

    def width(interval: tuple[float, float]) -> float:
        return interval[1] - interval[0]

    assert one.groups == tripled.groups == 100 and naive.groups == 300
    assert tripled.tau == pytest.approx(one.tau, abs=1e-12)
    assert width(tripled.tau_interval) == pytest.approx(width(one.tau_interval), rel=0.02)
    assert width(naive.tau_interval) < 0.75 * width(one.tau_interval)


def test_an_interval_is_as_wide_as_theory_has_it() -> None:
    rng = np.random.default_rng(2)
    scores, losses = rng.normal(size=(2, 200))
    found = agreement(scores, losses, samples=300)
    low, high = found.tau_interval
    # Without any relation the variance of tau is 2 (2n + 5) / 9n(n - 1) (Kendall 1938).
    expected = 2 * 1.96 * math.sqrt(2 * (2 * 200 + 5) / (9 * 200 * 199))
    assert high - low == pytest.approx(expected, rel=0.15)
    assert low < found.tau < high and found.rho_interval[0] < found.rho < found.rho_interval[1]


def test_the_best_have_the_least_losses() -> None:
    losses = np.random.default_rng(3).permutation(50).astype(float)
    assert sorted(losses[best(losses)]) == [0, 1, 2, 3, 4]
    assert len(best(losses, 0.001)) == 2


@pytest.mark.parametrize(
    ("scores", "losses", "groups"),
    [([1.0], [1.0], None), ([1.0, 2.0], [1.0], None), ([1.0, 2.0], [1.0, 2.0], ["a"])],
)
def test_what_has_other_lengths_is_refused(
    scores: list[float], losses: list[float], groups: list[str] | None
) -> None:
    with pytest.raises(UsageError, match="give two or more"):
        agreement(scores, losses, groups)


def test_nan_is_refused() -> None:
    with pytest.raises(UsageError, match="nan cannot be ranked"):
        agreement([1.0, math.nan], [1.0, 2.0])

"""The bandit of FEATHERS against its formulas, computed by hand and by scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import chisquare, entropy

from layerwise.core.errors import UsageError
from layerwise.encoders.search.federated.bandit import Bandit


def test_two_updates_by_hand() -> None:
    bandit = Bandit(3, memory=0.3)
    bandit.update({0: [1.0, 3.0], 2: [-4.0]})
    assert bandit.rewards == pytest.approx([0.6, 0.0, -1.2])  # 0.3 * 2, 0.3 * 0, 0.3 * -4
    bandit.update({1: [2.0], 2: [0.8]})
    # 0 was not tried: 0.3 * 0.6. The others move by 0.3: 0 + 0.3 * 2, -1.2 + 0.3 * 2.
    assert bandit.rewards == pytest.approx([0.18, 0.6, -0.6])
    assert bandit.best() == 1
    raised = [math.exp(0.3), math.e, 1 / math.e]
    assert bandit.probabilities() == pytest.approx(np.array(raised) / sum(raised))


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_the_unit_of_the_rewards_does_not_matter(scale: float) -> None:
    bandit = Bandit(4)
    bandit.rewards = np.array([0.5, -2.0, 1.0, 0.0]) * scale
    assert bandit.probabilities() == pytest.approx(softmax([0.25, -1.0, 0.5, 0.0]))


def test_a_phase_is_as_long_as_the_entropy_says() -> None:
    bandit = Bandit(120, length=4.0)
    assert len(bandit.phase()) == round(4 * math.log(120)) == 19
    bandit.rewards[7] = 1.0
    assert len(bandit.phase()) == round(4 * entropy(bandit.probabilities())) == 19
    bandit = Bandit(2, length=0.1)
    assert len(bandit.phase()) == 1


def test_draws_follow_the_probabilities_and_the_seed() -> None:
    bandits = [Bandit(3, length=3000.0, seed=4) for _ in range(2)]
    for bandit in bandits:
        bandit.rewards = np.array([1.0, 0.0, -1.0])
    first, second = (bandit.phase() for bandit in bandits)
    assert first == second
    counts = np.bincount(first, minlength=3)
    assert chisquare(counts, bandits[0].probabilities() * len(first)).pvalue > 0.01


@pytest.mark.parametrize(("arms", "length", "memory"), [(0, 4, 0.3), (2, 0, 0.3), (2, 4, 1.5)])
def test_what_is_no_bandit_is_refused(arms: int, length: float, memory: float) -> None:
    with pytest.raises(UsageError, match="take 1 or more"):
        Bandit(arms, length, memory)

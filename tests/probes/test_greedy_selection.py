"""Greedy selection against brute force, and what it may never do."""

from __future__ import annotations

import numpy as np
import pytest

from layerwise.probes.greedy_selection import log_loss, select


@pytest.mark.parametrize("seed", range(4))
def test_it_is_brute_force_step_by_step(seed: int) -> None:
    right = np.random.default_rng(seed).beta(2, 1, size=(12, 40))
    counts = select(right, 4)
    picked: list[int] = []
    losses: list[float] = []
    while len(set(picked)) < 4:
        options = [-np.log(right[[*picked, i]].mean(axis=0)).mean() for i in range(len(right))]
        if losses and min(options) >= losses[-1]:
            break
        picked.append(int(np.argmin(options)))
        losses.append(min(options))
    assert counts.tolist() == np.bincount(picked, minlength=12).tolist()
    assert losses == sorted(losses, reverse=True) and counts[log_loss(right).argmin()] > 0


def test_a_copy_of_the_best_brings_nothing() -> None:
    right = np.tile(np.random.default_rng(0).uniform(0.5, 1, size=30), (5, 1))
    assert select(right, 4).tolist() == [1, 0, 0, 0, 0]


def test_two_that_err_apart_are_both_taken() -> None:
    right = np.array([[0.9, 0.1], [0.1, 0.9], [0.3, 0.3]])
    assert (select(right, 2) > 0).tolist() == [True, True, False]


def test_a_probability_of_nothing_is_dear_but_finite() -> None:
    assert np.isfinite(log_loss(np.array([[0.0, 1.0]]))).all()
    assert select(np.array([[0.0, 1.0], [0.4, 0.4]]), 1).tolist() == [0, 1]

"""The pairwise loss against its formula, and its derivatives against autograd."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from layerwise.encoders.search.predictor.ranking_loss import ranking_derivatives, ranking_loss

SCORES = [0.3, -1.2, 2.0, 0.7, 0.7]
TARGETS = [1.0, 2.0, 2.0, -3.0, 0.5]


def by_the_formula(scores: list[float], targets: list[float]) -> float:
    total, pairs = 0.0, 0
    for i, (f, y) in enumerate(zip(scores, targets, strict=True)):
        for j, (g, z) in enumerate(zip(scores, targets, strict=True)):
            if i != j:
                sign = (y > z) - (y < z)
                total += math.log(1 + math.exp(-(f - g) * sign))
                pairs += 1
    return total / pairs


def test_the_loss_is_the_formula() -> None:
    loss = ranking_loss(*(torch.tensor(each, dtype=torch.float64) for each in (SCORES, TARGETS)))
    assert loss.item() == pytest.approx(by_the_formula(SCORES, TARGETS), abs=1e-12)


def test_the_loss_of_far_scores_stays_finite() -> None:
    loss = ranking_loss(torch.tensor([0.0, 1e4]), torch.tensor([1.0, 0.0]))
    assert loss.item() == pytest.approx(1e4)


def test_the_right_order_costs_less_than_the_wrong_one() -> None:
    targets = torch.arange(6.0)
    assert ranking_loss(targets, targets) < math.log(2) < ranking_loss(-targets, targets)


def test_the_derivatives_are_those_of_autograd() -> None:
    scores = torch.tensor(SCORES, dtype=torch.float64, requires_grad=True)
    targets = torch.tensor(TARGETS, dtype=torch.float64)
    gradient, curvature = ranking_derivatives(np.array(SCORES), np.array(TARGETS))
    (expected,) = torch.autograd.grad(ranking_loss(scores, targets), scores)
    hessian = torch.autograd.functional.hessian(lambda f: ranking_loss(f, targets), scores)
    np.testing.assert_allclose(gradient, expected.numpy(), atol=1e-12)
    np.testing.assert_allclose(curvature, hessian.diagonal().numpy(), atol=1e-12)

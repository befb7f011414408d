"""The smoothed objective against torch's own cross-entropy and its gradient, and its optimum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from layerwise.probes.design import DenseDesign, Moments
from layerwise.probes.label_smoothing import SmoothedObjective
from layerwise.probes.solver import Solution, solve

torch.set_num_threads(1)
ROWS, DIM = 90, 5
SMOOTHING = torch.tensor([0.0, 0.1, 0.4], dtype=torch.float64)


def made(classes: int, *, seeds: Any = None, weighted: bool = True) -> tuple[Any, ...]:
    """An objective of three problems, and what it is of: features, labels, weights."""
    random = np.random.default_rng(classes)
    X = random.normal(size=(ROWS, DIM))
    design = DenseDesign(X, Moments.of([X]), part=40)
    labels = torch.from_numpy(random.integers(classes, size=(3, ROWS)))
    weights = torch.from_numpy(random.integers(0, 3, size=(3, ROWS)).astype(float))
    objective = SmoothedObjective(
        design, labels, classes, weights if weighted else None, smoothing=SMOOTHING, seeds=seeds
    )
    return objective, design.features(slice(0, ROWS)), labels, weights


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_value_and_gradient_are_torchs(classes: int) -> None:
    objective, X, labels, weights = made(classes)
    vectors = torch.randn(3, objective.vectors, DIM + 1, dtype=torch.float64, requires_grad=True)
    values = []
    for p, smoothing in enumerate(SMOOTHING.tolist()):
        logits = X @ vectors[p, :, :-1].T + vectors[p, :, -1]
        if classes == 2:  # the one vector is of the rarer class
            rarer = int(torch.bincount(labels[p], weights[p], 2).argmin())
            logits = logits * (torch.arange(2) == rarer)
        each = cross_entropy(logits, labels[p], reduction="none", label_smoothing=smoothing)
        values.append((each * weights[p]).sum() / weights[p].sum())
    torch.stack(values).sum().backward()
    found, gradient = objective.evaluate(vectors.detach(), torch.arange(3))
    np.testing.assert_allclose(found, torch.stack(values).detach(), rtol=1e-12)
    assert vectors.grad is not None
    np.testing.assert_allclose(gradient, vectors.grad, atol=1e-12)


@pytest.mark.parametrize("classes", [2, 4])
def test_the_start_is_the_optimum_without_weights(classes: int) -> None:
    objective, *_ = made(classes)
    _, gradient = objective.evaluate(objective.start(), torch.arange(3))
    np.testing.assert_allclose(gradient[..., -1], 0, atol=1e-12)


@pytest.mark.parametrize("classes", [2, 4])
def test_seeds_lead_to_one_optimum(classes: int) -> None:
    found: dict[int, Any] = {}

    def keep(seeds: list[int], into: dict[int, Any]) -> None:
        objective, *_ = made(classes, seeds=torch.tensor(seeds), weighted=False)
        starts = objective.start()
        assert not bool(starts[0, :, :-1].any()) and bool(starts[1, :, :-1].any())

        def done(solution: Solution) -> bool:
            into[solution.problem] = solution
            return False

        solve(objective, [3.0], done)

    keep([0, 1, 2], found)
    other: dict[int, Any] = {}
    keep([0, 7, 8], other)
    for problem in range(3):
        assert found[problem].converged
        np.testing.assert_allclose(found[problem].vectors, other[problem].vectors, atol=1e-6)


def test_a_class_without_weight_gets_no_share() -> None:
    X = np.random.default_rng(0).normal(size=(30, 2))
    labels = torch.from_numpy(np.arange(30) % 3)[None]
    weights = (labels != 2).double()
    objective = SmoothedObjective(
        DenseDesign(X, Moments.of([X])), labels, 3, weights, smoothing=torch.tensor([0.2])
    )
    value, gradient = objective.evaluate(objective.start(), torch.tensor([0]))
    assert float(value) == pytest.approx(np.log(2))
    assert not bool(gradient[0, 2].any())


def test_a_share_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="below 1"):
        X = np.eye(3)
        labels = torch.tensor([[0, 1, 2]])
        SmoothedObjective(DenseDesign(X, Moments.of([X])), labels, 3, smoothing=torch.tensor([1.0]))

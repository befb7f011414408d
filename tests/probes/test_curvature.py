"""The estimates of the curvature against Hessians written out in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.special import softmax
from torch import Tensor

from layerwise.probes.curvature import (
    BlockCurvature,
    Curvatures,
    Gram,
    SharedCurvature,
    class_blocks,
    class_covariance,
)
from layerwise.probes.design import DenseDesign, Moments
from layerwise.probes.objective import Objective

Array = NDArray[Any]

PROBLEM = torch.tensor([0])


def drawn(rows: int = 400, dim: int = 6, classes: int = 3, seed: int = 0) -> tuple[Array, Array]:
    """Correlated features, a few rows far out, and labels that follow them."""
    random = np.random.default_rng(seed)
    X = random.standard_t(5, size=(rows, dim)) @ random.normal(size=(dim, dim))
    logits = X @ random.normal(size=(dim, classes)) / 3
    return X, (logits + random.gumbel(size=logits.shape)).argmax(axis=1)


def standard(X: Array) -> Array:
    return (X - X.mean(axis=0)) / X.std(axis=0)


def design_of(X: Array) -> DenseDesign:
    return DenseDesign(X, Moments.of([X]), part=100)


def objective_of(X: Array, y: Array, classes: int, weights: Array | None = None) -> Objective:
    each = None if weights is None else torch.from_numpy(weights)[None]
    return Objective(design_of(X), torch.from_numpy(y)[None], classes, each)


def vectors_of(classes: int, dim: int) -> Tensor:
    generator = torch.Generator().manual_seed(4)
    shape = (1, 1 if classes == 2 else classes, dim + 1)
    return torch.randn(shape, generator=generator, dtype=torch.float64) / 2


def probabilities(vectors: Tensor, X: Array) -> Array:
    """Of the classes that have a vector."""
    scores = standard(X) @ vectors[0, :, :-1].numpy().T + vectors[0, :, -1].numpy()
    if scores.shape[1] == 1:
        return softmax(np.hstack([scores, np.zeros_like(scores)]), axis=1)[:, :1]
    return softmax(scores, axis=1)


def hessian(p: Array, X: Array, w: Array) -> Array:
    """Of the mean loss, (vectors, dim + 1, vectors, dim + 1)."""
    rows = np.hstack([standard(X), np.ones((len(X), 1))])
    bend = p[:, :, None] * np.eye(p.shape[1]) - p[:, :, None] * p[:, None]
    return np.einsum("n,nab,ni,nj->aibj", w / w.sum(), bend, rows, rows)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_gram_is_the_covariance_of_the_features(weighted: bool) -> None:
    X = drawn(rows=40)[0]  # few enough for all to be used
    w = np.random.default_rng(1).exponential(size=40) if weighted else np.ones(40)
    gram = Gram(design_of(X), torch.from_numpy(w) if weighted else None)
    Z = standard(X)
    np.testing.assert_allclose(gram.matrix, (Z.T * w) @ Z / w.sum(), atol=1e-12)
    rebuilt = gram.axes @ torch.diag(gram.values) @ gram.axes.T
    np.testing.assert_allclose(rebuilt, gram.matrix, atol=1e-12)


def test_leverage_is_near_that_of_the_hat_matrix() -> None:
    X = drawn(rows=2000)[0]
    Z = standard(X)
    exact = np.einsum("ni,ij,nj->n", Z, np.linalg.inv(Z.T @ Z), Z)
    found = Gram(design_of(X)).leverage.numpy()
    assert found.mean() == pytest.approx(1)
    ratio = found * exact.mean() / exact
    assert 0.4 < ratio.min() and ratio.max() < 2


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_covariance_of_the_classes_is_a_mean_over_rows(classes: int, weighted: bool) -> None:
    X, y = drawn(rows=60, classes=classes)
    w = np.random.default_rng(1).exponential(size=60) if weighted else np.ones(60)
    vectors = vectors_of(classes, 6)
    found = class_covariance(objective_of(X, y, classes, w if weighted else None), vectors, PROBLEM)
    p = probabilities(vectors, X)
    bend = p[:, :, None] * np.eye(p.shape[1]) - p[:, :, None] * p[:, None]
    np.testing.assert_allclose(found, np.average(bend, axis=0, weights=w), atol=1e-12)


@pytest.mark.parametrize("classes", [2, 4])
def test_at_the_start_the_shared_estimate_is_the_inverse_hessian(classes: int) -> None:
    X, y = drawn(rows=40, classes=classes)
    objective = objective_of(X, y, classes)
    start = objective.start()
    curvature = SharedCurvature(
        Gram(objective.design), class_covariance(objective, start, PROBLEM), 0.3
    )
    gradient = torch.randn(start.shape, generator=torch.Generator().manual_seed(0)).double()
    if classes > 2:  # along equal steps of all vectors the loss is flat
        gradient -= gradient.mean(dim=1, keepdim=True)
    step = curvature(gradient)[0].numpy()
    back = np.einsum("aibj,bj->ai", hessian(probabilities(start, X), X, np.ones(40)), step)
    back[:, :-1] += 0.3 * step[:, :-1]
    np.testing.assert_allclose(back, gradient[0], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_blocks_from_a_sample_bend_as_the_hessian_does(classes: int, weighted: bool) -> None:
    X, y = drawn(rows=6000, classes=classes)
    w = np.random.default_rng(1).exponential(size=6000) if weighted else np.ones(6000)
    objective = objective_of(X, y, classes, w if weighted else None)
    vectors = vectors_of(classes, 6)
    found = class_blocks(objective, Gram(objective.design), vectors, PROBLEM)
    exact = hessian(probabilities(vectors, X), X, w)
    assert found.shape == (len(exact), 7, 7)
    for vector, block in enumerate(found.numpy()):
        ratios = eigh(block, exact[vector, :, vector], eigvals_only=True)
        # 8 rows a feature leave a spread of (1 +- sqrt(1 / 8)) ** 2, or 0.4 to 1.8.
        assert 1 / 3 < ratios.min() and ratios.max() < 3


@pytest.mark.parametrize("vectors", [1, 3])
def test_a_block_estimate_solves_for_each_vector(vectors: int) -> None:
    random = np.random.default_rng(0)
    roots = random.normal(size=(vectors, 5, 9))
    matrices = roots @ roots.transpose(0, 2, 1)
    gradient = random.normal(size=(2, vectors, 5))
    step = BlockCurvature(torch.from_numpy(matrices), 0.5)(torch.from_numpy(gradient)).numpy()
    ridge = np.diag([0.5] * 4 + [0])
    expected = np.stack(
        [
            np.linalg.solve(m + ridge, g)
            for m, g in zip(matrices, gradient.swapaxes(0, 1).swapaxes(1, 2), strict=True)
        ]
    ).transpose(2, 0, 1)
    if vectors > 1:
        expected -= expected.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(step, expected, rtol=1e-3, atol=1e-3)


def test_a_block_without_any_curvature_does_not_fail() -> None:
    curvature = BlockCurvature(torch.zeros(3, 5, 5, dtype=torch.float64), 0.1)
    assert bool(torch.isfinite(curvature(torch.ones(1, 3, 5, dtype=torch.float64))).all())


def test_an_estimate_of_blocks_is_due_once_passes_have_paid_for_it() -> None:
    X, y = drawn()
    curvatures = Curvatures(objective_of(X, y, 3))
    vectors = vectors_of(3, 6)[0]
    assert isinstance(curvatures.at(0, 1.0, vectors), SharedCurvature)
    passes = 0
    while not curvatures.is_due(0):
        curvatures.count(PROBLEM)
        passes += 1
        assert passes < 1000
    assert passes >= curvatures.price
    assert isinstance(curvatures.at(0, 1.0, vectors), BlockCurvature)
    assert not curvatures.is_due(0)
    assert isinstance(curvatures.at(0, 0.1, vectors), BlockCurvature)


@pytest.mark.parametrize("classes", [2, 4])
def test_every_estimate_leads_downhill(classes: int) -> None:
    X, y = drawn(rows=50, dim=12, classes=classes)
    X[:, 3] = X[:, 4]  # rank-deficient
    objective = objective_of(X, y, classes)
    gram = Gram(objective.design)
    vectors = vectors_of(classes, 12)
    gradient = objective.evaluate(vectors, PROBLEM)[1]
    estimates = (
        SharedCurvature(gram, class_covariance(objective, vectors, PROBLEM), 1e-4),
        BlockCurvature(class_blocks(objective, gram, vectors, PROBLEM), 1e-4),
    )
    for estimate in estimates:
        assert float((gradient * estimate(gradient)).sum()) > 0

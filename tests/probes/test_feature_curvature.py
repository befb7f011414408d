"""The curvature of sparse features against Hessians written out in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import softmax
from torch import Tensor

from layerwise.probes.curvature import Curvatures, class_covariance
from layerwise.probes.design import Moments
from layerwise.probes.feature_curvature import FeatureCurvature, class_sums
from layerwise.probes.objective import Objective
from layerwise.probes.sparse_design import SparseDesign, sparse_moments

Array = NDArray[Any]

PROBLEM = torch.tensor([0])


def objective_of(
    classes: int, weights: Array | None = None, *, centred: bool = True
) -> tuple[Objective, Array]:
    """On one-hot words, and those standardised."""
    random = np.random.default_rng(0)
    numbers = np.minimum(random.zipf(1.5, size=300), 8) - 1
    matrix = csr_array(np.eye(8, dtype=np.float32)[numbers])
    moments = sparse_moments(matrix)
    if not centred:
        moments = Moments(np.zeros(8), moments.scale)
    labels = torch.from_numpy(random.integers(0, classes, size=(1, 300)))
    each = None if weights is None else torch.from_numpy(weights)[None]
    objective = Objective(SparseDesign(matrix, moments, part=90), labels, classes, each)
    return objective, moments.standardise(matrix.toarray())


def vectors_of(classes: int) -> Tensor:
    generator = torch.Generator().manual_seed(4)
    shape = (1, 1 if classes == 2 else classes, 9)
    return torch.randn(shape, generator=generator, dtype=torch.float64) / 3


def probabilities(vectors: Tensor, X: Array) -> Array:
    """Of the classes that have a vector."""
    scores = X @ vectors[0, :, :-1].numpy().T + vectors[0, :, -1].numpy()
    if scores.shape[1] == 1:
        return softmax(np.hstack([scores, np.zeros_like(scores)]), axis=1)[:, :1]
    return softmax(scores, axis=1)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("weighted", [False, True])
def test_blocks_bend_as_much_as_the_hessian_does(classes: int, weighted: bool) -> None:
    w = np.random.default_rng(1).exponential(size=300) if weighted else np.ones(300)
    objective, X = objective_of(classes, w if weighted else None)
    vectors = vectors_of(classes)
    p = probabilities(vectors, X)
    found = class_sums(objective, vectors, PROBLEM).numpy()
    bend = (p * (1 - p) * w[:, None]).T @ X**2 / w.sum()  # (vectors, dim): the diagonal
    if classes == 2:
        np.testing.assert_allclose(found, bend, atol=1e-10)
        return
    # As a sum over all classes; of the classes each has its share of the rows.
    total = found.sum(axis=0)
    np.testing.assert_allclose(total - (found**2).sum(axis=0) / total, bend.sum(axis=0))
    shares = (p * w[:, None]).T @ X**2
    np.testing.assert_allclose(found / total, shares / shares.sum(axis=0))


@pytest.mark.parametrize("penalty", [1e-6, 0.3])
@pytest.mark.parametrize("vectors", [1, 4])
def test_it_solves_for_each_feature(vectors: int, penalty: float) -> None:
    random = np.random.default_rng(0)
    sums = random.exponential(size=(vectors, 6))
    p = random.dirichlet(np.ones(4))
    outer = np.diag(p) - np.outer(p, p) if vectors > 1 else np.array([[p[0] * (1 - p[0])]])
    gradient = random.normal(size=(3, vectors, 7))
    if vectors > 1:  # along equal steps of all vectors the loss is flat
        gradient -= gradient.mean(axis=1, keepdims=True)
    curvature = FeatureCurvature(torch.from_numpy(sums), torch.from_numpy(outer), penalty)
    step = curvature(torch.from_numpy(gradient)).numpy()
    for feature, s in enumerate(sums.T):
        block = np.diag(s) - np.outer(s, s) / s.sum() if vectors > 1 else np.diag(s)
        back = step[:, :, feature] @ (block + penalty * np.eye(vectors))
        np.testing.assert_allclose(back, gradient[:, :, feature], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(step[:, :, -1] @ outer, gradient[:, :, -1], atol=1e-6)


@pytest.mark.parametrize("classes", [2, 4])
def test_of_one_hot_words_it_is_the_hessian_of_each_form(classes: int) -> None:
    objective, X = objective_of(classes, centred=False)
    vectors = vectors_of(classes)
    covariance = class_covariance(objective, vectors, PROBLEM)
    curvature = FeatureCurvature(class_sums(objective, vectors, PROBLEM), covariance, 0.01)
    p = probabilities(vectors, X)
    bend = p[:, :, None] * np.eye(p.shape[1]) - p[:, :, None] * p[:, None]
    gradient = np.random.default_rng(0).normal(size=(1, len(vectors[0]), 9))
    if classes > 2:
        gradient -= gradient.mean(axis=1, keepdims=True)
    step = curvature(torch.from_numpy(gradient)).numpy()[0]
    for feature in range(8):
        block = np.einsum("n,nab->ab", X[:, feature] ** 2, bend) / len(X)
        back = (block + 0.01 * np.eye(len(block))) @ step[:, feature]
        np.testing.assert_allclose(back, gradient[0, :, feature], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("penalty", [1e-9, 5.0])
def test_a_word_that_is_certain_or_that_never_occurs_does_not_fail(penalty: float) -> None:
    sums = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    curvature = FeatureCurvature(sums, torch.zeros(3, 3), penalty)
    assert bool(torch.isfinite(curvature(torch.randn(2, 3, 4))).all())


@pytest.mark.parametrize("classes", [2, 4])
def test_it_leads_downhill_and_is_made_anew_once_passes_have_paid_for_it(classes: int) -> None:
    objective, _ = objective_of(classes)
    curvatures, vectors = Curvatures(objective), vectors_of(classes)
    gradient = objective.evaluate(vectors, PROBLEM)[1]
    first = curvatures.at(0, 1e-4, vectors[0])
    assert float((gradient * first(gradient)).sum()) > 0
    assert not curvatures.is_due(0)
    torch.testing.assert_close(curvatures.at(0, 1e-4, vectors[0])(gradient), first(gradient))
    passes = 0
    while not curvatures.is_due(0):
        curvatures.count(PROBLEM)
        passes += 1
        assert passes < 100
    again = curvatures.at(0, 1e-4, 3 * vectors[0])
    assert not curvatures.is_due(0)
    assert float((again(gradient) - first(gradient)).abs().max()) > 1e-3

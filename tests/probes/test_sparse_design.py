"""The sparse design against the same features written out, scikit-learn and a closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from layerwise.probes.design import DenseDesign, Design, Moments
from layerwise.probes.linear import LinearProbe
from layerwise.probes.sparse_design import SparseDesign, sparse_moments

torch.set_num_threads(1)

Array = NDArray[Any]


def drawn(seed: int, rows: int, dim: int, density: float = 0.3) -> csr_array:
    """Values of some size, some rows without any, and a first feature that never varies."""
    random = np.random.default_rng(seed)
    written = random.normal(1, 2, size=(rows, dim)) * (random.random((rows, dim)) < density)
    written[:, 0] = seed % 2
    written[random.random(rows) < 0.1, 1:] = 0
    return csr_array(written.astype(np.float32))


def one_hot(numbers: Array, types: int) -> csr_array:
    ones = np.ones(len(numbers), dtype=np.float32)
    return csr_array((ones, numbers, np.arange(len(numbers) + 1)), shape=(len(numbers), types))


def words(rows: int, types: int, classes: int, seed: int = 0) -> tuple[csr_array, Array]:
    """Words as frequent as words are, and labels: a word has one that it mostly takes."""
    random = np.random.default_rng(seed)
    numbers = np.minimum(random.zipf(1.3, size=rows) - 1, types - 1)
    usual = random.integers(0, classes, size=types)
    sure = random.uniform(0.5, 1, size=types)
    other = random.integers(0, classes, size=rows)
    labels = np.where(random.random(rows) < sure[numbers], usual[numbers], other)
    return one_hot(numbers, types), labels


def both(matrix: csr_array, part: int = 7) -> tuple[SparseDesign, DenseDesign]:
    written = matrix.toarray()
    return (
        SparseDesign(matrix, sparse_moments(matrix), part=part),
        DenseDesign(written, Moments.of([written]), part=part),
    )


def a_pass(design: Design) -> tuple[Tensor, Tensor]:
    """All logits of three columns, and the gradient of the sum of their log cosh."""
    columns = torch.arange(3 * design.dim, dtype=design.dtype).view(3, -1).sin()
    sweep = design.sweep(columns, torch.tensor([0.5, -2, 0], dtype=design.dtype))
    logits = []
    for rows in design.parts():
        part = sweep.logits(rows)
        logits.append(part.clone())
        sweep.add(rows, part.tanh())
    return torch.cat(logits, dim=1), sweep.gradient()


def near(got: Tensor, expected: Tensor, tolerance: float = 1e-9) -> None:
    assert got.shape == expected.shape and got.dtype == expected.dtype
    scale = max(1.0, float(expected.abs().max()))
    assert float((got - expected).abs().max()) <= tolerance * scale


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 999), rows=st.integers(1, 40), dim=st.integers(1, 8))
def test_it_is_the_design_of_the_rows_written_out(seed: int, rows: int, dim: int) -> None:
    ours, plain = both(drawn(seed, rows, dim))
    assert (ours.rows, ours.dim, ours.dtype) == (plain.rows, plain.dim, torch.float64)
    some = torch.from_numpy(np.random.default_rng(seed).integers(0, rows, size=rows // 2 + 1))
    for mine, other in [(ours, plain), (ours.take(some), plain.take(some))]:
        near(mine.features(slice(0, 5)), other.features(slice(0, 5)))
        near(mine.features(some % mine.rows), other.features(some % mine.rows))
        assert list(mine.parts()) == list(other.parts())
        for got, expected in zip(a_pass(mine), a_pass(other), strict=True):
            near(got, expected)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 999), rows=st.integers(1, 40), dim=st.integers(1, 8))
def test_moments_are_those_of_the_rows_written_out(seed: int, rows: int, dim: int) -> None:
    matrix = drawn(seed, rows, dim)
    got, expected = sparse_moments(matrix), Moments.of([matrix.toarray()])
    assert np.isinf(got.scale[0])
    np.testing.assert_allclose(got.mean, expected.mean, atol=1e-12)
    np.testing.assert_allclose(got.scale, expected.scale, rtol=1e-9)


def test_a_form_seen_once_in_a_million_words_is_no_constant() -> None:
    count = 2**20
    moments = sparse_moments(one_hot(np.arange(count) == 5, 2))
    p = 1 / count
    np.testing.assert_allclose(moments.mean, [1 - p, p], rtol=1e-12)
    np.testing.assert_allclose(moments.scale, (p * (1 - p)) ** 0.5, rtol=1e-9)


def test_float32_is_enough() -> None:
    matrix = one_hot(np.minimum(np.random.default_rng(0).zipf(1.3, size=3000), 400) - 1, 400)
    ours, plain = both(matrix, part=512)
    assert ours.dtype == torch.float32
    exact = torch.from_numpy(Moments.of([matrix.toarray()]).standardise(matrix.toarray()))
    near(ours.features(slice(0, 3000)), exact.float(), 1e-6)
    for got, expected in zip(a_pass(ours), a_pass(plain), strict=True):
        near(got, expected, 1e-5)


@pytest.mark.parametrize("rows", [9, 3000])
def test_sums_of_squares_are_those_of_the_rows_written_out(rows: int) -> None:
    matrix = drawn(3, rows, 200, 0.1)
    ours, _ = both(matrix, part=512)
    weights = np.random.default_rng(1).random((4, rows))
    exact = Moments.of([matrix.toarray()]).standardise(matrix.toarray())
    near(
        ours.square_sums(torch.from_numpy(weights).to(ours.dtype)),
        torch.from_numpy(weights @ exact**2).to(ours.dtype),
        1e-5 if rows == 3000 else 1e-9,
    )


def test_moments_of_other_features_are_refused() -> None:
    with pytest.raises(ValueError, match="moments of 3 features, not 4"):
        SparseDesign(drawn(0, 5, 4), sparse_moments(drawn(0, 5, 3)))


@pytest.mark.parametrize("classes", [2, 5])
def test_a_fit_is_that_on_the_rows_written_out(classes: int) -> None:
    matrix, labels = words(1000, 40, classes)
    probe = LinearProbe(l2=(1e3, 30.0), patience=9, tolerance=1e-9)
    # A second problem has weights, as a refit has.
    weights = np.random.default_rng(0).integers(0, 3, size=(2, 1000)).astype(float)
    weights[0] = 1
    fits = []
    for design in both(matrix, part=512):
        arguments = (design, np.stack([labels] * 2), design, np.stack([labels] * 2))
        fitted = probe.fit_stack(*arguments, classes=classes, weights=weights)
        assert all(step.converged for fit in fitted for step in fit.path)
        fits.append((fitted, [fit.predict_proba(design) for fit in fitted]))
    (ours, mine), (plain, other) = fits
    np.testing.assert_allclose(mine, other, atol=1e-4)
    for a, b in zip(ours, plain, strict=True):
        assert a.solution.value == pytest.approx(b.solution.value, rel=1e-7)
        np.testing.assert_allclose(a.weights()[:, :-1], b.weights()[:, :-1], atol=1e-3)


@pytest.mark.parametrize("l2", [30.0, 1000.0])
@pytest.mark.parametrize("classes", [2, 4])
def test_the_optimum_is_that_of_scikit_learn_which_takes_no_mean_off(
    classes: int, l2: float
) -> None:
    matrix, labels = words(3000, 150, classes)
    moments = sparse_moments(matrix)
    design = SparseDesign(matrix, moments)
    probe = LinearProbe(l2=l2, tolerance=1e-9)
    nobody = np.full((1, 3000), -1)
    (fit,) = probe.fit_stack(design, labels[None], design, nobody, classes=classes)
    assert fit.solution.converged
    inverse = np.where(np.isinf(moments.scale), 0, 1 / moments.scale)
    scaled = (matrix @ diags_array(inverse)).tocsr()
    peer = LogisticRegression(C=1 / l2, tol=1e-9, max_iter=5000).fit(scaled, labels)
    np.testing.assert_allclose(fit.predict_proba(design), peer.predict_proba(scaled), atol=2e-4)
    np.testing.assert_allclose(fit.weights()[:, :-1], peer.coef_, atol=2e-3)


def test_under_a_huge_l2_a_weight_is_a_count() -> None:
    """To first order in 1 / l2 a weight is the gradient at the class shares over l2: for a form,
    its count in the class less what the shares let expect, over its spread."""
    matrix, labels = words(2000, 30, 3)
    moments, l2 = sparse_moments(matrix), 1e7
    design = SparseDesign(matrix, moments)
    probe = LinearProbe(l2=l2, tolerance=1e-12)
    nobody = np.full((1, 2000), -1)
    (fit,) = probe.fit_stack(design, labels[None], design, nobody, classes=3)
    counts = np.stack([matrix[labels == c].sum(axis=0) for c in range(3)])
    expected = np.bincount(labels)[:, None] / 2000 * matrix.sum(axis=0)
    closed = (counts - expected) / moments.scale / l2
    np.testing.assert_allclose(fit.weights()[:, :-1], closed, atol=2e-3 * np.abs(closed).max())


def test_the_path_of_one_hot_words_takes_few_passes() -> None:
    matrix, labels = words(20_000, 3000, 8)
    design = SparseDesign(matrix, sparse_moments(matrix))
    probe = LinearProbe(l2=(1e5, 1e4, 1e3, 100.0), patience=9)
    (fit,) = probe.fit_stack(design, labels[None], design, labels[None], classes=8)
    assert all(step.converged for step in fit.path)
    # 102 with the curvature that very wide dense features get.
    assert sum(step.passes for step in fit.path) <= 30

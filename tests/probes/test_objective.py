"""The objective of many problems against the plain softmax of one, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax
from torch import Tensor

from layerwise.probes import design as designs
from layerwise.probes.design import DenseDesign, Moments
from layerwise.probes.objective import Objective

Array = NDArray[Any]


def standard(X: Array) -> Array:
    return (X - X.mean(axis=0)) / X.std(axis=0)


def design_of(X: Array, part: int | None = 7) -> DenseDesign:
    return DenseDesign(X, Moments.of([X]), part=part)


def objective_of(
    X: Array, y: Array, classes: int, weights: Array | None = None, part: int | None = 7
) -> Objective:
    each = None if weights is None else torch.from_numpy(weights)
    return Objective(design_of(X, part), torch.from_numpy(y), classes, each)


def all_logits(vectors: Tensor, X: Array) -> Tensor:
    """Those of every class, (rows, classes): with one vector the first class has 0."""
    scores = torch.from_numpy(standard(X)) @ vectors[:, :-1].T + vectors[:, -1]
    return torch.cat([torch.zeros_like(scores), scores], dim=1) if len(vectors) == 1 else scores


def plainly(vectors: Array, X: Array, y: Array, w: Array, classes: int) -> tuple[float, Array]:
    """One problem's value and gradient by autograd; classes without weight are masked out.

    The vector of a binary problem is that of the rarer class, here the second.
    """
    free = torch.tensor(vectors, dtype=torch.float64, requires_grad=True)
    logits = all_logits(free, X)
    share = np.bincount(y, w, classes)
    logits = logits.masked_fill(torch.from_numpy(share == 0), -torch.inf)
    used = torch.from_numpy(w > 0)
    right = logits.log_softmax(dim=1)[used, torch.from_numpy(y)[used]]
    value = -(torch.from_numpy(w)[used] * right).sum() / w.sum()
    value.backward()
    return float(value.detach()), free.grad.numpy()


def drawn(
    seed: int, classes: int, problems: int = 4, rows: int = 40, dim: int = 5
) -> tuple[Array, Array, Array, Array]:
    """Features, labels that lack classes here and there, weights with zeros, and vectors."""
    random = np.random.default_rng(seed)
    X = random.normal(3, 2, size=(rows, dim))
    y = random.integers(0, classes, size=(problems, rows))
    y[0] = classes - 1  # one class only
    y[1, y[1] == 0] = 1  # a class is absent
    w = random.choice([0, 0.5, 1, 3], size=y.shape)
    w[:, :2] = 1
    w[-1, y[-1] == 1] = 0  # a class has no weight
    if classes == 2:  # the second class the rarer one, as the oracle wants it
        y = np.where((w * y).sum(axis=1, keepdims=True) > w.sum(axis=1)[:, None] / 2, 1 - y, y)
    vectors = random.normal(size=(problems, 1 if classes == 2 else classes, dim + 1))
    return X, y, w, vectors


seeds = st.integers(0, 2**32 - 1)


class TestEvaluate:
    @given(seed=seeds, classes=st.integers(2, 5), weighted=st.booleans(), data=st.data())
    @settings(max_examples=40, deadline=None)
    def test_values_and_gradients_are_those_of_the_plain_softmax(
        self, seed: int, classes: int, weighted: bool, data: st.DataObject
    ) -> None:
        X, y, w, vectors = drawn(seed, classes)
        if not weighted:
            if classes == 2:
                y = np.where(y.mean(axis=1, keepdims=True) > 0.5, 1 - y, y)
            w = np.ones_like(w)
        objective = objective_of(X, y, classes, w if weighted else None)
        which = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True))
        value, gradient = objective.evaluate(torch.from_numpy(vectors[which]), torch.tensor(which))
        for n, p in enumerate(which):
            expected = plainly(vectors[p], X, y[p], w[p], classes)
            assert float(value[n]) == pytest.approx(expected[0], rel=1e-12, abs=1e-12)
            np.testing.assert_allclose(gradient[n], expected[1], atol=1e-12)

    def test_the_vector_of_two_classes_is_that_of_the_rarer_one(self) -> None:
        X, y, w, vectors = drawn(0, 2)
        value, gradient = objective_of(X, 1 - y, 2, w).evaluate(
            torch.from_numpy(vectors), torch.arange(4)
        )
        for p in range(4):
            expected = plainly(vectors[p], X, y[p], w[p], 2)
            assert float(value[p]) == pytest.approx(expected[0], abs=1e-12)
            np.testing.assert_allclose(gradient[p], expected[1], atol=1e-12)

    def test_single_precision_is_exact_to_single_precision(self) -> None:
        X, y, w, vectors = drawn(3, 4, rows=1100, dim=480)
        vectors /= 20
        objective = objective_of(X, y, 4, w, part=None)
        assert objective.design.dtype == torch.float32
        value, gradient = objective.evaluate(torch.from_numpy(vectors).float(), torch.arange(4))
        for p in range(1, 4):
            expected = plainly(vectors[p], X, y[p], w[p], 4)
            assert float(value[p]) == pytest.approx(expected[0], rel=1e-6)
            np.testing.assert_allclose(gradient[p], expected[1], atol=1e-6)

    @pytest.mark.parametrize("classes", [2, 4])
    @pytest.mark.parametrize("size", [1e3, 1e30])
    def test_huge_logits_do_not_overflow(self, size: float, classes: int) -> None:
        X, y, w, vectors = drawn(5, classes)
        value, gradient = objective_of(X, y, classes, w).evaluate(
            torch.from_numpy(size * vectors), torch.arange(4)
        )
        for p in range(4):
            expected = plainly(size * vectors[p], X, y[p], w[p], classes)
            assert float(value[p]) == pytest.approx(expected[0], rel=1e-9)
            np.testing.assert_allclose(gradient[p], expected[1], atol=1e-9)

    def test_huge_logits_do_not_overflow_in_single_precision(self) -> None:
        X, y, w, vectors = drawn(5, 4, rows=1100, dim=480)
        value, gradient = objective_of(X, y, 4, w, part=None).evaluate(
            torch.from_numpy(1e3 * vectors).float(), torch.arange(4)
        )
        for p in range(4):
            expected = plainly(1e3 * vectors[p], X, y[p], w[p], 4)[0]
            assert float(value[p]) == pytest.approx(expected, rel=1e-5)
        assert bool(torch.isfinite(gradient).all())

    @pytest.mark.parametrize("classes", [2, 4])
    def test_the_loss_of_rows_that_are_sure_is_not_rounded_away(
        self, classes: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On a separable set the sum of such losses is all that a line search sees."""
        monkeypatch.setattr(designs, "EXACT", 0)
        X = np.where(np.arange(60) < 20, 1.0, -1.0)[:, None]
        y = (X.T > 0).astype(int)  # the second class is the rarer one
        vectors = np.zeros((1, 1 if classes == 2 else classes, 2))
        vectors[0, -1 if classes == 2 else 1] = 15, 0
        objective = objective_of(X, y, classes)
        assert objective.design.dtype == torch.float32
        value, _ = objective.evaluate(torch.from_numpy(vectors).float(), torch.tensor([0]))
        expected = plainly(vectors[0], X, y[0], np.ones(60), classes)[0]
        assert 1e-10 < expected < 1e-4
        assert float(value[0]) == pytest.approx(expected, rel=1e-4)

    @given(seed=seeds, classes=st.integers(2, 5))
    @settings(max_examples=15, deadline=None)
    def test_the_start_is_the_optimum_without_weights(self, seed: int, classes: int) -> None:
        X, y, w, _ = drawn(seed, classes)
        objective = objective_of(X, y, classes, w)
        start = objective.start()
        value, gradient = objective.evaluate(start, torch.arange(4))
        assert (start[..., :-1] == 0).all() and bool(torch.isfinite(start).all())
        np.testing.assert_allclose(gradient[..., -1], 0, atol=1e-12)
        for p in range(4):
            share = np.bincount(y[p], w[p]) / w[p].sum()
            entropy = -(share[share > 0] * np.log(share[share > 0])).sum()
            assert float(value[p]) == pytest.approx(entropy, abs=1e-12)


class TestProbabilities:
    @given(seed=seeds, classes=st.integers(2, 5), size=st.sampled_from([1.0, 30.0, 1e4]))
    @settings(max_examples=30, deadline=None)
    def test_they_are_those_of_the_softmax_and_sum_to_1(
        self, seed: int, classes: int, size: float
    ) -> None:
        X, y, w, vectors = drawn(seed, classes)
        objective = objective_of(X, y, classes, w)
        which = torch.tensor([3, 1])
        given_to = (objective.design, torch.from_numpy(size * vectors)[which], which)
        found = torch.cat(list(objective.probabilities(*given_to)), dim=2).numpy()
        logs = torch.cat(list(objective.log_probabilities(*given_to)), dim=2).numpy()
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
        for n, p in enumerate(which.tolist()):
            logits = all_logits(torch.from_numpy(size * vectors[p]), X).numpy()
            logits[:, np.bincount(y[p], w[p], classes) == 0] = -np.inf
            np.testing.assert_allclose(found[n].T, softmax(logits, axis=1), atol=1e-12)
            np.testing.assert_allclose(
                logs[n].T, log_softmax(logits, axis=1), rtol=1e-9, atol=1e-12
            )

    def test_they_are_asked_for_of_rows_that_were_not_fitted(self) -> None:
        X, y, w, vectors = drawn(1, 3)
        objective = objective_of(X, y, 3, w)
        new = DenseDesign(5 * X[:9], Moments.of([X]), part=4)
        parts = objective.probabilities(new, torch.from_numpy(vectors[2:3]), torch.tensor([2]))
        found = torch.cat(list(parts), dim=2)[0].numpy()
        rows = (5 * X[:9] - X.mean(axis=0)) / X.std(axis=0)
        logits = rows @ vectors[2, :, :-1].T + vectors[2, :, -1]
        np.testing.assert_allclose(found.T, softmax(logits, axis=1), atol=1e-12)

    def test_a_class_without_weight_has_none(self) -> None:
        X, y, w, vectors = drawn(2, 4)
        parts = objective_of(X, y, 4, w).probabilities(
            design_of(X), torch.from_numpy(vectors), torch.arange(4)
        )
        found = torch.cat(list(parts), dim=2)
        absent = np.stack([np.bincount(*each, 4) == 0 for each in zip(y, w, strict=True)])
        assert ((found == 0).all(dim=2).numpy() == absent).all()
        assert absent.sum() == 3 + 1 + 1

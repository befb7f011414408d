"""Moments and designs against numpy in float64, in memory and streamed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from layerwise.probes.design import EXACT, PART, DenseDesign, Design, Moments

Array = NDArray[Any]


def drawn(rows: int = 50, dim: int = 6, mean: float = 2.0, seed: int = 0) -> Array:
    random = np.random.default_rng(seed)
    return random.normal(mean, random.uniform(0.1, 3, size=dim), size=(rows, dim))


def standard(X: Array) -> Array:
    X = X.astype(np.float64)
    return (X - X.mean(axis=0)) / X.std(axis=0)


def all_rows(design: Design) -> Array:
    return torch.cat([design.features(rows) for rows in design.parts()]).double().numpy()


def a_pass(design: Design) -> tuple[Tensor, Tensor]:
    """All logits of two columns, and the gradient of the sum of their log cosh."""
    columns = torch.arange(2 * design.dim, dtype=design.dtype).view(2, -1).sin()
    sweep = design.sweep(columns, torch.tensor([0.5, -2], dtype=design.dtype))
    logits = []
    for rows in design.parts():
        part = sweep.logits(rows)
        logits.append(part.clone())
        sweep.add(rows, part.tanh())
    return torch.cat(logits, dim=1), sweep.gradient()


class TestMoments:
    @given(
        seed=st.integers(0, 2**32 - 1),
        mean=st.sampled_from([0.0, 3.0, -1e6, 1e9]),
        cuts=st.lists(st.integers(1, 49), max_size=4, unique=True),
    )
    @settings(max_examples=30, deadline=None)
    def test_they_are_those_of_numpy_however_the_rows_are_cut(
        self, seed: int, mean: float, cuts: list[int]
    ) -> None:
        X = drawn(mean=mean, seed=seed)
        found = Moments.of(np.split(X, sorted(cuts)))
        np.testing.assert_allclose(found.mean, X.mean(axis=0), rtol=1e-12, atol=1e-12)
        spread = X.std(axis=0)
        # Below a millionth of the mean a spread may be rounding error, and counts as none.
        known = spread > 2e-6 * np.abs(mean)
        np.testing.assert_allclose(found.scale[known], spread[known], rtol=1e-6)
        assert np.isinf(found.scale[spread < 0.5e-6 * np.abs(mean)]).all()

    def test_those_of_float16_are_summed_in_float64(self) -> None:
        X = (1000 + drawn(rows=5000, mean=0.0)).astype(np.float16)
        found = Moments.of_rows(X)
        np.testing.assert_allclose(found.mean, X.astype(np.float64).mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(found.scale, X.astype(np.float64).std(axis=0), rtol=1e-9)

    def test_a_weight_of_n_is_n_rows(self) -> None:
        X, times = drawn(), np.arange(50) % 4
        found = Moments.of([X[:20], X[20:]], times.astype(np.float64))
        again = Moments.of([np.repeat(X, times, axis=0)])
        np.testing.assert_allclose(found.mean, again.mean, rtol=1e-12)
        np.testing.assert_allclose(found.scale, again.scale, rtol=1e-12)

    @pytest.mark.parametrize("value", [0.0, 1e-30, 0.1, -1234.5, 1e30])
    def test_the_spread_of_a_constant_is_infinite(self, value: float) -> None:
        X = np.hstack([drawn(), np.full((50, 1), value)]).astype(np.float32)
        found = Moments.of_rows(X)
        assert np.isinf(found.scale).tolist() == [False] * 6 + [True]
        assert (found.standardise(X + 5)[:, -1] == 0).all()

    def test_a_feature_of_small_numbers_is_no_constant(self) -> None:
        X = 1e-20 * drawn(mean=0.0)
        np.testing.assert_allclose(Moments.of([X]).scale, X.std(axis=0), rtol=1e-9)

    def test_an_index_says_which_rows_count_and_how_often(self) -> None:
        X, index = drawn(rows=3 * PART), np.arange(2 * PART + 5) * 7 % (3 * PART)
        found = Moments.of_rows(X, index)
        np.testing.assert_allclose(found.mean, X[index].mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(found.scale, X[index].std(axis=0), rtol=1e-12)

    def test_standardised_rows_have_mean_0_and_spread_1(self) -> None:
        X = drawn(mean=1e4).astype(np.float32)
        rows = Moments.of_rows(X).standardise(X)
        np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-9)
        np.testing.assert_allclose(rows.std(axis=0), 1, rtol=1e-9)


class TestDenseDesign:
    @pytest.mark.parametrize("in_memory", [0, 2**30])
    @pytest.mark.parametrize("part", [1, 7, 50, 1000])
    def test_its_rows_are_standardised_in_order(self, part: int, in_memory: int) -> None:
        X = drawn()
        design = DenseDesign(X, Moments.of([X]), in_memory=in_memory, part=part)
        assert (design.rows, design.dim) == X.shape
        np.testing.assert_allclose(all_rows(design), standard(X), atol=1e-12)

    @pytest.mark.parametrize("in_memory", [0, 2**30])
    def test_a_pass_is_two_matrix_products(self, in_memory: int) -> None:
        X = drawn()
        design = DenseDesign(X, Moments.of([X]), in_memory=in_memory, part=7)
        logits, gradient = a_pass(design)
        columns = np.sin(np.arange(12.0)).reshape(2, 6)
        expected = columns @ standard(X).T + np.array([[0.5], [-2]])
        np.testing.assert_allclose(logits, expected, atol=1e-12)
        np.testing.assert_allclose(gradient, np.tanh(expected) @ standard(X), atol=1e-12)

    def test_products_are_exact_where_that_costs_nothing(self) -> None:
        small, large = np.ones((EXACT // 4, 4)), np.ones((EXACT // 4 + 1, 4))
        assert DenseDesign(small, Moments.of([small])).dtype == torch.float64
        assert DenseDesign(large, Moments.of([large])).dtype == torch.float32

    @pytest.mark.parametrize("dim, near", [(6, 1e-12), (600, 1e-4)])
    def test_streamed_from_a_file_of_float16_it_is_what_it_is_in_memory(
        self, dim: int, near: float, tmp_path: Path
    ) -> None:
        np.save(tmp_path / "layer.npy", drawn(rows=1000, dim=dim).astype(np.float16))
        layer = np.load(tmp_path / "layer.npy", mmap_mode="r")
        held = np.array(layer)
        moments = Moments.of_rows(layer)
        streamed = DenseDesign(layer, moments, in_memory=0, part=333)
        kept = DenseDesign(held, Moments.of([held]))
        assert streamed.dtype == (torch.float64 if dim == 6 else torch.float32)
        for one, other in zip(a_pass(streamed), a_pass(kept), strict=True):
            np.testing.assert_allclose(one, other, rtol=near, atol=near * float(other.abs().max()))

    @pytest.mark.parametrize("in_memory", [0, 2**30])
    @pytest.mark.parametrize("index", [None, np.arange(40, 10, -1)])
    def test_rows_that_are_taken_keep_the_moments(
        self, index: Array | None, in_memory: int
    ) -> None:
        X = drawn()
        design = DenseDesign(X, Moments.of([X]), index=index, in_memory=in_memory, part=4)
        rows = torch.tensor([29, 3, 3, 0, 17])
        own = np.arange(50) if index is None else index
        taken = design.take(rows)
        assert (taken.rows, taken.dim) == (5, 6)
        np.testing.assert_allclose(all_rows(taken), standard(X)[own[rows]], atol=1e-12)
        np.testing.assert_array_equal(design.features(rows).numpy(), all_rows(taken))
        np.testing.assert_array_equal(
            all_rows(taken.take(torch.tensor([4, 1]))), all_rows(taken)[[4, 1]]
        )

    def test_a_design_of_no_rows_has_no_parts(self) -> None:
        X = drawn()
        assert list(DenseDesign(X[:0], Moments.of([X])).parts()) == []

    @pytest.mark.parametrize("in_memory", [0, 2**30])
    def test_the_array_stays_as_it_is(self, in_memory: int) -> None:
        X = drawn()
        before = X.copy()
        a_pass(DenseDesign(X, Moments.of([X]), in_memory=in_memory))
        np.testing.assert_array_equal(X, before)

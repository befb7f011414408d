"""Summaries of correlation matrices against numpy and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from layerwise.encoders.search.training_free.spectrum import (
    correlations,
    effective_rank,
    independence,
)

ROWS = np.random.default_rng(0).normal(size=(6, 40)) @ np.diag(np.linspace(1, 9, 40)) + 3


def test_correlations_are_those_of_numpy() -> None:
    np.testing.assert_allclose(correlations(ROWS), np.corrcoef(ROWS), atol=1e-12)


def test_a_constant_row_correlates_with_none() -> None:
    found = correlations(np.vstack([ROWS, np.full(40, 0.1)]))
    np.testing.assert_allclose(found[:6, :6], np.corrcoef(ROWS), atol=1e-12)
    assert not found[6].any() and not found[:, 6].any()


def test_what_is_not_finite_has_none() -> None:
    with pytest.raises(FloatingPointError):
        correlations(np.array([[1.0, np.inf], [1.0, 2.0]]))


def test_independence_is_the_formula_on_numpy_s_eigenvalues() -> None:
    values = np.linalg.eigvalsh(np.corrcoef(ROWS)) + 1e-5
    expected = -np.sum(np.log(values) + 1 / values)
    assert independence(correlations(ROWS)) == pytest.approx(expected, rel=1e-9)


def test_independent_rows_have_the_most() -> None:
    assert independence(np.eye(5)) == pytest.approx(-5, abs=1e-4)
    # Two rows that are one: eigenvalues 2 and 0, 1 / k = 1e5.
    assert independence(np.ones((2, 2))) == pytest.approx(-1e5, rel=1e-3)


@pytest.mark.parametrize("r", [0.0, 0.3, 0.9])
def test_effective_rank_of_equal_correlations_in_closed_form(r: float) -> None:
    n = 4
    shares = np.array([1 + (n - 1) * r, *[1 - r] * (n - 1)]) / n
    expected = np.exp(-np.sum(shares * np.log(shares)))
    matrix = np.full((n, n), r) + (1 - r) * np.eye(n)
    assert effective_rank(matrix) == pytest.approx(expected)


def test_effective_rank_is_from_one_to_all() -> None:
    assert effective_rank(np.eye(7)) == pytest.approx(7)
    assert effective_rank(np.ones((7, 7))) == pytest.approx(1)
    assert effective_rank(np.zeros((7, 7))) == 0

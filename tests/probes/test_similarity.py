"""Cosines against scikit-learn's, and what becomes of odd vectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics.pairwise import cosine_similarity

from layerwise.core.errors import DataError
from layerwise.probes.similarity import cosines, unit


@settings(deadline=None)
@given(
    arrays(np.float64, st.tuples(st.integers(1, 8), st.integers(1, 5)), elements=st.floats(-99, 99))
)
def test_they_are_scikit_learns(vectors: np.ndarray) -> None:
    vectors = np.where(np.abs(vectors) < 1e-6, 0, vectors)
    found = cosines(vectors)
    np.testing.assert_allclose(found, cosine_similarity(vectors), atol=1e-9)
    np.testing.assert_array_equal(found, found.T)


def test_a_centre_is_taken_off_first() -> None:
    random = np.random.default_rng(0)
    vectors, centre = random.normal(5, 1, size=(6, 20)), np.full(20, 5.0)
    assert cosines(vectors)[0, 1] > 0.9
    np.testing.assert_allclose(cosines(vectors, centre), cosine_similarity(vectors - centre))


def test_a_vector_of_no_length_is_like_nothing() -> None:
    vectors = np.array([[0.0, 0.0], [1.0, 0.0], [-2.0, 0.0]])
    assert cosines(vectors).tolist() == [[0, 0, 0], [0, 1, -1], [0, -1, 1]]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_neither_the_largest_nor_the_smallest_numbers_are_out_of_range(dtype: type) -> None:
    for size in (np.finfo(dtype).max / 2, np.finfo(dtype).tiny):
        vectors = (np.array([[1.0, 1.0], [1.0, 0.0]]) * size).astype(dtype)
        np.testing.assert_allclose(np.linalg.norm(unit(vectors), axis=1), 1)
        assert cosines(vectors)[0, 1] == pytest.approx(0.5**0.5, rel=1e-3)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(DataError):
        cosines(np.array([[1.0, bad], [0.0, 1.0]]))

"""Pooling of sparse words against that of the words written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array

from layerwise.probes.spans import POOLINGS, pair_features, pool_spans
from layerwise.probes.sparse_spans import pool_sparse, sparse_pair_features


def drawn(seed: int, words: int, spans: int) -> tuple[csr_array, NDArray[np.int64]]:
    """One-hot words of 5 forms, a sixth being unknown, and spans of up to 4 of them."""
    random = np.random.default_rng(seed)
    rows = np.eye(6, dtype=np.float32)[random.integers(0, 6, size=words)][:, :5]
    start = random.integers(0, words, size=spans)
    end = np.minimum(start + random.integers(1, 5, size=spans), words)
    return csr_array(rows), np.stack([start, end], axis=1)


@pytest.mark.parametrize("pooling", POOLINGS)
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), words=st.integers(1, 20), spans=st.integers(1, 12))
def test_it_is_what_dense_words_give(seed: int, words: int, spans: int, pooling: str) -> None:
    rows, first = drawn(seed, words, spans)
    second = first[np.random.default_rng(seed).permutation(spans)]
    found = [pool_sparse(rows, each, pooling) for each in (first, second)]
    expected = [pool_spans(rows.toarray(), each, pooling) for each in (first, second)]
    for got, plain in zip(found, expected, strict=True):
        assert got.dtype == np.float32 and got.format == "csr"
        np.testing.assert_allclose(got.toarray(), plain, atol=1e-6)
    pairs = sparse_pair_features(found[0], found[1])
    assert pairs.format == "csr" and pairs.nnz == np.count_nonzero(pairs.toarray())
    np.testing.assert_allclose(pairs.toarray(), pair_features(*expected), atol=1e-6)


def test_a_word_that_stands_twice_counts_twice_in_a_mean_and_once_in_a_maximum() -> None:
    rows = csr_array(np.eye(3, dtype=np.float32)[[0, 1, 0]])
    whole = np.array([[0, 3]])
    np.testing.assert_allclose(pool_sparse(rows, whole, "mean").toarray(), [[2 / 3, 1 / 3, 0]])
    np.testing.assert_array_equal(pool_sparse(rows, whole, "max").toarray(), [[1, 1, 0]])


@pytest.mark.parametrize("span", [(0, 0), (2, 4), (-1, 1)])
def test_a_span_without_words_or_outside_is_refused(span: tuple[int, int]) -> None:
    rows, _ = drawn(0, 3, 1)
    with pytest.raises(ValueError, match="a span is empty or outside"):
        pool_sparse(rows, np.array([span]), "mean")


def test_a_pooling_that_there_is_not_is_refused() -> None:
    rows, spans = drawn(0, 3, 1)
    with pytest.raises(ValueError, match="no such pooling: sum"):
        pool_sparse(rows, spans, "sum")

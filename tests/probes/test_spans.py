"""Pooling of spans and features of pairs, against loops that cannot be wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from layerwise.probes.spans import POOLINGS, distinct_spans, pair_features, pool_spans

WORDS, DIM = 12, 3
VECTORS = np.random.default_rng(0).normal(size=(WORDS, DIM)).astype(np.float32)

spans = st.integers(0, WORDS - 1).flatmap(
    lambda start: st.tuples(st.just(start), st.integers(start + 1, WORDS))
)


def by_hand(vectors: NDArray[np.floating], start: int, end: int, pooling: str) -> list[float]:
    words = [[float(value) for value in vectors[i]] for i in range(start, end)]
    return {
        "first": words[0],
        "last": words[-1],
        "endpoints": words[0] + words[-1],
        "mean": [sum(values) / len(words) for values in zip(*words, strict=True)],
        "max": [max(values) for values in zip(*words, strict=True)],
    }[pooling]


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@settings(max_examples=25, deadline=None)
@given(chosen=st.lists(spans, min_size=1, max_size=8))
def test_each_pooling_is_what_a_loop_over_the_words_gives(
    pooling: str, dtype: type, chosen: list[tuple[int, int]]
) -> None:
    vectors = VECTORS.astype(dtype)
    expected = [by_hand(vectors, start, end, pooling) for start, end in chosen]
    got = pool_spans(vectors, np.array(chosen), pooling)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7)


def test_the_mean_of_a_long_span_far_into_a_text_loses_nothing() -> None:
    vectors = np.full((200_000, 1), 1000.0, dtype=np.float32)
    vectors[-300:] = np.linspace(-1e-3, 2e-3, 300, dtype=np.float32)[:, None]
    got = pool_spans(vectors, np.array([[199_700, 200_000]]), "mean")
    np.testing.assert_allclose(got, vectors[-300:].mean(axis=0, dtype=np.float64)[None], rtol=1e-4)


def test_the_maximum_of_every_span_of_a_text_is_exact() -> None:
    vectors = np.random.default_rng(1).normal(size=(41, 2)).astype(np.float32)
    every = [(start, end) for end in range(41, 0, -1) for start in range(end)]
    got = pool_spans(vectors, np.array(every), "max")
    np.testing.assert_array_equal(got, [vectors[s:e].max(axis=0) for s, e in every])


@pytest.mark.parametrize("pooling", POOLINGS)
def test_no_spans_are_no_rows(pooling: str) -> None:
    got = pool_spans(VECTORS, np.zeros((0, 2), dtype=np.int64), pooling)
    assert got.shape == (0, 2 * DIM if pooling == "endpoints" else DIM)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("span", [(3, 3), (5, 4), (-1, 2), (-3, -1), (0, 13), (12, 13)])
def test_a_span_that_is_empty_or_outside_is_an_error(pooling: str, span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="empty or outside"):
        pool_spans(VECTORS, np.array([(0, 1), span]), pooling)


def test_an_unknown_pooling_is_an_error() -> None:
    with pytest.raises(ValueError, match="median"):
        pool_spans(VECTORS, np.array([[0, 2]]), "median")


def test_the_vectors_are_not_changed_through_the_features() -> None:
    vectors = VECTORS.copy()
    for pooling in POOLINGS:
        pool_spans(vectors, np.array([[0, 1], [2, 3]]), pooling)[:] = 7
    np.testing.assert_array_equal(vectors, VECTORS)


def test_pair_features_are_both_their_product_and_their_distance() -> None:
    first = np.array([[1.0, -2.0], [3.0, 0.5]], dtype=np.float32)
    second = np.array([[4.0, 5.0], [-3.0, 0.5]], dtype=np.float32)
    assert pair_features(first, second).tolist() == [
        [1, -2, 4, 5, 4, -10, 3, 7],
        [3, 0.5, -3, 0.5, -9, 0.25, 6, 0],
    ]


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(spans, spans), min_size=1, max_size=12))
def test_pairs_of_distinct_spans_are_the_pairs(
    pairs: list[tuple[tuple[int, int], tuple[int, int]]],
) -> None:
    first, second = (np.array(side) for side in zip(*pairs, strict=True))
    distinct, numbers = distinct_spans(first, second)
    assert [tuple(span) for span in distinct.tolist()] == sorted({s for p in pairs for s in p})
    np.testing.assert_array_equal(distinct[numbers[:, 0]], first)
    np.testing.assert_array_equal(distinct[numbers[:, 1]], second)

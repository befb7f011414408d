"""Spans and pairs of spans to feature rows: pool the words of a span, combine the two spans."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import Features

POOLINGS = ("mean", "first", "last", "endpoints", "max")


def pool_spans(
    vectors: NDArray[np.floating[Any]], spans: NDArray[np.int64], pooling: str
) -> Features:
    """One row a span, of shape (spans, dim), or (spans, 2 * dim) for ``endpoints``.

    ``vectors`` has the shape (words, dim); ``spans`` the shape (spans, 2), half-open, each of at
    least one word and inside the vectors (ValueError otherwise). They may overlap and come in any
    order. ``max`` takes the largest value of each dimension (Conneau et al. 2017, section 3.2.2).
    """
    check_spans(spans, len(vectors))
    start, end = spans[:, 0], spans[:, 1]
    if pooling == "first":
        return vectors[start].astype(np.float32)
    if pooling == "last":
        return vectors[end - 1].astype(np.float32)
    if pooling == "endpoints":
        return np.concatenate([vectors[start], vectors[end - 1]], axis=1).astype(np.float32)
    if pooling == "max":
        return _largest(vectors, spans).astype(np.float32)
    if pooling != "mean":
        raise ValueError(f"no such pooling: {pooling}")
    length = end - start
    if (length == 1).all():
        return vectors[start].astype(np.float32)
    # Sums up to each word in float64: a span's sum is then one subtraction, whatever its length.
    sums = np.zeros((len(vectors) + 1, vectors.shape[1]))
    np.cumsum(vectors, axis=0, dtype=np.float64, out=sums[1:])
    return ((sums[end] - sums[start]) / length[:, None]).astype(np.float32)


def check_spans(spans: NDArray[np.int64], words: int) -> None:
    """Raises ValueError unless all spans, of shape (spans, 2), have a word and lie inside."""
    start, end = spans[:, 0], spans[:, 1]
    if len(spans) and not ((start >= 0) & (start < end) & (end <= words)).all():
        raise ValueError("a span is empty or outside the vectors")


def distinct_spans(
    first: NDArray[np.int64], second: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct spans of pairs, (spans, 2), sorted, and each pair as two indices into them.

    ``first`` and ``second`` have the shape (pairs, 2), as the second array that is returned.
    """
    both = np.concatenate([first, second])
    # One number a span: numpy sorts numbers much faster than rows.
    base = int(both.max(initial=0)) + 1
    keys, index = np.unique(both[:, 0] * base + both[:, 1], return_inverse=True)
    spans = np.stack([keys // base, keys % base], axis=1)
    return spans, np.ascontiguousarray(index.reshape(2, -1).T)


def _largest(
    vectors: NDArray[np.floating[Any]], spans: NDArray[np.int64]
) -> NDArray[np.floating[Any]]:
    """The largest value of each dimension, of shape (spans, dim)."""
    start, end = spans[:, 0], spans[:, 1]
    found = vectors[start]
    # A span is covered by two blocks of words, as long as the largest power of 2 within it: the
    # work is words * log(longest span), however many spans overlap.
    log = np.frexp((end - start).astype(np.float64))[1] - 1  # floor(log2(length)), exact
    blocks = vectors  # (words - size + 1, dim): the largest of ``size`` words from each on
    for level in range(1, int(log.max(initial=0)) + 1):
        size = 2**level
        blocks = np.maximum(blocks[: -size // 2], blocks[size // 2 :])
        of = log == level
        found[of] = np.maximum(blocks[start[of]], blocks[end[of] - size])
    return found


def pair_features(first: Features, second: Features) -> Features:
    """Rows of a, b, a * b and |a - b|, of shape (pairs, 4 * dim).

    A linear classifier over a and b alone cannot ask whether the two are alike; the product and
    the difference let it (InferSent, Conneau et al. 2017, section 3.1).
    """
    return np.concatenate([first, second, first * second, np.abs(first - second)], axis=1)

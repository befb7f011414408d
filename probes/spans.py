"""Spans and pairs of spans to feature rows: pool the words of a span, combine the two spans."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import Features

POOLINGS = ("mean", "first", "last", "endpoints")


def pool_spans(
    vectors: NDArray[np.floating[Any]], spans: NDArray[np.int64], pooling: str
) -> Features:
    """One row a span, of shape (spans, dim), or (spans, 2 * dim) for ``endpoints``.

    ``vectors`` has the shape (words, dim); ``spans`` the shape (spans, 2), half-open, each of at
    least one word and inside the vectors (ValueError otherwise).
    """
    start, end = spans[:, 0], spans[:, 1]
    if len(spans) and not ((start >= 0) & (start < end) & (end <= len(vectors))).all():
        raise ValueError("a span is empty or outside the vectors")
    if pooling == "first":
        return vectors[start].astype(np.float32)
    if pooling == "last":
        return vectors[end - 1].astype(np.float32)
    if pooling == "endpoints":
        return np.concatenate([vectors[start], vectors[end - 1]], axis=1).astype(np.float32)
    if pooling != "mean":
        raise ValueError(f"no such pooling: {pooling}")
    length = end - start
    if (length == 1).all():
        return vectors[start].astype(np.float32)
    # Sums up to each word in float64: a span's sum is then one subtraction, whatever its length.
    sums = np.zeros((len(vectors) + 1, vectors.shape[1]))
    np.cumsum(vectors, axis=0, dtype=np.float64, out=sums[1:])
    return ((sums[end] - sums[start]) / length[:, None]).astype(np.float32)


def pair_features(first: Features, second: Features) -> Features:
    """Rows of a, b, a * b and |a - b|, of shape (pairs, 4 * dim).

    A linear classifier over a and b alone cannot ask whether the two are alike; the product and
    the difference let it (InferSent, Conneau et al. 2017, section 3.1).
    """
    return np.concatenate([first, second, first * second, np.abs(first - second)], axis=1)

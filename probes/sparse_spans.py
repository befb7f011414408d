"""Spans and pairs of spans to feature rows, as in ``spans``, of words that are nearly all 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from .spans import check_spans


def pool_sparse(words: csr_array, spans: NDArray[np.int64], pooling: str) -> csr_array:
    """One row a span, what ``pool_spans`` makes of the words written out.

    ``words``, of shape (words, dim), holds zeros and ones; ``spans`` is (spans, 2), half-open.
    ValueError for a span without words or outside of them, and for a pooling that there is not.
    """
    check_spans(spans, words.shape[0])
    start, end = spans[:, 0], spans[:, 1]
    if pooling == "first":
        return words[start]
    if pooling == "last":
        return words[end - 1]
    if pooling == "endpoints":
        return hstack([words[start], words[end - 1]], format="csr")
    if pooling not in ("mean", "max"):
        raise ValueError(f"no such pooling: {pooling}")
    length = end - start
    starts = np.concatenate([[0], np.cumsum(length)])
    members = np.arange(starts[-1]) + np.repeat(start - starts[:-1], length)
    share = np.repeat(1 / length if pooling == "mean" else np.ones(len(spans)), length)
    pooled = csr_array((share, members, starts), shape=(len(spans), words.shape[0])) @ words
    if pooling == "max":  # of zeros and ones: whether there is a one
        pooled.data[:] = 1
    return pooled.astype(np.float32)


def sparse_pair_features(first: csr_array, second: csr_array) -> csr_array:
    """Rows of a, b, a * b and |a - b|, of shape (pairs, 4 * dim), as ``pair_features`` has them."""
    return hstack([first, second, first * second, abs(first - second)], format="csr")

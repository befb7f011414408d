"""How alike the words of a text are at a layer: cosines, with or without what all words share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError

Vectors = NDArray[np.floating[Any]]


def unit(vectors: Vectors) -> NDArray[np.float64]:
    """The vectors, (..., dim), at length 1; one of no length stays 0.

    Raises DataError where a value is not finite.
    """
    rows = np.asarray(vectors, dtype=np.float64)
    if not np.isfinite(rows).all():
        raise DataError("a vector is not finite, so that its cosines are undefined")
    # Scaled first: the squares of the largest and the smallest numbers are out of range.
    largest = np.abs(rows).max(axis=-1, keepdims=True, initial=0)
    rows = rows / np.where(largest == 0, 1, largest)
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(length == 0, 1, length))


def cosines(vectors: Vectors, centre: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """The cosine of each word with each other one, (words, words), symmetric.

    ``vectors`` is (words, dim). ``centre``, (dim,), is taken off first: the mean of a layer over
    other text. Where all vectors of a layer point one way (anisotropy; Ethayarajh 2019, arXiv
    1909.00512, section 4.1), cosines are about that way unless it is taken off. The cosine of a
    vector of no length is 0 with all, and with itself.
    """
    rows = np.asarray(vectors, dtype=np.float64)
    directions = unit(rows if centre is None else rows - centre)
    return np.asarray((directions @ directions.T).clip(-1, 1))

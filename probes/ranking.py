"""Choices among candidates by a score: is the highest the right one?

Candidates of one choice stand together and share a number; ``groups`` holds it for each, in
ascending order from 0. Candidates with equal scores share the credit of their place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError

Floats = NDArray[np.float64]


def credits(scores: NDArray[Any], right: NDArray[np.bool_], groups: NDArray[np.int64]) -> Floats:
    """Of each choice, the share of right ones among its highest candidates: (choices,)."""
    starts = starts_of(groups)
    highest = scores == np.maximum.reduceat(scores, starts)[groups]
    return np.asarray(
        np.add.reduceat((highest & right).astype(np.float64), starts)
        / np.add.reduceat(highest.astype(np.float64), starts)
    )


def reciprocal_ranks(
    scores: NDArray[Any], right: NDArray[np.bool_], groups: NDArray[np.int64]
) -> Floats:
    """One over the rank of each choice's best right candidate, 0 where none is right: (choices,).

    A wrong candidate of the same score counts half.
    """
    starts = starts_of(groups)
    best = np.maximum.reduceat(np.where(right, scores, -np.inf), starts)[groups]
    above = (scores > best).astype(np.float64) + 0.5 * ((scores == best) & ~right)
    found = np.logical_or.reduceat(right, starts)
    return np.where(found, 1 / (1 + np.add.reduceat(above, starts)), 0.0)


def starts_of(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """The position of each choice's first candidate: (choices,)."""
    if not len(groups):
        raise DataError("no choices to score")
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    if (groups[starts] != np.arange(len(starts))).any():
        raise DataError("the choices are not numbered 0, 1, 2 ... in this order")
    return starts


def representatives(right: NDArray[np.bool_], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """The position of each choice's first right candidate, or of its first one: (choices,)."""
    starts = starts_of(groups)
    places = np.where(right, np.arange(len(groups)), len(groups))
    first = np.minimum.reduceat(places, starts)
    return np.where(first < len(groups), first, starts)

"""Where in an encoder a task is solved: one number from what its layers gave (Tenney et al. 2019).

Both are from "BERT Rediscovers the Classical NLP Pipeline" (ACL 2019, arXiv 1905.05950), section
3, and are in layers: 0 is the context-free layer, L the last one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.errors import DataError


def centre_of_gravity(weights: ArrayLike) -> float:
    """``sum_l l * s_l`` of the weights (L + 1,) of a scalar mix over the layers 0 to L.

    Raises DataError unless they are shares: none below 0, 1 in all (to 1e-6).
    """
    shares = _finite(weights, "weights")
    if (shares < 0).any() or abs(shares.sum() - 1) > 1e-6:
        raise DataError(
            "the weights of a mix are shares that sum to 1", where="the centre of gravity"
        )
    return float(np.arange(len(shares)) @ shares)


def expected_layer(scores: ArrayLike) -> float | None:
    """``sum_l l * gain_l / sum_l gain_l`` over l = 1..L, where ``gain_l = S_l - S_(l-1)``.

    ``scores`` (L + 1,) are those of *mixes*: S_k is of a mix over the layers 0 to k. The gains of
    single layers are not what this is about. A layer with which a score fell has a negative gain,
    as in the paper, so that the value may lie outside 1..L. None where the last mix is no better
    than the first: there is no gain whose place could be told.
    """
    gains = np.diff(_finite(scores, "scores"))
    total = gains.sum()
    if total <= 0:
        return None
    return float(np.arange(1, len(gains) + 1) @ gains / total)


def _finite(values: ArrayLike, what: str) -> NDArray[np.float64]:
    array: NDArray[Any] = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not len(array) or not np.isfinite(array).all():
        raise DataError(f"{what} are one finite number a layer, from layer 0 on")
    return array

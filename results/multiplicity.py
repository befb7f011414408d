"""P-values of many comparisons at once, adjusted so that they can be read like one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from ..core.errors import DataError, UsageError, did_you_mean

PValues = Sequence[float]
Adjusted = NDArray[np.float64]


def holm(p_values: PValues) -> Adjusted:
    """Adjusted p-values, in the order given: below alpha, with a false one among them with
    probability at most alpha, however the comparisons depend on each other.

    Source: Holm 1979, A simple sequentially rejective multiple test procedure, Scandinavian
    Journal of Statistics 6(2).
    """
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    stepwise = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepwise, 1.0)
    return adjusted


def benjamini_hochberg(p_values: PValues) -> Adjusted:
    """Adjusted p-values, in the order given: of those below alpha, a share of at most alpha is
    false on average, where the comparisons are independent or depend positively.

    Source: Benjamini and Hochberg 1995, Journal of the Royal Statistical Society B 57(1);
    Benjamini and Yekutieli 2001, Annals of Statistics 29(4), for the dependence.
    """
    p = _checked(p_values)
    return np.asarray(false_discovery_control(p) if len(p) else p, dtype=np.float64)


CORRECTIONS: dict[str, Callable[[PValues], Adjusted]] = {
    "holm": holm,
    "bh": benjamini_hochberg,
    "none": lambda p_values: _checked(p_values),
}
"""By the names of ``--correction``."""


def adjusted(p_values: PValues, correction: str) -> Adjusted:
    """The p-values of one family after a correction of ``CORRECTIONS``."""
    if correction not in CORRECTIONS:
        raise UsageError(
            f"no such correction: {correction!r}", cure=did_you_mean(correction, CORRECTIONS)
        )
    return CORRECTIONS[correction](p_values)


def _checked(p_values: PValues) -> Adjusted:
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise DataError("p-values are numbers from 0 to 1")
    return p

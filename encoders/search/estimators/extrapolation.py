"""The end of a learning curve from its beginning.

A curve is fitted by a function of few numbers and read off at the end (Domhan et al. 2015, IJCAI,
section 3, of whose families the power law is one; Baker et al. 2017, arXiv 1705.10823, learn the
end from other curves instead).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

_EXPONENTS = np.arange(5, 301) / 100

Extrapolation = Callable[[Sequence[float], Sequence[float], float], float]
"""Times (> 0, rising), losses and the time of the end, to the loss then."""


def last(times: Sequence[float], losses: Sequence[float], end: float) -> float:
    """The last loss seen: early stopping, what an extrapolation has to beat."""
    return float(losses[-1])


def square_root(times: Sequence[float], losses: Sequence[float], end: float) -> float:
    """a + b / sqrt(t) by least squares; the last loss where only one is seen."""
    if len(losses) < 2:
        return last(times, losses, end)
    t = np.asarray(times, dtype=np.float64)
    features = np.stack([np.ones_like(t), t**-0.5], axis=1)  # (points, 2)
    (a, b), *_ = np.linalg.lstsq(features, np.asarray(losses, dtype=np.float64), rcond=None)
    return float(a + b * end**-0.5)


def power(times: Sequence[float], losses: Sequence[float], end: float) -> float:
    """a + b * t^-c by least squares, a and b not negative, c of 0.05, 0.06 ... 3.

    The last loss where fewer than three are seen.
    """
    if len(losses) < 3:
        return last(times, losses, end)
    t = np.asarray(times, dtype=np.float64) / times[0]
    y = np.asarray(losses, dtype=np.float64)
    # For each exponent the rest is linear, so that no minimum is missed.
    falls = t ** -_EXPONENTS[:, None]  # (exponents, points)
    means = falls.mean(axis=1)
    moved = falls - means[:, None]
    b = np.maximum(moved @ (y - y.mean()) / (moved**2).sum(axis=1), 0)  # (exponents,)
    a = y.mean() - b * means
    through_zero = falls @ y / (falls**2).sum(axis=1)
    a, b = np.maximum(a, 0), np.where(a < 0, through_zero, b)
    best = ((a[:, None] + b[:, None] * falls - y) ** 2).sum(axis=1).argmin()
    return float(a[best] + b[best] * (end / times[0]) ** -_EXPONENTS[best])


EXTRAPOLATIONS: dict[str, Extrapolation] = {
    "last": last,
    "square-root": square_root,
    "power": power,
}

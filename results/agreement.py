"""How well a score ranks candidates: signed rank correlations, with intervals by candidate.

Positive where a higher score goes with a lower loss: a score that ranks backwards says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, spearmanr

from ..core.errors import UsageError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """Kendall's tau-b and Spearman's rho, each with the bounds of its interval.

    Both are 0 where all scores or all losses are equal. ``groups`` is the number of distinct
    candidates, of which the intervals were drawn.
    """

    tau: float
    tau_interval: tuple[float, float]
    rho: float
    rho_interval: tuple[float, float]
    groups: int


def agreement(
    scores: Sequence[float] | Floats,
    losses: Sequence[float] | Floats,
    groups: Sequence[str] | None = None,
    *,
    samples: int = 500,
    confidence: float = 0.95,
    seed: int = 0,
) -> Agreement:
    """How scores agree with losses; infinite ones rank behind or before all others.

    The intervals are percentiles of a bootstrap. Rows that share one of ``groups``, such as the
    runs of one candidate, are drawn together: they are no independent observations (Field and
    Welsh 2007, section 3). UsageError for fewer than two rows, other lengths, or nan.
    """
    high, low = np.asarray(scores, dtype=float), np.asarray(losses, dtype=float)
    names = range(len(high)) if groups is None else groups
    if len(high) < 2 or not len(high) == len(low) == len(names):
        raise UsageError(
            f"{len(high)} scores, {len(low)} losses and {len(names)} groups",
            where="agreement",
            cure="give two or more of each, as many of one as of the other",
        )
    if np.isnan(high).any() or np.isnan(low).any():
        raise UsageError(
            "nan cannot be ranked", where="agreement", cure="leave it out, or give inf"
        )
    rows: dict[object, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    members = [np.asarray(group) for group in rows.values()]
    rng = np.random.default_rng(seed)
    drawn = [
        np.concatenate([members[group] for group in rng.integers(len(members), size=len(members))])
        for _ in range(samples)
    ]

    def interval(of: Callable[[Floats, Floats], float]) -> tuple[float, float]:
        tails = [(1 - confidence) / 2, (1 + confidence) / 2]
        first, last = np.quantile([of(high[each], low[each]) for each in drawn], tails)
        return float(first), float(last)

    return Agreement(
        tau(high, low), interval(tau), rho(high, low), interval(rho), groups=len(members)
    )


def tau(scores: Floats, losses: Floats) -> float:
    """Kendall's tau-b of scores with losses turned round; 0 where either is constant."""
    return _defined(kendalltau(scores, -losses).statistic) if _vary(scores, losses) else 0.0


def rho(scores: Floats, losses: Floats) -> float:
    """Spearman's rho of scores with losses turned round; 0 where either is constant."""
    return _defined(spearmanr(scores, -losses).statistic) if _vary(scores, losses) else 0.0


def best(losses: Sequence[float] | Floats, share: float = 0.1) -> NDArray[np.intp]:
    """The places of the least losses, a tenth of all unless told otherwise; at least two."""
    count = max(round(share * len(losses)), 2)
    return np.argsort(np.asarray(losses, dtype=float), kind="stable")[:count]


def _vary(scores: Floats, losses: Floats) -> bool:
    return bool(np.ptp(_ranks(scores)) and np.ptp(_ranks(losses)))


def _ranks(values: Floats) -> Floats:
    """Finite stand-ins in the same order: inf less inf is no number."""
    return np.unique(values, return_inverse=True)[1].astype(float)


def _defined(value: float) -> float:
    return float(np.clip(value, -1, 1))

"""Whether probabilities mean what they say: proper scores, calibration, rejection, temperature.

``probabilities`` is (n, C) in float64, each row a distribution, and ``gold`` (n,) numbers of
classes, or ``metrics.UNSEEN`` for a label that training never saw: that is an error wherever errors
are counted, to the Brier score a class of its own whose probability is 0, and log-loss and
temperature leave it out, as ``metrics.cross_entropy_nats`` does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError
from .metrics import UNSEEN, cross_entropy_nats

BINS = 15
COLDEST, HOTTEST = 0.01, 100.0
"""Between these a temperature is looked for: without errors to learn from, it would go to 0."""

Ints = NDArray[np.integer[Any]]
Probabilities = NDArray[np.float64]


def brier(probabilities: Probabilities, gold: Ints) -> float:
    """The mean over targets of ``sum_c (p_c - [c is gold])^2``, between 0 and 2.

    Source: Brier 1950, Verification of forecasts expressed in terms of probability.
    """
    known = _checked(probabilities, gold)
    squares = (probabilities**2).sum(axis=1)
    of_gold = np.where(known, probabilities[np.arange(len(gold)), np.maximum(gold, 0)], 0)
    return float((squares - 2 * of_gold + 1).mean())


def calibration_error(probabilities: Probabilities, gold: Ints, bins: int = BINS) -> float:
    """How far confidence is from accuracy, on average over bins that hold equally many targets.

    The confidence is the highest probability of a row. Bins of equal width are nearly empty where
    a classifier is seldom unsure, and say little; those of equal mass do not. Equal confidences
    share a bin, so that the order of the targets does not matter. Source: Nixon et al. 2019,
    Measuring calibration in deep learning, sections 3 and 4.
    """
    confidence, hit = _confidence(probabilities, gold)
    ranked = np.sort(confidence)
    ends = np.ceil(len(ranked) * np.arange(1, bins) / bins).astype(np.int64) - 1
    borders = np.unique(ranked[np.maximum(ends, 0)])  # a bin's highest confidence
    number = np.searchsorted(borders, confidence, side="left")  # (n,)
    gaps = np.bincount(number, confidence - hit)
    return float(np.abs(gaps).sum() / len(confidence))


def rejection_curve(probabilities: Probabilities, gold: Ints) -> NDArray[np.float64]:
    """The accuracy on the k most confident targets, for k of 1 to n: (n,).

    Where targets are equally confident and only some of them are kept, it is the expected one of
    a random choice among them. Its mean is the area under the curve of accuracy by coverage.
    """
    confidence, hit = _confidence(probabilities, gold)
    order = np.argsort(-confidence, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(confidence[order])), len(order) - 1)
    kept, hits = np.append(0, ends + 1), np.append(0.0, np.cumsum(hit[order])[ends])
    count = np.arange(1, len(order) + 1)
    return np.asarray(np.interp(count, kept, hits) / count)


def accuracy_at(curve: NDArray[np.float64], coverage: float) -> float:
    """The accuracy on that share of the targets, rounded up to a target."""
    return float(curve[max(1, int(np.ceil(coverage * len(curve) - 1e-9))) - 1])


def probability_scores(probabilities: Probabilities, gold: Ints) -> dict[str, float]:
    """All scores of this module and ``cross_entropy_nats``, by name.

    Cross-entropy is left out where no gold label was seen in training.
    """
    _, hit = _confidence(probabilities, gold)
    curve = rejection_curve(probabilities, gold)
    return {
        **(
            {"cross_entropy_nats": cross_entropy_nats(probabilities, gold)}
            if (np.asarray(gold) != UNSEEN).any()
            else {}
        ),
        "brier": brier(probabilities, gold),
        "calibration_error": calibration_error(probabilities, gold),
        "accuracy": float(hit.mean()),
        "accuracy_at_80": accuracy_at(curve, 0.8),
        "rejection_area": float(curve.mean()),
    }


def fit_temperature(probabilities: Probabilities, gold: Ints) -> float:
    """The T that gives ``tempered`` the lowest cross-entropy on these held-out targets.

    In 1 / T the cross-entropy is convex (a log-sum-exp less a linear term), so that its slope, the
    expected less the gold log-probability, changes its sign once: the place is found by halving
    the interval of log T between ``COLDEST`` and ``HOTTEST``, one of which it is where there is no
    change of sign. 1 where no target has a gold label with a probability. Source: Guo et al. 2017,
    On calibration of modern neural networks, section 4.2.
    """
    known = _checked(probabilities, gold)
    rows = np.flatnonzero(known)
    rows = rows[probabilities[rows, gold[rows]] > 0]
    if not len(rows):
        return 1.0
    log_p = _logarithms(probabilities[rows])  # (rows, C)
    of_gold = log_p[np.arange(len(rows)), gold[rows]]
    finite = np.where(np.isfinite(log_p), log_p, 0.0)

    def slope(log_temperature: float) -> float:
        p = _tempered(log_p, float(np.exp(log_temperature)))
        return float(((p * finite).sum(axis=1) - of_gold).mean())

    low, high = float(np.log(COLDEST)), float(np.log(HOTTEST))
    if slope(low) <= 0:
        return COLDEST
    if slope(high) >= 0:
        return HOTTEST
    while high - low > 1e-10:
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return float(np.exp((low + high) / 2))


def tempered(probabilities: Probabilities, temperature: float) -> Probabilities:
    """``p^(1/T)``, each row made to sum to one: softer above 1, sharper below. 0 stays 0."""
    return _tempered(_logarithms(probabilities), temperature)


def _logarithms(probabilities: Probabilities) -> Probabilities:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(probabilities))


def _tempered(log_p: Probabilities, temperature: float) -> Probabilities:
    scaled = log_p / temperature
    found = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _confidence(
    probabilities: Probabilities, gold: Ints
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each target the highest probability, and 1 where it is that of the gold label."""
    _checked(probabilities, gold)
    hit = (probabilities.argmax(axis=1) == gold).astype(np.float64)
    return np.asarray(probabilities.max(axis=1)), hit


def _checked(probabilities: Probabilities, gold: Ints) -> NDArray[np.bool_]:
    """Which targets have a gold label that training saw."""
    if probabilities.ndim != 2 or len(probabilities) != len(gold) or not len(gold):
        raise DataError(
            f"probabilities of shape {probabilities.shape} for {len(gold)} targets, "
            "and not (targets, classes)"
        )
    if gold.min() < UNSEEN or gold.max() >= probabilities.shape[1]:
        raise DataError(f"a gold label is none of the {probabilities.shape[1]} classes")
    return np.asarray(gold != UNSEEN)

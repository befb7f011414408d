"""Which members an ensemble is made of: greedy selection with replacement on held-out targets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .metrics import SMALLEST_PROBABILITY

_MOST = 5  # times as many additions as different members: what repeats only refines the weights


def log_loss(right: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of -ln p over the last axis, of probabilities of gold labels; floored as scores."""
    return np.asarray(-np.log(np.maximum(right, SMALLEST_PROBABILITY)).mean(axis=-1))


def select(right: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """How often each candidate is a member of the ensemble, (candidates,).

    ``right`` (candidates, targets) is the probability that a candidate gives each gold label; the
    ensemble's is the mean of its members'. Added is, each time, the candidate that brings the
    lowest log-loss (the first of equals), one that is in already among them, until ``most``
    different ones are in or nothing lowers the log-loss any more. The first one is therefore the
    best single candidate, and the log-loss falls with each further one. Source: Caruana et al.
    2004, Ensemble selection from libraries of models, section 2.1; the rule to stop is that of
    Wenzel et al. 2020, Hyperparameter ensembles, algorithm 2.
    """
    counts = np.zeros(len(right), dtype=np.int64)
    total = np.zeros(right.shape[1])
    lowest = np.inf
    for size in range(1, _MOST * most + 1):
        losses = log_loss((total + right) / size)
        best = int(losses.argmin())
        if not losses[best] < lowest:
            break
        lowest = float(losses[best])
        counts[best] += 1
        total += right[best]
        if np.count_nonzero(counts) == most:
            break
    return counts

"""Scores of predicted probabilities: of a task, of its controls, of its refits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..probes import metrics
from ..probes.controls import selectivity
from .arrays import TaskArrays
from .controls import Controls

Probabilities = NDArray[np.float64]


def scores_of(
    probabilities: Probabilities, labels: NDArray[np.int64], arrays: TaskArrays
) -> dict[str, float]:
    """All scores by name; ``probabilities`` (targets, classes), ``labels`` (targets,)."""
    return metrics.scores(
        labels, probabilities.argmax(axis=1), probabilities, len(arrays.classes), arrays.positive
    )


def control_scores(
    probabilities: Sequence[Probabilities], controls: Controls, score: float, arrays: TaskArrays
) -> dict[str, float]:
    """The mean score of the controls, that on word types that train has, and the selectivity.

    One array of probabilities a control, of the test targets; ``score`` is the task's own.
    Nothing where there are no controls.
    """
    if not probabilities:
        return {}
    seen, metric = controls.seen, arrays.metric
    pairs = list(zip(probabilities, controls.labels["test"], strict=True))
    everywhere = [scores_of(p, gold, arrays)[metric] for p, gold in pairs]
    found = {f"control_{metric}": float(np.mean(everywhere))}
    if seen.any():
        known = [scores_of(p[seen], gold[seen], arrays)[metric] for p, gold in pairs]
        found[f"control_{metric}_seen_types"] = float(np.mean(known))
    return {**found, "selectivity": selectivity(score, everywhere)}


def refit_scores(
    probabilities: Sequence[Probabilities], labels: NDArray[np.int64], arrays: TaskArrays
) -> dict[str, float]:
    """The standard deviation of the refits' scores on test. Nothing where there are none."""
    if not probabilities:
        return {}
    values = [scores_of(p, labels, arrays)[arrays.metric] for p in probabilities]
    return {f"refits_sd_{arrays.metric}": float(np.std(values, ddof=1))}

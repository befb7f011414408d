"""Scores of a task with any number of labels a target, each a yes or no of its own.

Gold and predictions are (targets, labels) of truth values, labels being those of training.
``unknown`` counts, for each target, the gold labels that training never saw: they were missed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError

Flags = NDArray[np.bool_]
Counts = NDArray[Any]


def tallies_by_cluster(
    gold: Flags, predicted: Flags, unknown: NDArray[np.int64], clusters: NDArray[np.int64]
) -> NDArray[np.int64]:
    """How often each label was hit, was gold, was predicted: (clusters, 3, labels + 1).

    The labels that training never saw come last, all together.
    """
    gold, predicted = np.asarray(gold, dtype=bool), np.asarray(predicted, dtype=bool)
    if gold.shape != predicted.shape or gold.ndim != 2:
        raise DataError(f"{gold.shape} gold labels but {predicted.shape} predictions")
    if not len(gold):
        raise DataError("no targets to score")
    found, number = np.unique(clusters, return_inverse=True)
    none = np.zeros((len(gold), 1), dtype=np.int64)
    columns = (
        np.hstack([gold & predicted, none]),
        np.hstack([gold, unknown[:, None]]),
        np.hstack([predicted, none]),
    )
    table = np.zeros((len(found), 3, gold.shape[1] + 1), dtype=np.int64)
    for kind, values in enumerate(columns):
        np.add.at(table[:, kind], number, values)
    return table


def micro_f1(tallies: Counts) -> NDArray[np.float64]:
    """F1 over all decisions, (..., 3, labels) -> (...); 0 where nothing is gold or predicted."""
    hits, gold, predicted = np.moveaxis(np.asarray(tallies).sum(axis=-1), -1, 0)
    return _ratio(2 * hits, gold + predicted)


def scores(gold: Flags, predicted: Flags, unknown: NDArray[np.int64]) -> dict[str, float]:
    """``micro_f1``, ``macro_f1`` (over the labels that occur in gold) and ``exact_match``.

    A target with a label that training never saw is no exact match. Without any gold label there
    is no ``macro_f1``.
    """
    tallies = tallies_by_cluster(gold, predicted, unknown, np.zeros(len(gold), dtype=np.int64))[0]
    hits, of_gold, of_predicted = tallies
    occur = of_gold > 0
    exact = (np.asarray(gold, dtype=bool) == predicted).all(axis=1) & (unknown == 0)
    found = {"micro_f1": float(micro_f1(tallies)), "exact_match": float(exact.mean())}
    if occur.any():
        found["macro_f1"] = float(_ratio(2 * hits, of_gold + of_predicted)[occur].mean())
    return found


def f1_by_label(gold: Flags, predicted: Flags) -> NDArray[np.float64]:
    """The F1 of each label of training, (labels,); NaN for one that gold does not have."""
    gold, predicted = np.asarray(gold, dtype=bool), np.asarray(predicted, dtype=bool)
    f1 = _ratio(2 * (gold & predicted).sum(axis=0), gold.sum(axis=0) + predicted.sum(axis=0))
    return np.where(gold.any(axis=0), f1, np.nan)


def _ratio(part: Counts, whole: Counts) -> NDArray[np.float64]:
    return np.asarray(part / np.where(whole == 0, 1, whole), dtype=np.float64)

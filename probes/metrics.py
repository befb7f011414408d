"""Scores of a classifier, counted so that a bootstrap can count again.

Labels are integers 0..C-1, in the order of the training labels. A gold label that training never
saw is ``UNSEEN`` (-1): no classifier can predict it, and it stays in the test set. It is an error
in ``accuracy``; in ``macro_f1`` all such targets make one more class, whose F1 is 0; for a
positive class they are negatives; ``cross_entropy_nats`` leaves them out, and ``counts`` says how
many there were.

What is counted are *tallies* of shape (..., 3, C + 1), with any leading axes (clusters, bootstrap
replicates): per class how often it was hit, was gold, was predicted; UNSEEN comes last. They are
all that the scores here need, and stay small where a confusion of a thousand classes would not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError, UsageError, did_you_mean

UNSEEN = -1
"""The index of a gold label that training never saw."""

SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)
"""Smaller probabilities count as this one (2.2e-16, at most 36 nats a target), as in
scikit-learn's ``log_loss``."""

Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
Counts = NDArray[Any]


def tallies_by_cluster(
    gold: Ints, predicted: Ints, clusters: Ints, classes: int
) -> NDArray[np.int64]:
    """Tallies per cluster: (clusters, 3, C + 1).

    ``clusters[i]`` is the sentence or document of target i, any integer; the clusters stand in
    ascending order.
    """
    gold, predicted = _labels(gold, predicted, classes)
    cluster, number = _numbered(clusters, len(gold))
    side = classes + 1
    start = cluster * (3 * side)
    hit = gold == predicted
    cells = np.concatenate(
        [start[hit] + gold[hit], start + side + gold, start + 2 * side + predicted]
    )
    return np.bincount(cells, minlength=number * 3 * side).reshape(number, 3, side)


def statistic(metric: str, positive: int | None = None) -> Callable[[Counts], Floats]:
    """The score of that name as a function of tallies: (..., 3, K) -> (...).

    For a bootstrap over ``tallies_by_cluster``. ``precision``, ``recall`` and ``f1`` are those of
    the class ``positive``.
    """
    if metric in _OVERALL:
        return _OVERALL[metric]
    if metric not in _OF_ONE_CLASS:
        raise UsageError(
            f"no such score of counts: {metric!r}",
            cure=did_you_mean(metric, [*_OVERALL, *_OF_ONE_CLASS]),
        )
    if positive is None:
        raise UsageError(f"{metric} needs a positive class", cure="or take macro_f1")
    score, index = _OF_ONE_CLASS[metric], positive
    return lambda counted: score(counted, index)


def average_precision(gold_positive: NDArray[np.bool_], score: NDArray[Any]) -> float:
    """The mean precision over the positives, ranked by score; equal scores form one rank.

    The sum over thresholds of (recall step x precision), without interpolation, as in
    scikit-learn. Raises DataError where no target is positive: it is undefined there.
    """
    positive = np.asarray(gold_positive, dtype=bool)
    score = np.asarray(score, dtype=np.float64)
    if positive.shape != score.shape or positive.ndim != 1:
        raise DataError(f"{positive.shape} gold labels but {score.shape} scores")
    if not np.isfinite(score).all():
        raise DataError("a score is not a finite number")
    if not positive.any():
        raise DataError("average precision is undefined without a positive target")
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    found = np.cumsum(positive[order])[ends]
    steps = np.diff(found, prepend=0) / found[-1]
    return float((steps * found / (ends + 1)).sum())


def cross_entropy_nats(probabilities: NDArray[Any], gold: Ints) -> float:
    """The mean of -ln p(gold) over the targets whose label was seen in training, in nats.

    ``probabilities`` is (n, C), each row a distribution. Probabilities below
    ``SMALLEST_PROBABILITY`` count as that. Raises DataError where no label was seen.
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if probabilities.ndim != 2:
        raise DataError(f"probabilities are (targets, classes), not {probabilities.shape}")
    classes = probabilities.shape[1]
    gold = _indices(gold, "gold", UNSEEN, classes)
    if len(gold) != len(probabilities):
        raise DataError(f"{len(gold)} gold labels but {len(probabilities)} rows of probabilities")
    _check_distributions(probabilities)
    seen = np.flatnonzero(gold != UNSEEN)
    if not len(seen):
        raise DataError("no gold label was seen in training, so cross entropy is undefined")
    # The upper bound is for rows that sum to a hair above one.
    chosen = np.clip(probabilities[seen, gold[seen]], SMALLEST_PROBABILITY, 1.0)
    return float(-np.log(chosen).mean())


def scores(
    gold: Ints,
    predicted: Ints,
    probabilities: NDArray[Any] | None,
    classes: int,
    positive: int | None = None,
) -> dict[str, float]:
    """All scores of one set of predictions, by name. Every value is finite.

    ``accuracy``, ``macro_f1`` (over the classes that occur in gold) and ``cross_entropy_nats``;
    with a ``positive`` class also ``precision``, ``recall``, ``f1`` and ``average_precision``. A
    score that is undefined is left out: cross entropy and average precision without
    ``probabilities`` (a majority baseline), cross entropy where no gold label was seen, average
    precision where no target is positive.
    """
    counted = tallies_by_cluster(gold, predicted, np.zeros(len(gold), dtype=np.int64), classes)[0]
    result = {name: float(score(counted)) for name, score in _OVERALL.items()}
    gold = np.asarray(gold)
    if positive is not None:
        if not 0 <= positive < classes:
            raise DataError(f"the positive class {positive} is none of the {classes} classes")
        result |= {name: float(score(counted, positive)) for name, score in _OF_ONE_CLASS.items()}
    if probabilities is None:
        return result
    if np.shape(probabilities) != (len(gold), classes):
        raise DataError(
            f"probabilities of shape {np.shape(probabilities)} for {len(gold)} targets "
            f"and {classes} classes"
        )
    if (gold != UNSEEN).any():
        result["cross_entropy_nats"] = cross_entropy_nats(probabilities, gold)
    if positive is not None and (gold == positive).any():
        result["average_precision"] = average_precision(
            gold == positive, probabilities[:, positive]
        )
    return result


def counts(gold: Ints, clusters: Ints) -> dict[str, int]:
    """What the scores stand on: ``targets``, ``clusters``, and ``unseen_labels`` among targets."""
    gold = np.asarray(gold)
    _, number = _numbered(clusters, len(gold))
    return {
        "targets": len(gold),
        "clusters": number,
        "unseen_labels": int((gold == UNSEEN).sum()),
    }


def _split(counted: Counts) -> tuple[Counts, Counts, Counts]:
    counted = np.asarray(counted)
    if counted.ndim < 2 or counted.shape[-2] != 3:
        raise DataError(f"tallies are (..., 3, classes), not {counted.shape}")
    hits, gold, predicted = np.moveaxis(counted, -2, 0)
    total = gold.sum(axis=-1)
    # Holds for tallies only: a 3 x 3 confusion given in their place is found out.
    if (total != predicted.sum(axis=-1)).any() or (hits > np.minimum(gold, predicted)).any():
        raise DataError("these counts are not tallies of hits, gold and predicted")
    if (total == 0).any():
        raise DataError("no targets to score")
    return hits, gold, predicted


def _accuracy(counted: Counts) -> Floats:
    hits, gold, _ = _split(counted)
    return np.asarray(hits.sum(axis=-1) / gold.sum(axis=-1), dtype=np.float64)


def _macro_f1(counted: Counts) -> Floats:
    """The mean F1 over the classes that occur in gold.

    scikit-learn's ``f1_score(average="macro", labels=<those in gold>, zero_division=0)``: a class
    that is only predicted has no F1 of its own, but its wrong predictions lower the others'.
    """
    hits, gold, predicted = _split(counted)
    # A class that is not in gold was never hit, so its F1 adds nothing to the sum.
    each = _ratio(2 * hits, gold + predicted)
    return np.asarray(each.sum(axis=-1) / (gold > 0).sum(axis=-1), dtype=np.float64)


def _precision(counted: Counts, positive: int) -> Floats:
    hits, _, predicted = _split(counted)
    return _ratio(hits[..., positive], predicted[..., positive])


def _recall(counted: Counts, positive: int) -> Floats:
    hits, gold, _ = _split(counted)
    return _ratio(hits[..., positive], gold[..., positive])


def _f1(counted: Counts, positive: int) -> Floats:
    hits, gold, predicted = _split(counted)
    return _ratio(2 * hits[..., positive], (gold + predicted)[..., positive])


_OVERALL: dict[str, Callable[[Counts], Floats]] = {"accuracy": _accuracy, "macro_f1": _macro_f1}
_OF_ONE_CLASS: dict[str, Callable[[Counts, int], Floats]] = {
    "precision": _precision,
    "recall": _recall,
    "f1": _f1,
}


def _ratio(part: Counts, whole: Counts) -> Floats:
    return np.asarray(part / np.where(whole == 0, 1, whole), dtype=np.float64)


def _indices(values: Ints, name: str, lowest: int, classes: int) -> NDArray[np.int64]:
    array = np.asarray(values)
    if not array.size:
        raise DataError("no targets to score")
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise DataError(f"the {name} labels are no list of integers")
    low, high = int(array.min()), int(array.max())
    if low < lowest or high >= classes:
        raise DataError(f"the {name} labels run from {low} to {high}, outside {classes} classes")
    return np.asarray(array, dtype=np.int64)


def _labels(
    gold: Ints, predicted: Ints, classes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    checked = _indices(gold, "gold", UNSEEN, classes)
    guesses = _indices(predicted, "predicted", 0, classes)
    if len(checked) != len(guesses):
        raise DataError(f"{len(checked)} gold labels but {len(guesses)} predictions")
    return np.where(checked == UNSEEN, classes, checked), guesses


def _numbered(clusters: Ints, targets: int) -> tuple[NDArray[np.int64], int]:
    if len(clusters) != targets:
        raise DataError(f"{targets} targets but {len(clusters)} cluster numbers")
    found, number = np.unique(np.asarray(clusters), return_inverse=True)
    return number.astype(np.int64), len(found)


def _check_distributions(probabilities: Floats) -> None:
    if not np.isfinite(probabilities).all() or (probabilities < 0).any():
        raise DataError("a probability is negative or not a number")
    # Wide enough for rows computed in single precision.
    if (np.abs(probabilities.sum(axis=1) - 1) > 1e-3).any():
        raise DataError("a row of probabilities does not sum to one")

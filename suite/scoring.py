"""Scores of predicted probabilities: of a task and its strata, of its controls, of its refits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..probes import label_sets, metrics
from ..probes.controls import selectivity
from .arrays import TaskArrays
from .controls import Controls
from .scheme import Rows, Scheme, SeveralLabels, scheme_of

Probabilities = NDArray[np.float64]


def scores_of(
    probabilities: Probabilities, labels: NDArray[np.int64], arrays: TaskArrays
) -> dict[str, float]:
    """All scores by name of one problem; ``probabilities`` (targets, classes)."""
    return metrics.scores(
        labels, probabilities.argmax(axis=1), probabilities, len(arrays.classes), arrays.positive
    )


def scores_on_dev(joined: Probabilities, arrays: TaskArrays) -> dict[str, float]:
    """The scores on the dev split; of a task of choices those of its pairs, a sample there."""
    dev = arrays.splits["dev"]
    if dev.unknown is None:
        return scores_of(joined, dev.labels, arrays)
    return label_sets.scores(dev.labels > 0, joined > 0.5, dev.unknown)


def scores_on_test(
    joined: Probabilities, labels: NDArray[np.int64], arrays: TaskArrays
) -> dict[str, float]:
    """The scores on the test split, and the metric on each stratum of it: ``f1[string=same]``.

    Where a target has several labels, also the F1 of each, ``f1[Case=Nom]``.
    """
    scheme = scheme_of(arrays)
    found = scheme.scores(joined, labels, np.ones(len(labels), dtype=bool))
    for stratum, rows in strata_of(arrays):
        of_stratum = scheme.scores(joined, labels, rows)
        if arrays.metric in of_stratum:
            found[f"{arrays.metric}[{stratum}]"] = of_stratum[arrays.metric]
    if isinstance(scheme, SeveralLabels):
        found |= {f"f1[{label}]": f1 for label, f1 in scheme.by_label(joined, labels)}
    return found


def strata_of(arrays: TaskArrays) -> Iterator[tuple[str, Rows]]:
    """Each stratum as ``dimension=kind``, and whether each test target is in it."""
    for dimension, kinds in arrays.strata.items():
        for kind in sorted(set(kinds.tolist()) - {""}):
            yield f"{dimension}={kind}", kinds == kind


def natural_scores(probabilities: Probabilities, arrays: TaskArrays) -> dict[str, float]:
    """The scores on the targets of running text; ``probabilities`` (targets, classes).

    The probe knows the prior of the sample that it was fitted on. The odds are moved to the prior
    of running text, as counted in the training documents, before anything is called a yes; this
    changes no ranking and so no average precision.
    """
    positive, rate = arrays.positive, arrays.natural_rate
    assert positive is not None and rate is not None
    labels = arrays.splits["natural"].labels
    share = float((arrays.splits["train"].labels == positive).mean())
    moved = probabilities * np.where(
        np.arange(len(arrays.classes)) == positive, rate / share, (1 - rate) / (1 - share)
    )
    found = scores_of(moved / moved.sum(axis=1, keepdims=True), labels, arrays)
    names = ("f1", "precision", "recall", "average_precision")
    return {f"natural_{name}": found[name] for name in names if name in found} | {
        "natural_prior": float((labels == positive).mean())
    }


def control_scores(
    joined: Sequence[Probabilities],
    controls: Controls,
    scores: Mapping[str, float],
    arrays: TaskArrays,
) -> dict[str, float]:
    """The mean score of the controls, that on word types that train has, and the selectivity.

    One array of probabilities a control, of the test targets; ``scores`` are the task's own.
    Nothing where there are no controls.
    """
    if not joined:
        return {}
    scheme, metric = scheme_of(arrays), arrays.metric
    pairs = list(zip(joined, controls.labels["test"], strict=True))
    everywhere = _each(scheme, metric, pairs, np.ones(len(controls.seen), dtype=bool))
    if not everywhere:  # no control has a target that its score is about
        return {}
    found = {f"control_{metric}": float(np.mean(everywhere))}
    known = _each(scheme, metric, pairs, controls.seen) if controls.seen.any() else []
    if known:
        found[f"control_{metric}_seen_types"] = float(np.mean(known))
    return {**found, "selectivity": selectivity(scores[metric], everywhere)}


def refit_scores(
    joined: Sequence[Probabilities], labels: NDArray[np.int64], arrays: TaskArrays
) -> dict[str, float]:
    """The standard deviation of the refits' scores on test. Nothing where there are none."""
    if not joined:
        return {}
    everything = np.ones(len(labels), dtype=bool)
    values = _each(scheme_of(arrays), arrays.metric, [(p, labels) for p in joined], everything)
    return {f"refits_sd_{arrays.metric}": float(np.std(values, ddof=1))}


def _each(
    scheme: Scheme,
    metric: str,
    pairs: Sequence[tuple[Probabilities, NDArray[np.int64]]],
    rows: Rows,
) -> list[float]:
    found = [scheme.scores(probabilities, labels, rows) for probabilities, labels in pairs]
    return [scores[metric] for scores in found if metric in scores]

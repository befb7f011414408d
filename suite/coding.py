"""Code lengths of a task and of its controls, and the learning curve that comes with them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..probes.base import Probe
from ..probes.codelength import CodeLength, OnlineCode, block_ends, order_of, over_orders
from .arrays import TaskArrays
from .fitting import Laid, fit_problems, take
from .scheme import scheme_of

TOLERANCE = 1e-5
"""Of the fits on prefixes: the code is as long as at the optimum, to a ten-thousandth."""


def code_lengths(
    probe: Probe,
    features: Mapping[str, Laid],
    labels: NDArray[np.int64],
    dev_labels: NDArray[np.int64],
    arrays: TaskArrays,
    orders: int,
) -> tuple[dict[str, float], list[dict[str, float]]]:
    """Scores of the online code, and the task's test score after each prefix of the first order.

    ``labels`` and ``dev_labels`` are (problems, targets), the task's first. On every prefix all
    problems are fitted together, the L2 of each chosen on dev as for the probe itself.
    """
    runs: list[list[CodeLength]] = [[] for _ in labels]
    curve: list[dict[str, float]] = []
    for seed in range(orders):
        codes, points = _one_order(probe, features, labels, dev_labels, arrays, seed)
        for run, code in zip(runs, codes, strict=True):
            run.append(code)
        curve += points
    task, controls = over_orders(runs[0]), [over_orders(run) for run in runs[1:]]
    scores = {
        "codelength_bits": task.codelength_bits,
        "codelength_bits_lowest": task.lowest,
        "codelength_bits_highest": task.highest,
        "compression": task.compression,
        "bits_per_label": task.bits_per_label,
    }
    if controls:
        scores["control_codelength_bits"] = float(np.mean([c.codelength_bits for c in controls]))
    return scores, curve


def _one_order(
    probe: Probe,
    features: Mapping[str, Laid],
    labels: NDArray[np.int64],
    dev_labels: NDArray[np.int64],
    arrays: TaskArrays,
    seed: int,
) -> tuple[list[CodeLength], list[dict[str, float]]]:
    """The codes of all problems, and, of the first order, the points of the learning curve."""
    classes, clusters = len(arrays.classes), arrays.splits["train"].clusters
    order = order_of(clusters, seed)
    ends = block_ends(clusters[order])
    codes = [OnlineCode(classes, own[order[: ends[0]]]) for own in labels]
    curve, test = [], arrays.splits["test"].labels
    all_of_it = np.ones(len(test), dtype=bool)
    for end, next_end in pairwise(ends):
        prefix, block = order[:end], order[end:next_end]
        fits = fit_problems(
            probe,
            take(features["train"], prefix),
            labels[:, prefix],
            features["dev"],
            dev_labels,
            classes,
            tolerance=TOLERANCE,
        )
        coming = take(features["train"], block)
        for code, fit, own in zip(codes, fits, labels, strict=True):
            code.add(fit.predict_proba(coming), own[block])
        if seed == 0:
            scores = scheme_of(arrays).scores(
                fits[0].predict_proba(features["test"]), test, all_of_it
            )
            curve.append({"targets": float(end), arrays.metric: scores[arrays.metric]})
    return [code.result() for code in codes], curve

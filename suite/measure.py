"""One layer of one encoder on its tasks, from stored activations to records."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import provenance
from ..core.errors import DataError, in_one_line
from ..probes import metrics
from ..probes.base import Fitted, Probe
from ..results.records import Key, Record
from ..results.statistics import bootstrap_interval
from .arrays import TaskArrays
from .choices import ChoiceUnit, measure_choices
from .coding import code_lengths
from .controls import Controls
from .fitting import Layer, fit_problems, lay_out
from .kept import predictions_of
from .layers import Layers
from .scheme import Scheme, scheme_of
from .scoring import (
    control_scores,
    natural_scores,
    refit_scores,
    scores_on_dev,
    scores_on_test,
    strata_of,
)
from .structural import TreeUnit, measure_trees

Bias = Callable[[Mapping[str, float]], Mapping[str, float]]


@dataclass(frozen=True)
class Unit:
    """What to measure of a layer on one task. Small enough to be sent to a worker.

    ``orders`` of the training targets give code lengths, ``refits`` on resampled clusters of them
    the spread that the choice of training data makes.
    """

    key: Key
    layer_name: str
    layers: int
    arrays: TaskArrays
    controls: Controls
    probe: Probe
    span_pooling: str
    device: str
    orders: int
    refits: int
    baselines: dict[str, dict[str, float]]
    facts: dict[str, Any]
    folder: Path
    bias: Bias | None = None

    def cost(self, dim: int) -> float:
        """How much there is to do, in multiplications, for an estimate of the time left."""
        train = self.arrays.splits["train"]
        width = dim * (1 if train.spans2 is None else 4)
        problems = 1 + len(self.controls.labels["train"]) + self.refits
        share = problems + 2 * self.orders * (problems - self.refits)
        columns = len(self.arrays.classes) - (not self.arrays.several)
        return float(len(train.labels) * width * columns * share)


AnyUnit = Unit | ChoiceUnit | TreeUnit


@dataclass(frozen=True)
class LayerJob:
    """All units of one layer: it is read once, and all problems of a task are fitted together."""

    activations: dict[str, Layers]
    units: list[AnyUnit]
    cost: float


def measure_layer(job: LayerJob) -> tuple[float, list[Record]]:
    """The job's cost, and every unit's record.

    What goes wrong becomes a failed record, and the run goes on.
    """
    index = job.units[0].key.layer
    try:
        vectors = {name: entry.layer(index) for name, entry in job.activations.items()}
    except Exception as error:
        return job.cost, [_failed(unit, error) for unit in job.units]
    return job.cost, [measure(unit, vectors, job.activations) for unit in job.units]


def measure(
    unit: AnyUnit, vectors: Mapping[str, Layer], activations: Mapping[str, Layers]
) -> Record:
    """Fit and score the probe and its controls, or choose, on a layer's (words, dim) vectors."""
    try:
        if isinstance(unit, ChoiceUnit):
            return measure_choices(unit, vectors, activations)
        if isinstance(unit, TreeUnit):
            return measure_trees(unit, vectors, activations)
        return _measure(unit, vectors, activations)
    except Exception as error:
        return _failed(unit, error)


def _measure(unit: Unit, vectors: Mapping[str, Layer], activations: Mapping[str, Layers]) -> Record:
    arrays = unit.arrays
    if len(arrays.classes) < 2:
        raise DataError(f"only one label in train: {arrays.classes[0]!r}", where=arrays.task)
    scheme = scheme_of(arrays)
    started = time.perf_counter()
    features = lay_out(unit.probe, vectors, arrays.splits, unit.span_pooling, unit.device)
    pooled = time.perf_counter()
    train, test = arrays.splits["train"], arrays.splits["test"]
    labels, dev_labels = (_stack(unit, scheme, name) for name in ("train", "dev"))
    width = len(scheme.problems(train.labels))  # the problems of one labelling
    weights = _weights(train.clusters, len(labels), width, unit.refits)
    fits = fit_problems(
        unit.probe,
        features["train"],
        np.concatenate([labels, np.tile(labels[:width], (unit.refits, 1))]),
        features["dev"],
        np.concatenate([dev_labels, np.tile(dev_labels[:width], (unit.refits, 1))]),
        scheme.classes,
        weights,
    )
    trained = time.perf_counter()
    task, *others = (fits[start : start + width] for start in range(0, len(fits), width))
    controls, refits = others[: len(labels) // width - 1], others[len(labels) // width - 1 :]

    def predicted(fitted: Sequence[Fitted], name: str) -> NDArray[np.float64]:
        return scheme.joined([fit.predict_proba(features[name]) for fit in fitted])

    dev_scores = scores_on_dev(predicted(task, "dev"), arrays)
    joined = predicted(task, "test")
    predictions_of(joined, arrays).write(unit.folder, unit.key.id)
    scores = scores_on_test(joined, test.labels, arrays)
    counted = scheme.counted(joined, test.labels)
    interval = bootstrap_interval(counted.statistic, counted.by_cluster)
    of_controls = [predicted(fitted, "test") for fitted in controls]
    scores |= control_scores(of_controls, unit.controls, scores, arrays)
    scores |= refit_scores([predicted(fitted, "test") for fitted in refits], test.labels, arrays)
    if unit.bias is not None:
        scores |= unit.bias(scores)
    if arrays.natural_rate is not None:
        scores |= natural_scores(predicted(task, "natural"), arrays)
    scored = time.perf_counter()
    facts = dict(unit.facts)
    if unit.orders:
        coded, curve = code_lengths(unit.probe, features, labels, dev_labels, arrays, unit.orders)
        scores |= coded
        facts["learning_curve"] = curve
    return Record(
        key=unit.key,
        layer_name=unit.layer_name,
        layers=unit.layers,
        status="ok",
        metric=arrays.metric,
        scores=scores,
        dev_scores=dev_scores,
        interval=interval,
        counts={
            **{f"{name}_targets": len(each.labels) for name, each in arrays.splits.items()},
            **_test_counts(arrays),
            "classes": len(arrays.classes),
            "features": _width(features["train"]),
        },
        chosen={
            **_report(task, arrays),
            **({"controls": [_report(fitted, arrays) for fitted in controls]} if controls else {}),
        },
        baselines=unit.baselines,
        facts={**facts, "clusters": arrays.cluster},
        timing={
            "encode_seconds": round(sum(a.seconds for a in activations.values()), 3),
            "encoded_words": float(sum(a.manifest["shape"][1] for a in activations.values())),
            "pool_seconds": round(pooled - started, 3),
            "fit_seconds": round(trained - pooled, 3),
            "score_seconds": round(scored - trained, 3),
            "code_seconds": round(time.perf_counter() - scored, 3),
        },
        provenance=provenance.describe(),
    )


def _stack(unit: Unit, scheme: Scheme, name: str) -> NDArray[np.int64]:
    """The labels of all problems of the task and of its controls, (problems, targets)."""
    labellings = [unit.arrays.splits[name].labels, *unit.controls.labels[name]]
    return np.concatenate([scheme.problems(labels) for labels in labellings])


def _weights(
    clusters: NDArray[np.int64], problems: int, width: int, refits: int
) -> NDArray[np.float64] | None:
    """1 for the problems themselves; for a refit, how often it has drawn a target's cluster."""
    if not refits:
        return None
    _, number = np.unique(clusters, return_inverse=True)
    total = int(number.max()) + 1
    random = np.random.default_rng(0)
    drawn = random.multinomial(total, np.full(total, 1 / total), size=refits)
    again = np.repeat(drawn[:, number], width, axis=0)
    return np.concatenate([np.ones((problems, len(clusters))), again])


def _test_counts(arrays: TaskArrays) -> dict[str, int]:
    """What the scores stand on, and how many test targets each stratum has."""
    test = arrays.splits["test"]
    if test.unknown is None:
        found = metrics.counts(test.labels, test.clusters)
    else:
        found = metrics.counts(np.zeros(len(test.labels), dtype=np.int64), test.clusters)
        found["unseen_labels"] = int(test.unknown.sum())
    if arrays.groups is not None:
        found["choices"] = int(arrays.groups[-1]) + 1
    return found | {f"targets[{name}]": int(rows.sum()) for name, rows in strata_of(arrays)}


def _report(fitted: Sequence[Fitted], arrays: TaskArrays) -> dict[str, Any]:
    """What was chosen for the problems of a labelling."""
    if not arrays.several:
        return dict(fitted[0].report())
    reports = [fit.report() for fit in fitted]
    return {
        "converged": all(report.get("converged", True) for report in reports),
        "l2_is_at_the_edge": any(report.get("l2_is_at_the_edge", False) for report in reports),
        "labels": {
            label: dict(report) for label, report in zip(arrays.classes, reports, strict=True)
        },
    }


def _width(features: Any) -> int:
    return int(features.shape[1] if isinstance(features, np.ndarray) else features.dim)


def _failed(unit: AnyUnit, error: Exception) -> Record:
    return Record(
        key=unit.key,
        layer_name=unit.layer_name,
        layers=unit.layers,
        status="failed",
        error=in_one_line(error),
        metric=unit.arrays.metric,
        facts=unit.facts,
        provenance=provenance.describe(),
    )

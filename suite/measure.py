"""One unit: one layer of one encoder on one task, from stored activations to a record."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import provenance
from ..core.errors import DataError, LayerwiseError
from ..core.types import SPLITS
from ..encoders.store import Activations
from ..probes import metrics
from ..probes.base import Features, Probe
from ..probes.spans import pair_features, pool_spans
from ..results.records import Key, Record
from ..results.statistics import bootstrap_interval
from .arrays import SplitArrays, TaskArrays


@dataclass(frozen=True)
class Unit:
    """What to measure, and all that is needed for it. Small enough to be sent to a worker."""

    key: Key
    layer_name: str
    layers: int
    arrays: TaskArrays
    activations: dict[str, Activations]
    probe: Probe
    span_pooling: str
    baselines: dict[str, dict[str, float]]
    facts: dict[str, Any]


def measure(unit: Unit) -> Record:
    """Fit and score the probe. What goes wrong becomes a failed record, and the run goes on."""
    try:
        return _measure(unit)
    except LayerwiseError as error:
        return _failed(unit, str(error))
    except Exception as error:
        return _failed(unit, " ".join(f"{type(error).__name__}: {error}".split()))


def _measure(unit: Unit) -> Record:
    arrays = unit.arrays
    classes = len(arrays.classes)
    if classes < 2:
        raise DataError(f"only one label in train: {arrays.classes[0]!r}", where=arrays.task)
    started = time.perf_counter()
    features = {name: _features(unit, name) for name in SPLITS}
    pooled = time.perf_counter()
    train, dev, test = (arrays.splits[name] for name in SPLITS)
    fitted = unit.probe.fit(
        features["train"], train.labels, features["dev"], dev.labels, classes=classes
    )
    trained = time.perf_counter()
    dev_scores, _ = _scores(fitted.predict_proba(features["dev"]), dev, arrays)
    scores, predicted = _scores(fitted.predict_proba(features["test"]), test, arrays)
    interval = bootstrap_interval(
        metrics.statistic(arrays.metric, arrays.positive),
        metrics.tallies_by_cluster(test.labels, predicted, test.clusters, classes),
    )
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
            **{f"{name}_targets": len(arrays.splits[name].labels) for name in SPLITS},
            **metrics.counts(test.labels, test.clusters),
            "classes": classes,
            "features": features["train"].shape[1],
        },
        chosen=dict(fitted.fit_report()),
        baselines=unit.baselines,
        facts={**unit.facts, "clusters": arrays.cluster},
        timing={
            "encode_seconds": round(sum(a.seconds for a in unit.activations.values()), 3),
            "encoded_words": float(sum(a.manifest["shape"][1] for a in unit.activations.values())),
            "pool_seconds": round(pooled - started, 3),
            "fit_seconds": round(trained - pooled, 3),
            "score_seconds": round(time.perf_counter() - trained, 3),
        },
        provenance=provenance.describe(),
    )


def _features(unit: Unit, name: str) -> Features:
    vectors = unit.activations[name].layer(unit.key.layer)  # (words, dim)
    split = unit.arrays.splits[name]
    first = pool_spans(vectors, split.spans1, unit.span_pooling)
    if split.spans2 is None:
        return first  # (targets, dim)
    second = pool_spans(vectors, split.spans2, unit.span_pooling)
    return pair_features(first, second)  # (targets, 4 * dim)


def _scores(
    probabilities: NDArray[np.float64], split: SplitArrays, arrays: TaskArrays
) -> tuple[dict[str, float], NDArray[np.int64]]:
    predicted = probabilities.argmax(axis=1)
    scores = metrics.scores(
        split.labels, predicted, probabilities, len(arrays.classes), arrays.positive
    )
    return scores, predicted


def _failed(unit: Unit, error: str) -> Record:
    return Record(
        key=unit.key,
        layer_name=unit.layer_name,
        layers=unit.layers,
        status="failed",
        error=error,
        metric=unit.arrays.metric,
        facts=unit.facts,
        provenance=provenance.describe(),
    )

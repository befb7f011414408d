"""The arms of probe ensembles on one task: fitted, calibrated, and scored, as records.

An arm's main score is its log-loss after temperature, under a name of its own (``tempered_nats``),
so that no column of a table holds scores of single layers and of ensembles, which know several.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import provenance
from ..core.errors import DataError, in_one_line
from ..core.types import SPLITS
from ..probes import calibration, metrics
from ..probes.design import Design
from ..probes.ensemble import Arm, Arms, HyperDeep
from ..probes.ensemble_members import CHOOSE, Learner, mixes, subspace_of
from ..probes.layer_stack import spread
from ..probes.linear import LinearProbe
from ..results.records import Interval, Key, Record
from ..results.statistics import bootstrap_interval
from .arrays import SplitArrays, TaskArrays
from .dev_halves import choosing_half
from .fitting import lay_out
from .kept import predictions_of
from .layers import Layers

METRIC = "tempered_nats"

_CALIBRATE = "calibrate"


@dataclass(frozen=True)
class EnsembleJob:
    """The arms of one task: they share their candidates, so that one worker fits all of them."""

    activations: dict[str, Layers]
    keys: dict[str, Key]
    layers: tuple[int, ...]
    encoder_layers: int
    arrays: TaskArrays
    probe: HyperDeep
    span_pooling: str
    baselines: dict[str, dict[str, float]]
    facts: dict[str, Any]
    folder: Path

    @property
    def sources(self) -> NDArray[np.float64]:
        """What members read, as weights of ``layers``: (sources, layers)."""
        return mixes(len(self.layers), self.probe.mixes, self.probe.seed)

    @property
    def cost(self) -> float:
        """How much there is to do, in multiplications, for an estimate of the time left."""
        train = self.arrays.splits["train"]
        width = float(self.activations["train"].manifest["shape"][2])
        columns = len(self.arrays.classes) * (1 if train.spans2 is None else 4)
        return len(train.labels) * width * columns * len(self.layers)


def measure_arms(job: EnsembleJob) -> tuple[float, list[Record]]:
    """The job's cost, and the record of each arm; what goes wrong becomes a failed one."""
    started = time.perf_counter()
    try:
        arms = dict(_arms(job))
    except Exception as error:
        return job.cost, [_failed(job, arm, error) for arm in job.keys]
    searched = time.perf_counter() - started
    records = []
    for name, make in arms.items():
        if name not in job.keys:
            continue
        try:
            records.append(_measure(job, name, make, searched))
        except Exception as error:
            records.append(_failed(job, name, error))
    return job.cost, records


def _arms(job: EnsembleJob) -> Arms:
    """The candidates of the task, fitted, and the arms that are made of them."""
    arrays = job.arrays
    if len(arrays.classes) < 2:
        raise DataError(f"only one label in train: {arrays.classes[0]!r}", where=arrays.task)
    train, splits, weights = arrays.splits["train"], _splits(arrays), job.sources
    if not len(splits[CHOOSE].labels):
        raise DataError("no dev target has a label of train", where=arrays.task)
    read = {"train": "train", CHOOSE: "dev", _CALIBRATE: "dev", "test": "test"}

    def layout(source: int, subspace: int) -> Mapping[str, Design]:
        vectors = _mixed(job, weights[source])
        if subspace:
            features = subspace_of(vectors["train"].shape[1], subspace)
            vectors = {name: each[:, features] for name, each in vectors.items()}
        laid = lay_out(
            LinearProbe(),
            {name: vectors[split] for name, split in read.items()},
            splits,
            job.span_pooling,
            job.probe.device,
        )
        return {name: each for name, each in laid.items() if not isinstance(each, np.ndarray)}

    learner = Learner(
        layout,
        train.labels,
        train.clusters,
        splits[CHOOSE].labels,
        len(arrays.classes),
        job.probe.l2,
        tolerance=job.probe.tolerance,
    )
    return Arms(job.probe, learner, layers=len(job.layers), sources=len(weights))


def _mixed(job: EnsembleJob, weights: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """Each split's words at a source, (words, dim): the layers over their spread, weighted."""
    if np.count_nonzero(weights) == 1:
        layer = job.layers[int(weights.argmax())]
        return {name: job.activations[name].layer(layer) for name in SPLITS}
    found: dict[str, NDArray[Any]] = {}
    for weight, layer in zip(weights, job.layers, strict=True):
        scale = np.float32(weight / spread(job.activations["train"].layer(layer)))
        for name in SPLITS:
            part = job.activations[name].layer(layer).astype(np.float32) * scale
            found[name] = found[name] + part if name in found else part
    return found


def _splits(arrays: TaskArrays) -> dict[str, SplitArrays]:
    """Train, test, and the two halves of dev; those that choose have labels that train has."""
    dev = arrays.splits["dev"]
    chooses = choosing_half(dev.clusters, f"task {arrays.task}")
    return {
        "train": arrays.splits["train"],
        CHOOSE: _rows(dev, chooses & (dev.labels >= 0)),
        _CALIBRATE: _rows(dev, ~chooses),
        "test": arrays.splits["test"],
    }


def _rows(split: SplitArrays, which: NDArray[np.bool_]) -> SplitArrays:
    return replace(
        split,
        spans1=split.spans1[which],
        spans2=None if split.spans2 is None else split.spans2[which],
        labels=split.labels[which],
        clusters=split.clusters[which],
    )


def _measure(job: EnsembleJob, name: str, make: Callable[[], Arm], searched: float) -> Record:
    """An arm's scores on test, before its temperature and, as ``tempered_...``, after it."""
    arrays, started = job.arrays, time.perf_counter()
    test, calibrate = arrays.splits["test"], _splits(arrays)[_CALIBRATE]
    arm = make()
    trained = time.perf_counter()
    temperature = calibration.fit_temperature(arm.predict_proba(_CALIBRATE), calibrate.labels)
    plain = arm.predict_proba("test")
    tempered = calibration.tempered(plain, temperature)
    predictions_of(tempered, arrays).write(job.folder, job.keys[name].id)
    after = calibration.probability_scores(tempered, test.labels)
    after["nats"] = after.pop("cross_entropy_nats")
    members = arm.report()
    return _record(
        job,
        name,
        status="ok",
        scores={
            METRIC: after["nats"],
            **calibration.probability_scores(plain, test.labels),
            **{f"tempered_{score}": value for score, value in after.items()},
        },
        interval=_interval(tempered, test),
        counts={
            **{f"{split}_targets": len(arrays.splits[split].labels) for split in SPLITS},
            "choosing_targets": len(_splits(arrays)[CHOOSE].labels),
            "calibrating_targets": len(calibrate.labels),
            **metrics.counts(test.labels, test.clusters),
            "classes": len(arrays.classes),
        },
        chosen={
            "temperature": temperature,
            "sources": [
                {
                    str(layer): round(float(w), 6)
                    for layer, w in zip(job.layers, row, strict=True)
                    if w
                }
                for row in job.sources
            ],
            **members,
        },
        baselines=job.baselines,
        timing={
            "encode_seconds": round(sum(a.seconds for a in job.activations.values()), 3),
            "search_seconds": round(searched, 3),
            "fit_seconds": round(trained - started, 3),
            "score_seconds": round(time.perf_counter() - trained, 3),
        },
    )


def _weights_by_layer(layers: tuple[int, ...], row: NDArray[np.float64]) -> dict[str, float]:
    return {str(layer): round(float(w), 6) for layer, w in zip(layers, row, strict=True) if w}


def _interval(probabilities: NDArray[np.float64], test: SplitArrays) -> Interval | None:
    """That of the log-loss over the targets whose label training saw, by resampled clusters."""
    known = test.labels >= 0
    rows = np.flatnonzero(known)
    of_gold = np.maximum(probabilities[rows, test.labels[rows]], metrics.SMALLEST_PROBABILITY)
    _, number = np.unique(test.clusters[rows], return_inverse=True)
    table = np.stack([np.bincount(number, -np.log(of_gold)), np.bincount(number)], axis=1)
    return bootstrap_interval(lambda sums: sums[..., 0] / sums[..., 1], table)


def _failed(job: EnsembleJob, arm: str, error: Exception) -> Record:
    return _record(job, arm, status="failed", error=in_one_line(error))


def _record(job: EnsembleJob, arm: str, **found: Any) -> Record:
    return Record(
        key=job.keys[arm],
        layer_name=f"of {_span(job.layers)}",
        layers=job.encoder_layers,
        metric=METRIC,
        facts=job.facts,
        provenance=provenance.describe(),
        **found,
    )


def _span(layers: tuple[int, ...]) -> str:
    """``0..4``, or the layers with commas where some are left out."""
    whole = layers == tuple(range(layers[0], layers[-1] + 1)) and len(layers) > 1
    return f"{layers[0]}..{layers[-1]}" if whole else ",".join(map(str, layers))

"""A task without training on one layer: what is chosen by similarity alone, as a record."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import provenance
from ..probes import context_similarity
from ..probes.context_similarity import credits, similarities
from ..results.predictions import Predictions
from ..results.records import Key, Record
from ..results.statistics import bootstrap_interval
from ..tasks.choices import ChoiceData
from .choice_arrays import ChoiceArrays, Credits, accuracies, by_cluster, choice_baselines
from .layers import Layers

PROBE = f"{context_similarity.NAME}.{context_similarity.VERSION}"

Layer = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class PreparedChoices:
    """A task without training on the run's data, and its choices as arrays."""

    data: ChoiceData
    arrays: ChoiceArrays

    @cached_property
    def baselines(self) -> dict[str, dict[str, float]]:
        """The same for every encoder and layer."""
        return choice_baselines(self.arrays, self.data.candidate)

    @property
    def summary(self) -> str:
        """What there is to measure, in a few words."""
        sizes = ", ".join(f"{name} {len(each):,}" for name, each in self.arrays.splits.items())
        return f"nothing to train; targets {sizes}"


@dataclass(frozen=True)
class ChoiceUnit:
    """What to measure of a layer on one task. Small enough to be sent to a worker."""

    key: Key
    layer_name: str
    layers: int
    arrays: ChoiceArrays
    baselines: dict[str, dict[str, float]]
    facts: dict[str, Any]
    folder: Path

    def cost(self, dim: int) -> float:
        """How much there is to do, in multiplications, for an estimate of the time left."""
        return float(dim * sum(len(each.candidates) for each in self.arrays.splits.values()))


def measure_choices(
    unit: ChoiceUnit, vectors: Mapping[str, Layer], activations: Mapping[str, Layers]
) -> Record:
    """Choose on a layer's (words, dim) vectors of each split.

    ``accuracy`` is over the targets of all splits of the task, ``accuracy_centred`` that with the
    layer's mean word vector over these splits taken off; where there are several splits, each has
    its own ``accuracy_on_...`` too.
    """
    arrays = unit.arrays
    started = time.perf_counter()
    scored = {name: similarities(vectors[name], each) for name, each in arrays.splits.items()}
    earned = {name: credits(scored[name], each) for name, each in arrays.splits.items()}
    centre = _centre([vectors[name] for name in arrays.splits])
    centred = {
        name: credits(similarities(vectors[name], each, centre), each)
        for name, each in arrays.splits.items()
    }
    table = by_cluster(earned, arrays)
    _predictions(earned, arrays).write(unit.folder, unit.key.id)
    scores = {**accuracies(earned), "accuracy_centred": accuracies(centred)["accuracy"]}
    choices = list(arrays.splits.values())
    used = [activations[name] for name in arrays.splits]
    return Record(
        key=unit.key,
        layer_name=unit.layer_name,
        layers=unit.layers,
        status="ok",
        metric=arrays.metric,
        scores=scores,
        interval=bootstrap_interval(lambda sums: sums[..., 0] / sums[..., 1], table),
        counts={
            **{f"{name}_targets": len(each) for name, each in arrays.splits.items()},
            "targets": sum(map(len, choices)),
            "clusters": len(table),
            "candidates": sum(len(each.candidates) for each in choices),
            "targets_without_a_right_candidate": sum(
                int((credits(each.right.astype(np.float64), each) == 0).sum()) for each in choices
            ),
            "targets_with_partial_credit": sum(
                int(((credit > 0) & (credit < 1)).sum()) for credit in earned.values()
            ),
        },
        baselines=unit.baselines,
        facts={**unit.facts, "clusters": arrays.cluster},
        timing={
            "encode_seconds": round(sum(each.seconds for each in used), 3),
            "encoded_words": float(sum(each.manifest["shape"][1] for each in used)),
            "score_seconds": round(time.perf_counter() - started, 3),
        },
        provenance=provenance.describe(),
    )


def _predictions(earned: Credits, arrays: ChoiceArrays) -> Predictions:
    """The credit of each target of each split; no cluster is in two splits."""
    clusters, above = [], 0
    for name in earned:
        clusters.append(arrays.clusters[name] + above)
        above = int(clusters[-1].max(initial=above)) + 1
    credit = np.concatenate(list(earned.values())).astype(np.float32)
    return Predictions(
        np.concatenate(clusters).astype(np.int32), credit=credit, out_of=np.ones_like(credit)
    )


def _centre(layers: list[Layer]) -> NDArray[np.float64]:
    """The mean word vector, (dim,), of several arrays of (words, dim)."""
    total = sum(layer.sum(axis=0, dtype=np.float64) for layer in layers)
    return np.asarray(total / sum(len(layer) for layer in layers), dtype=np.float64)

"""Trees on one layer: a structural probe and its controls, fitted and scored, as a record."""

from __future__ import annotations

import time
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import provenance
from ..core.types import SPLITS
from ..probes import structural
from ..probes.controls import selectivity
from ..probes.structural import Sentences, StructuralProbe
from ..results.predictions import Predictions
from ..results.records import Key, Record
from ..results.statistics import bootstrap_interval
from ..tasks.dependency_trees import TreeData
from .layers import Layers
from .structural_arrays import (
    Control,
    Heads,
    Scored,
    StructuralArrays,
    control_trees,
    labels_of,
    scores_of,
    tree_baselines,
)

PROBE = f"{structural.NAME}.{structural.VERSION}"

Layer = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class PreparedTrees:
    """A task of whole trees on the run's data, its trees as arrays, and how they are probed."""

    data: TreeData
    arrays: StructuralArrays
    control_tasks: int
    device: str = "cpu"

    @property
    def probe(self) -> StructuralProbe:
        """The probe, not fitted."""
        return StructuralProbe(quantity=self.data.quantity, device=self.device)

    @property
    def settings(self) -> dict[str, Any]:
        """Everything that decides the numbers of its units."""
        return {"controls": self.control_tasks, **self.probe.settings()}

    @cached_property
    def baselines(self) -> dict[str, dict[str, float]]:
        """The same for every encoder and layer."""
        return tree_baselines(self.arrays)

    @cached_property
    def controls(self) -> tuple[Control, ...]:
        """The same for every encoder and layer."""
        return control_trees(self.data, self.arrays, self.control_tasks)

    @property
    def summary(self) -> str:
        """What there is to measure, in a few words."""
        sizes = (f"{name} {len(self.arrays.splits[name]):,}" for name in SPLITS)
        return f"{self.data.quantity} in trees; sentences {', '.join(sizes)}"


@dataclass(frozen=True)
class TreeUnit:
    """What to measure of a layer on one task of trees. Small enough to be sent to a worker."""

    key: Key
    layer_name: str
    layers: int
    arrays: StructuralArrays
    controls: tuple[Control, ...]
    probe: StructuralProbe
    baselines: dict[str, dict[str, float]]
    facts: dict[str, Any]
    folder: Path

    def cost(self, dim: int) -> float:
        """How much there is to do, in multiplications, for an estimate of the time left."""
        words = int(self.arrays.splits["train"].lengths.sum())
        return float(words * dim * min(self.probe.rank, dim) * (1 + len(self.controls)))


def measure_trees(
    unit: TreeUnit, vectors: Mapping[str, Layer], activations: Mapping[str, Layers]
) -> Record:
    """Fit and score the probe and its controls on a layer's (words, dim) vectors of each split.

    The scores are those on test; ``control_...`` is the metric of the probes of control trees, on
    control trees, and ``selectivity`` what the metric is above it. What was found of each sentence
    is kept beside the record, in ``unit.folder``.
    """
    arrays, started = unit.arrays, time.perf_counter()
    test = arrays.splits["test"]
    own = {name: split.heads for name, split in arrays.splits.items()}
    probe, *others = (_fitted(unit, vectors, heads) for heads in (own, *unit.controls))
    trained = time.perf_counter()
    found = _scored(unit, probe, vectors, "test", own["test"])
    _predictions(found).write(unit.folder, unit.key.id)
    scores = dict(found.scores)
    if others:
        of_controls = [
            _scored(unit, each, vectors, "test", heads["test"]).scores[arrays.metric]
            for each, heads in zip(others, unit.controls, strict=True)
        ]
        scores[f"control_{arrays.metric}"] = float(np.mean(of_controls))
        scores["selectivity"] = selectivity(scores[arrays.metric], of_controls)
    return Record(
        key=unit.key,
        layer_name=unit.layer_name,
        layers=unit.layers,
        status="ok",
        metric=arrays.metric,
        scores=scores,
        dev_scores=_scored(unit, probe, vectors, "dev", own["dev"]).scores,
        interval=bootstrap_interval(
            lambda sums: sums[..., 0] / sums[..., 1],
            np.stack([found.credit, found.out_of], axis=1),
        ),
        counts={
            **{f"{name}_sentences": len(split) for name, split in arrays.splits.items()},
            "words": int(test.lengths.sum()),
            "scored_words": sum(int(scored.sum()) for scored in test.scored),
            "clusters": len(found.sentences),
            "features": int(vectors["train"].shape[1]),
        },
        chosen={
            **probe.fit_report(),
            **({"controls": [dict(each.fit_report()) for each in others]} if others else {}),
        },
        baselines=unit.baselines,
        facts={**unit.facts, "clusters": "sentence"},
        timing={
            "encode_seconds": round(sum(each.seconds for each in activations.values()), 3),
            "encoded_words": float(sum(a.manifest["shape"][1] for a in activations.values())),
            "fit_seconds": round(trained - started, 3),
            "score_seconds": round(time.perf_counter() - trained, 3),
        },
        provenance=provenance.describe(),
    )


def _fitted(unit: TreeUnit, vectors: Mapping[str, Layer], heads: Control) -> StructuralProbe:
    def sentences(name: str) -> Sentences:
        split = unit.arrays.splits[name]
        labels = labels_of(unit.arrays.quantity, heads[name])
        return Sentences(vectors[name], split.starts, split.lengths, labels)

    return deepcopy(unit.probe).fit(sentences("train"), sentences("dev"))


def _scored(
    unit: TreeUnit,
    probe: StructuralProbe,
    vectors: Mapping[str, Layer],
    name: str,
    heads: Heads,
) -> Scored:
    split = unit.arrays.splits[name]
    predicted = probe.predict(vectors[name], split.starts, split.lengths)
    return scores_of(predicted, split, unit.arrays.quantity, heads)


def _predictions(found: Scored) -> Predictions:
    return Predictions(
        found.sentences.astype(np.int32),
        credit=found.credit.astype(np.float32),
        out_of=found.out_of.astype(np.float32),
    )

"""Counts by cluster from the predictions that are kept beside a record, for paired tests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..core import registry
from ..core.errors import DataError
from ..probes import label_sets, metrics
from ..results.predictions import Predictions, read_predictions
from ..results.records import Record
from ..results.targets import TestTargets, read_targets
from .scheme import Counted

_AGAIN = "measure it again into a new folder: `probe run -o FOLDER`"
_NEAR = 1e-5  # credits are kept in single precision


@dataclass(frozen=True)
class Recount:
    """A unit's predictions, and what a cluster adds to its score."""

    kept: Predictions
    counted: Counted

    def same_targets(self, other: Recount) -> bool:
        """Whether both are of the same targets in the same order."""
        mine, theirs = self.kept, other.kept
        pairs = ((mine.clusters, theirs.clusters), (mine.gold, theirs.gold))
        return all(
            (a is None and b is None) or (a is not None and b is not None and np.array_equal(a, b))
            for a, b in pairs
        )


def recounted(record: Record, folder: Path) -> Recount:
    """Read the predictions of a record in its folder and count them.

    Raises DataError where they are not there, or do not give the record's own score.
    """
    kept = read_predictions(folder, record.id)
    if kept is None:
        raise DataError(
            f"no predictions of {_unit(record)} are kept",
            where=str(folder),
            cure=_AGAIN,
        )
    counted = _counted(record, kept, folder)
    score = float(counted.statistic(counted.by_cluster.sum(axis=0)[None])[0])
    if abs(score - record.scores[record.metric]) > _NEAR:
        raise DataError(
            f"the predictions of {_unit(record)} give {record.metric} {score:.6f}, its record "
            f"says {record.scores[record.metric]:.6f}",
            where=str(folder),
            cure=_AGAIN,
        )
    return Recount(kept, counted)


def _counted(record: Record, kept: Predictions, folder: Path) -> Counted:
    """As the task's scheme has counted them when they were made."""
    if kept.credit is not None and kept.out_of is not None:
        _, number = np.unique(kept.clusters, return_inverse=True)
        table = np.stack([np.bincount(number, kept.credit), np.bincount(number, kept.out_of)], 1)
        return Counted(table, lambda sums: sums[..., 0] / sums[..., 1])
    if kept.gold is None or kept.predicted is None:
        raise DataError(f"the predictions of {_unit(record)} have no labels", where=str(folder))
    targets = _targets(folder, record.key.data_hash)
    if kept.gold.ndim == 1:
        return Counted(
            metrics.tallies_by_cluster(
                kept.gold, kept.predicted, kept.clusters, len(targets.classes)
            ),
            metrics.statistic(record.metric, _positive(record, targets)),
        )
    known = set(targets.classes)
    unknown = np.array([sum(each not in known for each in labels) for labels in targets.labels])
    tallies = label_sets.tallies_by_cluster(
        kept.gold > 0, kept.predicted > 0, unknown, kept.clusters.astype(np.int64)
    )
    return Counted(tallies, label_sets.micro_f1)


@lru_cache(maxsize=4)  # every layer of a task asks for the same
def _targets(folder: Path, data_hash: str) -> TestTargets:
    found = read_targets(folder, data_hash)
    if found is None:
        raise DataError(
            f"the test targets of the data {data_hash[:8]} are not kept",
            where=str(folder),
            cure=_AGAIN,
        )
    return found


def _positive(record: Record, targets: TestTargets) -> int | None:
    """The number of the label whose F1 the task reports."""
    if record.metric not in ("f1", "precision", "recall"):
        return None
    name, argument = registry.split_name(record.key.task.rpartition(".")[0])
    label = registry.load("task", name)(argument).positive
    if label not in targets.classes:
        raise DataError(f"no label {label!r} is known to the probe of {_unit(record)}")
    return targets.classes.index(label)


def _unit(record: Record) -> str:
    key = record.key
    return f"{key.encoder}, {key.task}, layer {key.layer}"

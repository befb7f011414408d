"""What is kept of a unit beside its record: predictions, and once a task the test targets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..core.types import TaskData
from ..probes import ranking
from ..results.predictions import Predictions
from ..results.targets import TestTargets
from ..tasks.preparation import labels_of
from .arrays import TaskArrays

Probabilities = NDArray[np.float64]


def predictions_of(joined: Probabilities, arrays: TaskArrays) -> Predictions:
    """Those on the test split; ``joined`` as the task's scheme has them."""
    test = arrays.splits["test"]
    clusters = test.clusters.astype(np.int32)
    if arrays.several:
        gold, predicted = test.labels.astype(np.int8), (joined > 0.5).astype(np.int8)
        return Predictions(clusters, gold=gold, predicted=predicted)
    rows = np.arange(len(joined))
    predicted = joined.argmax(axis=1)
    known = test.labels >= 0
    of_gold = np.where(known, joined[rows, np.maximum(test.labels, 0)], 0)
    plain = Predictions(
        clusters,
        gold=test.labels.astype(np.int32),
        predicted=predicted.astype(np.int32),
        probability=joined[rows, predicted].astype(np.float32),
        of_gold=of_gold.astype(np.float32),
    )
    if arrays.groups is None:
        return plain
    assert arrays.positive is not None
    right = test.labels == arrays.positive
    credit = ranking.credits(joined[:, arrays.positive], right, arrays.groups)
    return Predictions(
        clusters[ranking.starts_of(arrays.groups)],
        credit=credit.astype(np.float32),
        out_of=np.ones(len(credit), dtype=np.float32),
    )


def targets_of(data: TaskData, arrays: TaskArrays) -> TestTargets:
    """The test targets of a task."""
    split = data.splits["test"]
    pairs = [target.span2 for target in split.targets if target.span2 is not None]
    return TestTargets(
        task=data.task,
        classes=tuple(arrays.classes),
        documents=tuple(target.document for target in split.targets),
        spans1=tuple(target.span1 for target in split.targets),
        spans2=tuple(pairs) or None,
        labels=tuple(labels_of(target) for target in split.targets),
        sentences={d.id: [list(s.words) for s in d.sentences] for d in split.documents},
        groups=data.groups,
        strata=dict(data.strata),
    )

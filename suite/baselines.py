"""What no encoder is needed for: the majority label, overall and per word type."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..core.types import Split, TaskData
from ..probes import metrics
from ..probes.majority import majority, majority_by_type, type_key
from .arrays import TaskArrays


def baselines(data: TaskData, arrays: TaskArrays) -> dict[str, dict[str, float]]:
    """The scores of both on the test split; they are the same for every encoder and layer."""
    train, test = arrays.splits["train"].labels, arrays.splits["test"].labels
    by_type = majority_by_type(types_of(data.splits["train"]), train, types_of(data.splits["test"]))

    def score(predicted: NDArray[np.int64]) -> dict[str, float]:
        return metrics.scores(test, predicted, None, len(arrays.classes), arrays.positive)

    return {
        "majority": score(majority(train, len(test))),
        "per-type majority": {**score(by_type.predictions), "seen_types": by_type.seen},
    }


def types_of(split: Split, *, first_only: bool = False) -> list[str]:
    """The words of each target, or of its first span only, as one text."""
    words = {document.id: document.words for document in split.documents}
    return [
        type_key(
            words[document][span1.start : span1.end],
            words[document][span2.start : span2.end]
            if span2 is not None and not first_only
            else None,
        )
        for document, span1, span2, _ in split.targets
    ]

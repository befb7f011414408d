"""What no encoder is needed for: the majority label, overall and per word type, and guesses."""

from __future__ import annotations

import numpy as np

from ..core.types import Split, Target, TaskData
from ..probes.majority import majority, majority_by_type, type_key
from .arrays import TaskArrays, numbered
from .scheme import Labels, scheme_of
from .scoring import scores_on_test

Scores = dict[str, float]


def baselines(data: TaskData, arrays: TaskArrays) -> dict[str, Scores]:
    """Their scores on the test split; they are the same for every encoder and layer."""
    train, test = arrays.splits["train"].labels, arrays.splits["test"].labels
    scheme = scheme_of(arrays)
    # Each set of labels is one thing to predict.
    kinds, numbers = np.unique(train, axis=0, return_inverse=True)
    numbers = numbers.reshape(-1)
    by_type = majority_by_type(
        types_of(data.splits["train"]), numbers, types_of(data.splits["test"])
    )

    def score(predicted: Labels) -> Scores:
        scores = scores_on_test(scheme.certain(predicted), test, arrays)
        scores.pop("cross_entropy_nats", None)  # of no probabilities
        scores.pop("average_precision", None)
        return scores

    return {
        "majority": score(kinds[majority(numbers, len(test))]),
        "per-type majority": {
            **score(kinds[by_type.predictions]),
            "seen_types": by_type.seen,
        },
        **{name: score(_labels(labels, data, arrays)) for name, labels in data.guesses.items()},
    }


def _labels(guesses: tuple[str, ...], data: TaskData, arrays: TaskArrays) -> Labels:
    targets = data.splits["test"].targets
    guessed = [
        Target(target.document, target.span1, target.span2, guess)
        for target, guess in zip(targets, guesses, strict=True)
    ]
    numbers = {label: number for number, label in enumerate(arrays.classes)}
    return numbered(guessed, numbers)[0]


def types_of(split: Split) -> list[str]:
    """The words of each target as one text."""
    words = {document.id: document.words for document in split.documents}
    return [
        type_key(
            words[document][span1.start : span1.end],
            words[document][span2.start : span2.end] if span2 is not None else None,
        )
        for document, span1, span2, _ in split.targets
    ]

"""The baselines that stand beside every result: the majority label, overall and per word type.

What the majority label of a word's type already gives, an encoder need not have found out.
Labels are integers 0..C-1; ties go to the lower one, so that every run predicts the same.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError

Ints = NDArray[np.integer[Any]]


class TypeMajority(NamedTuple):
    """Predictions (n,), and the share of the n targets whose type occurs in training."""

    predictions: NDArray[np.int64]
    seen: float


def type_key(first: Sequence[str], second: Sequence[str] | None = None) -> str:
    """The type of a target: the words of its span, or of both its spans, as they are written.

    Different words give different keys, wherever the borders between them lie.
    """
    spans = [list(first)] if second is None else [list(first), list(second)]
    return json.dumps(spans, ensure_ascii=False)


def majority(train_labels: Ints, size: int) -> NDArray[np.int64]:
    """The most frequent training label, ``size`` times."""
    return np.full(size, np.argmax(_frequencies(train_labels)), dtype=np.int64)


def majority_by_type(
    train_types: Sequence[str], train_labels: Ints, test_types: Sequence[str]
) -> TypeMajority:
    """For each test target the most frequent training label of its type.

    A type that training never saw gets the overall majority. Ties go to the label that is more
    frequent overall, then to the lower one.
    """
    overall = _frequencies(train_labels)
    if len(train_types) != len(train_labels):
        raise DataError(f"{len(train_types)} types but {len(train_labels)} labels")
    if not len(test_types):
        raise DataError("no test targets to predict")
    found: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for kind, label in zip(train_types, np.asarray(train_labels).tolist(), strict=True):
        found[kind][label] += 1
    best = {
        kind: max(labels, key=lambda label: (labels[label], overall[label], -label))
        for kind, labels in found.items()
    }
    fallback = int(np.argmax(overall))
    predictions = np.array([best.get(kind, fallback) for kind in test_types], dtype=np.int64)
    seen = sum(kind in best for kind in test_types) / len(test_types)
    return TypeMajority(predictions, seen)


def _frequencies(labels: Ints) -> NDArray[np.int64]:
    array = np.asarray(labels)
    if array.ndim != 1 or array.dtype.kind not in "iu" or not array.size or array.min() < 0:
        raise DataError("the training labels are no list of integers from 0")
    return np.bincount(array)

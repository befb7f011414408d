"""The control tasks of a task: the same targets, with a random label for each word type."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.types import SPLITS, TaskData
from ..probes.controls import control_labels, seen_types
from .arrays import TaskArrays
from .baselines import types_of


@dataclass(frozen=True)
class Controls:
    """Labels of each split, (controls, targets); and the test targets whose type train has."""

    labels: dict[str, NDArray[np.int64]]
    seen: NDArray[np.bool_]


def controls(data: TaskData, arrays: TaskArrays, count: int) -> Controls:
    """The first ``count`` control tasks; they are the same for every encoder and layer.

    The type of a pair is that of its first span: hardly a pair of words occurs twice, and what
    never comes again could not be memorised.
    """
    types = {name: types_of(data.splits[name], first_only=True) for name in SPLITS}
    train = arrays.splits["train"].labels

    def draw(name: str, seed: int) -> NDArray[np.int64]:
        return control_labels(types[name], train, len(arrays.classes), seed=seed, name=arrays.task)

    labels = {
        name: np.array([draw(name, seed) for seed in range(count)], dtype=np.int64).reshape(
            count, len(types[name])
        )
        for name in SPLITS
    }
    return Controls(labels, seen_types(types["train"], types["test"]))

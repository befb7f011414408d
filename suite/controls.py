"""The control tasks of a task: the same targets, with labels that only memory can know."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError
from ..core.types import SPLITS, TaskData
from ..probes.controls import control_labels, equivalence, seen_types
from ..probes.majority import type_key
from .arrays import TaskArrays


@dataclass(frozen=True)
class Controls:
    """Labels of each split, (controls, targets) or, where a target has several labels, (controls,
    targets, classes); and the test targets whose every key train has."""

    labels: dict[str, NDArray[np.int64]]
    seen: NDArray[np.bool_]


def controls(data: TaskData, arrays: TaskArrays, count: int) -> Controls:
    """The first ``count`` control tasks; they are the same for every encoder and layer.

    A target with one key gets the label of its key, drawn as labels are distributed in train;
    one of two keys is positive where both are in the same random class.
    """
    sizes = {len(key) for keys in data.keys.values() for key in keys}
    if sizes - {1, 2} or len(sizes) > 1:
        raise DataError(f"control keys of {sorted(sizes)} parts", where=f"task {arrays.task}")
    keys = {name: list(zip(*data.keys[name], strict=True)) for name in SPLITS}
    types = {name: [[type_key([k]) for k in part] for part in keys[name]] for name in SPLITS}
    draw = _pairs if sizes == {2} else _single
    drawn = [draw(types, arrays, seed) for seed in range(count)]
    # A word may have been the first of one pair and the second of another.
    train = list(chain.from_iterable(types["train"]))
    seen = [seen_types(train, part) for part in types["test"]]
    return Controls(
        {
            name: np.array([each[name] for each in drawn], dtype=np.int64).reshape(
                count, *arrays.splits[name].labels.shape
            )
            for name in SPLITS
        },
        np.logical_and.reduce(seen),
    )


Types = dict[str, list[list[str]]]


def _single(types: Types, arrays: TaskArrays, seed: int) -> dict[str, NDArray[np.int64]]:
    train = arrays.splits["train"].labels
    if not arrays.several:
        classes = len(arrays.classes)
        return {
            name: control_labels(part[0], train, classes, seed=seed, name=arrays.task)
            for name, part in types.items()
        }
    # A key gets the labels of a training target: all of them, so that they fit together.
    rows = np.arange(len(train))
    return {
        name: train[control_labels(part[0], rows, len(train), seed=seed, name=arrays.task)]
        for name, part in types.items()
    }


def _pairs(types: Types, arrays: TaskArrays, seed: int) -> dict[str, NDArray[np.int64]]:
    if arrays.positive is None or len(arrays.classes) != 2:
        raise DataError("two control keys, but no task of yes and no", where=arrays.task)
    yes = arrays.positive
    first, second = types["train"]
    rate = float((arrays.splits["train"].labels == yes).mean())
    control = equivalence(first, second, rate, seed=seed, name=arrays.task)
    return {
        name: np.where(control.same(*part), yes, 1 - yes).astype(np.int64)
        for name, part in types.items()
    }

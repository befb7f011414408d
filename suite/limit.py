"""Fewer training targets, for a quicker answer: a uniform sample, the same for every encoder."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from ..core.types import TaskData

_Item = TypeVar("_Item")


def limited(data: TaskData, most: int) -> TaskData:
    """The task with at most that many training targets, drawn without replacement, in order.

    Dev and test are as they were. ``facts`` tell how many there had been. 0 keeps all.
    """
    train = data.splits["train"]
    if not most or len(train.targets) <= most:
        return data
    drawn = np.random.default_rng(0).choice(len(train.targets), most, replace=False)
    rows = np.sort(drawn).tolist()

    def kept(items: tuple[_Item, ...]) -> tuple[_Item, ...]:
        return tuple(items[row] for row in rows)

    return replace(
        data,
        splits={**data.splits, "train": replace(train, targets=kept(train.targets))},
        keys={**data.keys, "train": kept(data.keys["train"])},
        facts={**data.facts, "train_targets": {"kept": most, "of": len(train.targets)}},
    )

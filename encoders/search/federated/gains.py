"""What a client tells of a trial: the fall of its loss, clipped and with noise.

A loss has no bound, so noise on a loss hides nobody. Here the fall of the loss on each window is
clipped to [-clip, clip]. The number of windows is public and fixed, so one window more or less
moves their mean by ``clip / windows`` at most: its sensitivity, which the noise is measured in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ....core.errors import DataError


@dataclass(frozen=True)
class Gain:
    """The released gain of one client in nats a word, and how many windows it stands for."""

    value: float
    windows: int


def release_gain(
    before: Sequence[float],
    after: Sequence[float],
    clip: float,
    noise_multiplier: float,
    generator: np.random.Generator,
) -> Gain:
    """The mean over windows of what the loss fell by, each clipped, with Gaussian noise.

    ``before`` and ``after`` are the losses of the same windows in nats a word. The noise's
    standard deviation is ``noise_multiplier * clip / windows``; with 0 there is none. What is not
    a number, as after a training that diverged, counts as the worst. The mean before noise is
    within [-clip, clip] whatever the losses are. Raises DataError for losses that do not pair.
    """
    first, second = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise DataError(
            f"{len(first)} losses before and {len(second)} after",
            where="the report of a client",
            cure="give the same windows, one or more, both times",
        )
    if not clip > 0 or not noise_multiplier >= 0:
        raise DataError(f"a clip of {clip:g}, noise {noise_multiplier:g}", where="gain")
    with np.errstate(invalid="ignore"):
        falls = np.nan_to_num(first - second, nan=-clip)
    falls = np.clip(falls, -clip, clip)
    noise = generator.normal(0.0, noise_multiplier * clip / len(falls))
    return Gain(float(falls.mean() + noise), len(falls))


def pooled(gains: Sequence[Gain]) -> float:
    """The mean gain of all clients, each counted by its windows."""
    return float(np.average([g.value for g in gains], weights=[g.windows for g in gains]))

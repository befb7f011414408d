"""Augmented training rows for a probe on frozen features: moment exchange, mixup, dropout.

Where a network sees another draw at every step, a convex probe sees a fixed set of rows whose
weighted loss is the expected loss of such steps: with probability p a row's loss is that of an
augmented copy, else its own. A label that is mixed is two rows of the same features, weighted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ..core.errors import UsageError
from ..core.moment_exchange import exchange

Kind = Literal["moex", "mixup", "dropout"]
KINDS: tuple[Kind, ...] = ("moex", "mixup", "dropout")

Features = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Rows:
    """Features (rows, dim), labels (rows,) and weights (rows,) that add up to the rows given."""

    features: Features
    labels: NDArray[Any]
    weights: NDArray[np.float64]


def augment(
    features: Features,
    labels: NDArray[Any],
    kind: Kind,
    *,
    probability: float,
    own: float,
    copies: int = 1,
    seed: int = 0,
) -> Rows:
    """The rows, and behind them ``2 * copies`` augmented ones for each, whatever the kind.

    A copy has one partner among the rows, drawn as a permutation. Moment exchange (Li et al. 2021,
    arXiv 2002.11102) gives it the partner's mean and spread over features; mixup (Zhang et al.
    2018, arXiv 1710.09412) the weighted mean of both, ``own`` for the row itself; the loss is
    ``own`` times that for its label and the rest that for the partner's. Dropout keeps a feature
    with the chance ``own``, else gives it its mean over the rows; it makes two draws a copy.

    The features given weigh ``1 - probability``; with probability 0 they come back alone, as they
    are. Raises UsageError for shares and counts out of range.
    """
    check(probability, own, copies)
    if not probability:
        return Rows(features, labels, np.ones(len(labels)))
    random = np.random.default_rng(seed)
    weight = probability / copies
    parts, of_parts = [features], [labels]
    weights = [np.full(len(labels), 1 - probability)]
    for _ in range(copies):
        if kind == "dropout":
            parts += [_dropped(features, own, random) for _ in range(2)]
            of_parts += [labels, labels]
            weights += [np.full(len(labels), weight / 2)] * 2
            continue
        partner = random.permutation(len(labels))
        changed = _exchanged(features, partner) if kind == "moex" else features
        if kind == "mixup":
            changed = (own * features + (1 - own) * features[partner]).astype(features.dtype)
        parts += [changed, changed]
        of_parts += [labels, labels[partner]]
        weights += [np.full(len(labels), weight * share) for share in (own, 1 - own)]
    return Rows(np.concatenate(parts), np.concatenate(of_parts), np.concatenate(weights))


def check(probability: float, own: float, copies: int) -> None:
    """Raises UsageError for shares and counts out of range."""
    if not (0 <= probability <= 1 and 0 < own <= 1 and copies >= 1):
        raise UsageError(
            f"probability {probability:g}, own share {own:g}, {copies} copies",
            where="augmentation",
            cure="take a probability from 0 to 1, a share above 0 and up to 1, 1 copy or more",
        )


def _exchanged(features: Features, partner: NDArray[np.int64]) -> Features:
    wide = torch.from_numpy(features.astype(np.float64))  # (rows, dim)
    changed = exchange(wide, torch.from_numpy(partner)).numpy()
    return np.asarray(changed.astype(features.dtype))


def _dropped(features: Features, own: float, random: np.random.Generator) -> Features:
    mean = features.mean(axis=0, dtype=np.float64)  # (dim,)
    kept = random.random(features.shape) < own  # (rows, dim)
    return np.asarray((mean + kept * (features - mean) / own).astype(features.dtype))

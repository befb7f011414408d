"""Folds of the training rows as weighted problems: what one holds out, it gives no weight."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import Labels
from .selection import Step

FOLDS = 5


@dataclass(frozen=True)
class Folds:
    """For each problem its folds in turn: arrays of shape (problems * folds, rows)."""

    labels: Labels
    fitted: NDArray[np.float64]
    """The weight of each row in the fit."""
    held_out: NDArray[np.float64]
    """The weight of each row among those that are held out."""

    @classmethod
    def of(
        cls, X: NDArray[Any], labels: Labels, weights: NDArray[np.floating[Any]] | None
    ) -> Folds:
        """Of features (rows, dim); ``labels`` and ``weights`` are (problems, rows)."""
        whole = np.ones(labels.shape) if weights is None else weights
        each = np.repeat(whole, FOLDS, axis=0)
        out = np.tile(fold_of(X) == np.arange(FOLDS)[:, None], (len(labels), 1))
        # A fold that would hold out every row holds out none, and has no say.
        out &= (each * ~out).sum(axis=1, keepdims=True) > 0
        return cls(np.repeat(labels, FOLDS, axis=0), each * ~out, each * out)

    def mean_paths(self, paths: Sequence[tuple[Step, ...]]) -> list[tuple[Step, ...]]:
        """One path a problem: what its folds held out on average, and all their passes."""
        shares = self.held_out.sum(axis=1)
        return [
            _mean(paths[start : start + FOLDS], shares[start : start + FOLDS])
            for start in range(0, len(paths), FOLDS)
        ]


def fold_of(X: NDArray[Any]) -> NDArray[np.int64]:
    """The fold of each row, (rows,), by its content: equal rows are never on both sides."""
    rows = np.ascontiguousarray(X, dtype=np.float32)
    digests = [hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in rows]
    return (np.frombuffer(b"".join(digests), dtype="<u8") % FOLDS).astype(np.int64)


def _mean(paths: Sequence[tuple[Step, ...]], shares: NDArray[np.floating[Any]]) -> tuple[Step, ...]:
    steps = []
    for each in zip(*paths, strict=True):
        losses = np.array([step.held_out for step in each])
        counts = np.isfinite(losses) & (shares > 0)
        mean = np.average(losses[counts], weights=shares[counts]) if counts.any() else np.inf
        steps.append(
            Step(
                each[0].l2,
                float(mean),
                max(step.gap for step in each),
                all(step.converged for step in each),
                sum(step.passes for step in each),
            )
        )
    return tuple(steps)

"""The strength of L2, chosen on held-out rows: for many problems in one walk down the path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .design import Design
from .objective import Objective
from .solver import TOLERANCE, Solution, solve


@dataclass(frozen=True)
class Step:
    """A point of a path: the held-out cross-entropy in nats, and how the fit went."""

    l2: float
    held_out: float
    gap: float
    converged: bool
    passes: int


@dataclass(frozen=True)
class Fit:
    """A problem's solution at the L2 that did best on held-out rows, and all that was tried."""

    objective: Objective
    solution: Solution
    path: tuple[Step, ...]
    seen: NDArray[np.int64]
    """The classes that the objective knows, of all ``classes``."""
    classes: int
    grid: tuple[float, ...]

    def predict_proba(self, features: Design) -> NDArray[np.float64]:
        """Probabilities of shape (rows, classes); 0 for a class without a training row."""
        found = np.zeros((features.rows, self.classes))
        which = torch.tensor([self.solution.problem], device=features.device)
        parts = self.objective.probabilities(features, self.solution.vectors[None], which)
        for rows, p in zip(features.parts(), parts, strict=True):
            found[rows, self.seen] = p[0, : len(self.seen)].double().cpu().numpy().T
        # Rounded to single precision, a row's sum is off by some 1e-7.
        found /= found.sum(axis=1, keepdims=True)
        return found

    def weights(self) -> NDArray[np.float64]:
        """Of standardised features, (vectors, dim + 1), the intercept last: one vector a seen
        class, or a single one, for the second of two."""
        vectors = self.solution.vectors.double().cpu().numpy().copy()
        if self.objective.classes > 2:
            return vectors
        if len(self.seen) == 1:
            return np.zeros_like(vectors)
        if self.objective.absent[self.solution.problem, 0]:
            vectors[0, -1] = -np.inf
        first_column = int(self.objective.order[self.solution.problem, 0])
        return vectors if first_column == 1 else -vectors

    def report(self) -> Mapping[str, Any]:
        """The chosen L2, whether it is the end of the grid, convergence, gap, passes."""
        return {
            "l2": self.solution.l2,
            "l2_is_at_the_edge": len(self.grid) > 1
            and self.solution.l2 in (min(self.grid), max(self.grid)),
            "converged": self.solution.converged,
            "gap": self.solution.gap,
            "unconverged_on_the_path": sum(not step.converged for step in self.path),
            "passes": sum(step.passes for step in self.path),
        }


def choose(
    design: Design,
    labels: NDArray[np.int64],
    held_out: Design,
    held_out_labels: NDArray[np.int64],
    *,
    classes: int,
    l2: Sequence[float],
    weights: NDArray[np.floating[Any]] | None = None,
    held_out_weights: NDArray[np.floating[Any]] | None = None,
    patience: int | None = 1,
    tolerance: float = TOLERANCE,
    limit: int = 300,
) -> list[Fit]:
    """Fit every problem along the grid and keep what has the lowest held-out cross-entropy.

    ``labels`` and ``weights`` are (problems, rows) of the design, the held-out ones likewise of
    theirs. A held-out row whose label is none of its problem's classes (or is negative) does not
    count; where none counts, the strongest L2 is kept. The path of a problem ends once it did
    worse than its best ``patience`` times in a row (never, for None), by more than the fits are
    exact to.
    """
    objective, seen = _objective(design, labels, classes, weights)
    number = np.full(classes + 1, -1)  # the last place serves the label -1
    number[seen] = np.arange(len(seen))
    targets = torch.from_numpy(number[np.maximum(held_out_labels, -1)]).to(held_out.device)
    counts = (
        torch.ones(1, 1, dtype=torch.float64, device=held_out.device).expand(targets.shape)
        if held_out_weights is None
        else torch.from_numpy(held_out_weights).to(held_out.device, torch.float64)
    )
    best: dict[int, Solution] = {}
    paths: list[list[Step]] = [[] for _ in labels]
    worse = [0] * len(labels)

    def done(found: Solution) -> bool:
        p = found.problem
        loss = _held_out_loss(objective, found, held_out, targets[p], counts[p])
        lowest = min((step.held_out for step in paths[p]), default=np.inf)
        paths[p].append(Step(found.l2, loss, found.gap, found.converged, found.passes))
        if p not in best or loss < lowest:
            best[p], worse[p] = found, 0
        elif loss > lowest + 30 * tolerance:
            worse[p] += 1
        return patience is None or worse[p] < patience

    solve(objective, l2, done, tolerance=tolerance, limit=limit)
    return [
        Fit(objective, best[p], tuple(path), seen, classes, tuple(l2))
        for p, path in enumerate(paths)
    ]


def _objective(
    design: Design,
    labels: NDArray[np.int64],
    classes: int,
    weights: NDArray[np.floating[Any]] | None,
) -> tuple[Objective, NDArray[np.int64]]:
    """With the classes that any problem has only, and at least two places for them."""
    seen = np.unique(labels if weights is None else labels[weights > 0])
    if classes == 2:
        seen = np.arange(2)  # some of many binary problems may have one class only
    number = np.zeros(classes, dtype=np.int64)  # of a label without weight: any
    number[seen] = np.arange(len(seen))
    return (
        Objective(
            design,
            torch.from_numpy(number[labels]),
            max(2, len(seen)),
            None if weights is None else torch.from_numpy(np.asarray(weights)),
        ),
        seen,
    )


def _held_out_loss(
    objective: Objective, found: Solution, design: Design, labels: Tensor, weights: Tensor
) -> float:
    """The mean cross-entropy in nats; infinite where no row counts."""
    which = torch.tensor([found.problem], device=design.device)
    total = torch.zeros((), dtype=torch.float64, device=design.device)
    count = torch.zeros((), dtype=torch.float64, device=design.device)
    parts = objective.log_probabilities(design, found.vectors[None], which)
    for rows, log_p in zip(design.parts(), parts, strict=True):
        right = log_p[0].gather(0, labels[None, rows].clamp(min=0))[0].double()
        weight = torch.where((labels[rows] >= 0) & torch.isfinite(right), weights[rows], 0.0)
        total -= torch.where(weight > 0, right * weight, 0.0).sum()
        count += weight.sum()
    return float(total / count) if float(count) else float("inf")

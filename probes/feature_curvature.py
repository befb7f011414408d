"""The curvature of the objective on sparse features: for each feature a block over the classes.

Sparse features overlap so little that the Hessian is nearly 0 between them, but the classes of one
feature are far from independent, and how much a word bends the objective depends on how sure the
classifier is of it. For one-hot words, but for their means, these blocks are the Hessian.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from .objective import Objective


class FeatureCurvature:
    """Inverses of ``diag(s) - s s' / sum(s) + penalty``, one a feature, for one problem.

    ``sums`` (vectors, dim) holds the s: for each feature the mean over rows of its square times
    the probability of each class, scaled so that the trace of the block is that of the Hessian;
    for a single vector the mean of its square times p (1 - p), which is the block itself.
    ``intercepts`` (vectors, vectors) is the covariance of the class probabilities.
    """

    def __init__(self, sums: Tensor, intercepts: Tensor, penalty: float) -> None:
        values, turn = torch.linalg.eigh(intercepts.double())
        values = values.clamp(min=1e-9 + 1e-4 * float(values.max()))
        self.intercepts = ((turn / values) @ turn.T).to(sums.dtype)
        s = sums.double()
        bend = s + penalty + 1e-9 * float(s.max())
        self.scale = (1 / bend).to(sums.dtype)  # (vectors, dim)
        self.gauge = len(sums) > 1
        if self.gauge:
            # Sherman and Morrison; 1 - s' diag(bend)^-1 s / sum(s), without the cancellation.
            rest = (s * (bend - s) / bend).sum(dim=0).clamp(min=1e-30)  # 0 for a constant
            self.share = (s / bend).to(sums.dtype)
            self.weight = (1 / rest).to(sums.dtype)  # (dim,)

    def __call__(self, gradient: Tensor) -> Tensor:
        """Of shape (n, vectors, dim + 1), as what it is applied to."""
        weights, intercepts = gradient[..., :-1], self.intercepts @ gradient[..., -1:]
        step = weights * self.scale
        if self.gauge:
            along = (weights * self.share).sum(dim=1, keepdim=True) * self.weight
            step = step + self.share * along
        step = torch.cat([step, intercepts], dim=2)
        return step - step.mean(dim=1, keepdim=True) if self.gauge else step


@runtime_checkable
class SumsSquares(Protocol):
    """A design that is sparse enough for the squares of all its rows to be summed."""

    def square_sums(self, weights: Tensor) -> Tensor:
        """The sums over rows of weights (n, rows) times the squares of the features: (n, dim)."""
        ...


def class_sums(objective: Objective, vectors: Tensor, problem: Tensor) -> Tensor:
    """What ``FeatureCurvature`` takes of one problem: (vectors, dim).

    ``vectors`` is (1, vectors, dim + 1), ``problem`` its number, of shape (1,).
    """
    design = objective.design
    assert isinstance(design, SumsSquares)
    p = torch.cat([each[0] for each in objective.probabilities(design, vectors, problem)], dim=1)
    binary = objective.classes == 2
    # Of several classes also the trace of diag(p) - p p', (1, rows).
    weights = p[:1] * p[1:] if binary else torch.cat([p, 1 - p.square().sum(dim=0)[None]])
    if objective.weights is not None:
        weights = weights * objective.weights[problem]
    sums = design.square_sums(weights) / float(objective.total[problem])
    if binary:
        return sums
    sums, trace = sums[:-1], sums[-1]
    # The rows of a feature are each surer of their class than they are on average: a block of the
    # average would bend too much, and steps would be too short.
    total = sums.sum(dim=0).clamp(min=1e-30)
    of_average = total - sums.square().sum(dim=0) / total  # (dim,)
    return sums * (trace / of_average.clamp(min=1e-30)).clamp(max=1)

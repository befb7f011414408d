"""The scalar mix: a classifier on a weighted sum of layers, the weights learnt together with it.

Of layers h_0..h_k a target's vector is ``gamma * sum_l s_l * h_l / c_l``. The weights s are
shares, 0 or more and 1 in all (Peters et al. 2018, arXiv 1802.05365, equation 1, where s is a
softmax). What is settled here, and why:

- c_l is the layer's spread over the training targets, one number. The activations of layers differ
  in size, and a weight should compare what layers know, not how loud they are. The paper's remedy,
  layer normalisation before the mix (section 3.2), depends on the batch; this does not. The
  geometry within a layer is kept.
- gamma is fixed by standardising the mixture (its features, for pairs) by the training targets.
  Left free it would undo the penalty: a large gamma with small weights of the classifier costs
  nothing. A mix of one layer is then exactly ``LinearProbe``.

- s is sought among all shares, 0 included, which a softmax only comes near to: it would take ever
  longer steps to give up a layer, and could hardly take it back.

For given s the classifier is a convex problem, which ``solver`` brings to its optimum. What is left
is a smooth function of s, whose gradient is that of the objective at the optimum (the envelope
theorem), and sequential quadratic programming minimises it. That outer problem is not convex: it is
started several times, from equal shares and from random ones; the start that ended lowest is kept,
and what the others found is reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

from .base import Labels
from .design import Array, Design, Moments
from .layer_stack import LayerStack, spread
from .linear import HALF_DECADES
from .objective import Objective
from .selection import Fit, choose
from .solver import Solution, solve

Shares = NDArray[np.float64]

GAP = 2e-3
"""Converged: to first order, no other shares lower the objective by more than this part of it."""

_NOTHING = 1e-9  # a share that rounding has left over
_ROUNDS = 50  # of quadratic programming
_CHANGE = 1e-6  # of the objective in a round, as a part of it, that is worth no other round
_CHOICES = 3  # of L2, each at the shares that were found under the one before
_NEAR = 1e-6  # of the classifier's objective to its optimum, as a part of it


@dataclass(frozen=True)
class Mixed:
    """The classifier at its optimum for given shares of the layers, under one L2.

    ``shares`` (layers,); ``factors`` (layers,) are s_l / c_l; ``slope`` (layers,) is the gradient
    of the objective by the shares.
    """

    shares: Shares
    factors: Shares
    moments: Moments
    fit: Fit
    slope: Shares

    @property
    def value(self) -> float:
        """The objective in nats a target, penalty included."""
        return self.fit.solution.value

    @property
    def gap(self) -> float:
        """What other shares could gain to first order, as a part of the objective.

        The gap of Frank and Wolfe 1956; 0 where the shares are stationary.
        """
        return float(self.shares @ self.slope - self.slope.min()) / self.value

    @property
    def converged(self) -> bool:
        return self.gap <= GAP and self.fit.solution.converged


class ScalarMix:
    """Layer weights and a linear classifier, fitted together; L2 chosen on the dev targets.

    L2 (a value or a grid, as in ``LinearProbe``) is chosen for equal shares, the shares are fitted
    under it, and both again until the choice stays (at most three times). Then shares are sought
    from ``starts - 1`` random points more (uniform over all shares, drawn by number), and the
    lowest objective is kept.

    After ``fit``: ``shares_`` (layers,), ``scales_`` (layers,) the spreads c_l, ``gamma_``,
    ``l2_``, ``converged_``, and ``starts_``, one ``Mixed`` a start, that from equal shares first.
    """

    name = "scalar_mix"
    version = "v1"

    def __init__(
        self,
        *,
        l2: float | Sequence[float] = HALF_DECADES,
        starts: int = 3,
        patience: int = 1,
        device: str = "cpu",
    ) -> None:
        self.l2 = l2
        self.starts = starts
        self.patience = patience
        self.device = device

    def settings(self) -> Mapping[str, Any]:
        """Everything that decides its numbers."""
        return {
            "l2_grid": "/".join(f"{value:.4g}" for value in self._grid()),
            "patience": self.patience,
            "starts": self.starts,
            "gap": GAP,
        }

    def fit(
        self, train: LayerStack, y: Labels, dev: LayerStack, y_dev: Labels, *, classes: int
    ) -> Self:
        """Fit on targets with labels (targets,) below ``classes``; dev labels may be -1."""
        layers = len(train.layers)
        self.scales_ = train.spreads()
        search = _Search(train, y, classes, self.scales_, self.device)
        shares = np.full(layers, 1 / layers)
        first: Mixed | None = None
        for _ in range(_CHOICES):
            fit = search.choose(shares, dev, y_dev, self._grid(), self.patience)
            if first is not None and fit.solution.l2 == first.fit.solution.l2:
                break
            first = search.lowest(fit, shares)
            shares = first.shares
        assert first is not None
        others = range(1, self.starts if layers > 1 else 1)
        points = [np.random.default_rng(seed).dirichlet(np.ones(layers)) for seed in others]
        self.starts_ = [first, *(search.lowest(first.fit, point) for point in points)]
        self.best_ = min(self.starts_, key=lambda start: start.value)
        self.shares_ = self.best_.shares
        self.gamma_ = 1 / spread(train.mix(self.best_.factors))
        self.l2_ = first.fit.solution.l2
        self.converged_ = self.best_.converged
        return self

    def predict_proba(self, stack: LayerStack, start: Mixed | None = None) -> NDArray[np.float64]:
        """Probabilities (targets, classes) of the start that is kept, or of another."""
        found = start or self.best_
        design = stack.design(stack.mix(found.factors), found.moments, self.device)
        return found.fit.predict_proba(design)

    def fit_report(self) -> Mapping[str, Any]:
        """The weights, what was chosen and how the fit went, in the words of ``LinearProbe``."""
        grid = self._grid()
        return {
            "weights": self.shares_.tolist(),
            "gamma": self.gamma_,
            "scales": self.scales_.tolist(),
            "l2": self.l2_,
            "l2_is_at_the_edge": len(grid) > 1 and self.l2_ in (grid[0], grid[-1]),
            "converged": self.converged_,
            "gap": self.best_.fit.solution.gap,
            "mix_gap": self.best_.gap,
        }

    def _grid(self) -> tuple[float, ...]:
        values = [self.l2] if isinstance(self.l2, int | float) else self.l2
        return tuple(sorted(map(float, values), reverse=True))


class _Search:
    """Finds shares, and the classifier for them, on one training set."""

    def __init__(
        self,
        train: LayerStack,
        labels: Labels,
        classes: int,
        scales: NDArray[np.float64],
        device: str,
    ) -> None:
        self.train, self.labels, self.classes = train, labels, classes
        self.scales, self.device = scales, device
        self.seen = np.arange(2) if classes == 2 else np.unique(labels)
        self.number = np.searchsorted(self.seen, labels)  # (targets,)

    def choose(
        self,
        shares: Shares,
        dev: LayerStack,
        dev_labels: Labels,
        grid: tuple[float, ...],
        patience: int,
    ) -> Fit:
        """The classifier for these shares at the L2 that does best on dev."""
        factors, _, moments, design = self._mix(shares)
        held_out = dev.design(dev.mix(factors), moments, self.device)
        return choose(
            design,
            self.labels[None],
            held_out,
            dev_labels[None],
            classes=self.classes,
            l2=grid,
            patience=patience,
        )[0]

    def lowest(self, near: Fit, start: Shares) -> Mixed:
        """A minimum by the shares under the L2 of ``near``, from these shares on."""
        best = latest = self._at(start, near)
        if len(start) == 1:
            return best
        unit = best.value

        def value_and_slope(point: Shares) -> tuple[float, Shares]:
            nonlocal best, latest
            kept = np.where(point > _NOTHING, point, 0)
            shares = kept / kept.sum()
            if not np.array_equal(shares, latest.shares):
                latest = self._at(shares, latest.fit)
            if latest.value < best.value:
                best = latest
            return latest.value / unit, latest.slope / unit

        minimize(
            value_and_slope,
            start,
            jac=True,
            method="SLSQP",
            bounds=[(0, 1)] * len(start),
            constraints={
                "type": "eq",
                "fun": lambda shares: shares.sum() - 1,
                "jac": np.ones_like,
            },
            options={"ftol": _CHANGE, "maxiter": _ROUNDS},
        )
        return best

    def _mix(self, shares: Shares) -> tuple[Shares, Array, Moments, Design]:
        factors = shares / self.scales
        mixed = self.train.mix(factors)
        moments = self.train.moments(mixed)
        return factors, mixed, moments, self.train.design(mixed, moments, self.device)

    def _at(self, shares: Shares, near: Fit) -> Mixed:
        """The optimal classifier for these shares, sought from ``near``."""
        factors, mixed, moments, design = self._mix(shares)
        found: list[Solution] = []

        def done(solution: Solution) -> bool:
            found.append(solution)
            return False

        labels = torch.from_numpy(self.number)[None]
        objective = _Continued(design, labels, max(2, len(self.seen)), near.solution.vectors)
        solve(objective, (near.solution.l2,), done, tolerance=_NEAR)
        fit = Fit(objective, found[0], (), self.seen, self.classes, near.grid)
        return Mixed(shares.copy(), factors, moments, fit, self._slope(mixed, moments, fit))

    def _slope(self, mixed: Array, moments: Moments, fit: Fit) -> Shares:
        """The gradient by the shares, (layers,), through the mix and its standardisation."""
        design = fit.objective.design
        inverse = torch.from_numpy(1 / moments.scale).to(design.device, design.dtype)
        vectors = torch.from_numpy(fit.weights()[:, :-1]).to(design.device, design.dtype)
        residual = self._residual(fit)  # (targets, vectors)
        crossed = torch.zeros(vectors.shape, dtype=torch.float64, device=design.device)
        for rows in design.parts():
            crossed += residual[rows].T @ design.features(rows)
        # A standardised feature does not follow what moves its mean or its spread.
        along = (vectors * crossed).sum(dim=0).to(design.dtype) / design.rows  # (dim,)
        across = residual.sum(dim=0) @ vectors / design.rows  # (dim,)
        items = torch.from_numpy(mixed)
        into = torch.zeros_like(items)
        for rows in design.parts():
            gradient = residual[rows] @ vectors - across - design.features(rows) * along
            self.train.back(items, rows, (gradient * inverse).cpu().to(items.dtype), into)
        return self.train.products(into) / self.scales

    def _residual(self, fit: Fit) -> Tensor:
        """Probabilities less the truth, over the number of targets: (targets, vectors)."""
        design = fit.objective.design
        p = fit.predict_proba(design)[:, self.seen]
        p[np.arange(len(p)), self.number] -= 1
        if fit.objective.classes == 2:
            p = p[:, -1:]
        return torch.from_numpy(p / len(p)).to(design.device, design.dtype)


class _Continued(Objective):
    """An objective whose minimum is sought from that of a similar one."""

    def __init__(self, design: Design, labels: Tensor, classes: int, near: Tensor) -> None:
        super().__init__(design, labels, classes)
        self._near = near

    def start(self) -> Tensor:
        return self._near[None].clone()

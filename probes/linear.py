"""Multinomial logistic regression to its optimum, with the strength of L2 chosen on dev."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

from .base import Features, Labels

HALF_DECADES = tuple(float(10 ** (k / 2)) for k in range(12, -7, -1))
"""1,000,000 down to 0.001."""

_ROWS = 2048  # rows whose probabilities are held at once
_WIDEST = 2048  # features whose principal axes are worth their price


class LinearProbe:
    """Linear classifier for frozen features.

    Minimises ``sum_i -log p(y_i | x_i) + l2 / 2 * ||W||^2`` over weights and an unpenalised
    intercept, on features that are standardised by the training rows (a constant feature becomes
    0). ``l2`` is 1 / C of scikit-learn. The path goes from strong to weak L2, each optimum the
    start of the next; the value with the lowest cross-entropy on dev is kept, and the path ends
    once dev has been worse than that ``patience`` times in a row, by more nats than the path is
    exact to (under strong L2 one step changes dev by less).

    The path is walked to ten times ``tolerance``, the chosen optimum is then refined to
    ``tolerance`` itself, and ``converged_`` tells whether it got there. The tolerance is on the
    largest entry of the mean objective's gradient, in variables that are scaled so that the
    Hessian is near the identity: the objective's own error is of the order of its square.
    Products are in float32, sums over rows in float64.
    """

    name = "linear"
    version = "v1"

    def __init__(
        self,
        *,
        l2: Sequence[float] = HALF_DECADES,
        patience: int = 1,
        tolerance: float = 1e-4,
        max_iterations: int = 1000,
    ) -> None:
        self.l2 = l2
        self.patience = patience
        self.tolerance = tolerance
        self.max_iterations = max_iterations

    def settings(self) -> Mapping[str, Any]:
        """Everything that decides its numbers."""
        grid = "/".join(f"{value:.4g}" for value in self.l2)
        return {
            "l2_grid": grid,
            "patience": self.patience,
            "tolerance": self.tolerance,
            "max_iterations": self.max_iterations,
        }

    def fit(
        self, X: Features, y: Labels, X_dev: Features, y_dev: Labels, *, classes: int
    ) -> LinearProbe:
        """Fit the path. Dev rows whose label no training row has do not count in the choice."""
        self.classes_ = classes
        self.seen_ = np.unique(y)
        self.mean_ = X.mean(axis=0, dtype=np.float64).astype(np.float32)
        spread = X.std(axis=0, dtype=np.float64)
        # Below this the spread of a constant feature is rounding error.
        constant = spread <= 1e-6 * np.maximum(np.abs(self.mean_), 1e-30)
        self.scale_ = np.where(constant, np.inf, spread).astype(np.float32)
        # In the principal axes of the rows the Hessian is nearly diagonal, and the penalty is the
        # same in any axes.
        self.axes_ = _principal_axes(self._standardise(X))
        rows, dev_rows = self._turned(X), self._turned(X_dev)
        spreads = (rows**2).mean(dim=0, dtype=torch.float64).numpy()
        target = torch.from_numpy(np.searchsorted(self.seen_, y))
        known = np.isin(y_dev, self.seen_)
        dev_target = np.searchsorted(self.seen_, y_dev[known])

        weights = np.zeros((len(self.seen_), X.shape[1] + 1))
        best = (np.inf, weights)
        self.path_: list[dict[str, float]] = []
        worse, loose = 0, 10 * self.tolerance
        for l2 in sorted(self.l2, reverse=True):
            weights, iterations, _ = self._optimum(rows, target, spreads, l2, weights, loose)
            dev = _cross_entropy(self._probabilities(dev_rows, weights)[known], dev_target)
            self.path_.append({"l2": l2, "dev_cross_entropy": dev, "iterations": iterations})
            if dev < best[0] or not self.path_[:-1]:
                best, worse, self.l2_ = (dev, weights), 0, l2
            elif dev > best[0] + loose:
                worse += 1
                if worse == self.patience:
                    break
        self.weights_, iterations, self.converged_ = self._optimum(
            rows, target, spreads, self.l2_, best[1], self.tolerance
        )
        self.iterations_ = iterations + int(sum(step["iterations"] for step in self.path_))
        return self

    def predict_proba(self, X: Features) -> NDArray[np.float64]:
        """Probabilities of shape (rows, classes); 0 for a class that no training row has."""
        probabilities = np.zeros((len(X), self.classes_))
        probabilities[:, self.seen_] = self._probabilities(self._turned(X), self.weights_)
        return probabilities

    def fit_report(self) -> Mapping[str, Any]:
        """The chosen L2, whether it is the end of the grid, iterations, convergence."""
        return {
            "l2": self.l2_,
            "l2_is_at_the_edge": self.l2_ in (min(self.l2), max(self.l2)) and len(self.l2) > 1,
            "iterations": self.iterations_,
            "converged": self.converged_,
        }

    def _standardise(self, X: Features) -> Tensor:
        return torch.from_numpy((X - self.mean_) / self.scale_)  # (rows, dim)

    def _turned(self, X: Features) -> Tensor:
        rows = self._standardise(X)
        return rows if self.axes_ is None else rows @ self.axes_

    def _optimum(
        self,
        rows: Tensor,
        target: Tensor,
        spreads: NDArray[np.float64],
        l2: float,
        start: NDArray[np.float64],
        tolerance: float,
    ) -> tuple[NDArray[np.float64], int, bool]:
        """The weights of shape (classes, dim + 1), the intercept last."""
        if len(start) == 1:
            return start, 0, True
        count = len(rows)

        # Variables are scaled by the curvature that each would have if how sure the classifier is
        # of a class did not depend on the row: a diagonal preconditioner.
        p = self._probabilities(rows, start)
        unsure = (p * (1 - p)).mean(axis=0)[:, None]  # (classes, 1)
        curvature = np.hstack([unsure * spreads + l2 / count, unsure + 1e-6])
        scale = 1 / np.sqrt(curvature)  # (classes, dim + 1)

        def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            weights = flat.reshape(scale.shape) * scale
            loss, gradient = _loss_and_gradient(rows, target, torch.from_numpy(weights))
            gradient[:, :-1] += l2 * weights[:, :-1]
            loss += 0.5 * l2 * float((weights[:, :-1] ** 2).sum())
            return loss / count, (gradient * scale).ravel() / count

        found = minimize(
            objective,
            (start / scale).ravel(),
            jac=True,
            method="L-BFGS-B",
            options={
                "gtol": tolerance,
                "ftol": 1e-15,
                "maxiter": self.max_iterations,
                "maxcor": 20,
            },
        )
        converged = bool(np.abs(found.jac).max() <= tolerance)
        return found.x.reshape(scale.shape) * scale, int(found.nit), converged

    def _probabilities(self, rows: Tensor, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        matrix = torch.from_numpy(weights).float()
        parts = [
            torch.softmax((part @ matrix[:, :-1].T + matrix[:, -1]).double(), dim=1)
            for part in torch.split(rows, _ROWS)
        ]
        return torch.cat(parts).numpy()  # (rows, classes)


def _principal_axes(rows: Tensor) -> Tensor | None:
    """Orthonormal columns, of shape (dim, dim); None where there are too many features."""
    if rows.shape[1] > _WIDEST:
        return None
    gram = (rows.T @ rows).double() / len(rows)
    axes: Tensor = torch.linalg.eigh(gram).eigenvectors.float()
    return axes


def _loss_and_gradient(
    rows: Tensor, target: Tensor, weights: Tensor
) -> tuple[float, NDArray[np.float64]]:
    """The summed cross-entropy in nats and its gradient, of the weights' shape."""
    matrix = weights.float()  # (classes, dim + 1)
    slope, intercept = matrix[:, :-1].contiguous(), matrix[:, -1:]
    loss = 0.0
    gradient = torch.zeros_like(weights)
    # Classes stand in rows and data in columns: sums over a few classes then run along memory.
    for part, aim in zip(torch.split(rows, _ROWS), torch.split(target, _ROWS), strict=True):
        logits = torch.addmm(intercept, slope, part.T)  # (classes, rows)
        logits -= logits.amax(dim=0)
        right = logits.gather(0, aim[None])  # (1, rows)
        p = logits.exp_()
        total = p.sum(dim=0)
        loss += float((total.log() - right[0]).sum(dtype=torch.float64))
        p /= total
        p.scatter_add_(0, aim[None], -torch.ones_like(right))
        gradient[:, :-1] += p @ part
        gradient[:, -1] += p.sum(dim=1, dtype=torch.float64)
    return loss, gradient.numpy()


def _cross_entropy(probabilities: NDArray[np.float64], target: Labels) -> float:
    if not len(target):
        return np.inf
    chosen = probabilities[np.arange(len(target)), target]
    return float(-np.log(np.maximum(chosen, 1e-300)).mean())

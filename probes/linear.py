"""The linear probe: logistic regression to its optimum, with L2 chosen on held-out rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from .base import Labels
from .cross_validation import Folds
from .design import PART, DenseDesign, Design, Moments
from .selection import Fit, Step, choose
from .solver import TOLERANCE

HALF_DECADES = tuple(float(10 ** (k / 2)) for k in range(12, -7, -1))
"""1,000,000 down to 0.001."""

_FLOATS = [np.float64, np.float32, np.float16]
_LARGEST = float(np.finfo(np.float32).max)


class LinearProbe(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Linear classifier for frozen features, and a scikit-learn estimator.

    Minimises ``sum_i w_i * -ln p(y_i | x_i) + l2 / 2 * ||W||^2`` over weights and an unpenalised
    intercept, on features that are standardised by the training rows (a constant feature becomes
    0). ``l2`` is 1 / C of scikit-learn, one value or a grid. The path goes from strong to weak
    L2, each optimum the start of the next; the value with the lowest held-out cross-entropy is
    kept, and the path ends once that was worse than the best ``patience`` times in a row.

    Held out are the dev rows, or, where ``fit`` is given none, each fifth of the training rows in
    turn (equal rows together), after which all rows are fitted at the chosen L2. ``tolerance`` is
    on the gap of the objective to its minimum, as a share of it; a fit that takes more than
    ``limit`` passes over the features under one L2 is reported as not converged.

    After ``fit``: ``classes_``, ``l2_``, ``coef_`` (vectors, dim) and ``intercept_`` (vectors,) for
    the features as they were given, one vector a class or, for two classes, one in all;
    ``converged_``, ``gap_``, and the ``path_``. Where y has several columns of 0 and 1, each is a
    problem of its own, all fitted at once, and ``l2_``, ``converged_`` and ``gap_`` are arrays.
    """

    name = "linear"
    version = "v2"

    def __init__(
        self,
        *,
        l2: float | Sequence[float] = HALF_DECADES,
        patience: int = 1,
        tolerance: float = TOLERANCE,
        limit: int = 300,
        class_weight: Mapping[Any, float] | str | None = None,
        device: str = "cpu",
    ) -> None:
        self.l2 = l2
        self.patience = patience
        self.tolerance = tolerance
        self.limit = limit
        self.class_weight = class_weight
        self.device = device

    def settings(self) -> Mapping[str, Any]:
        """Everything that decides its numbers."""
        return {
            "l2_grid": "/".join(f"{value:.4g}" for value in self._grid()),
            "patience": self.patience,
            "tolerance": self.tolerance,
            "limit": self.limit,
            **({} if self.class_weight is None else {"class_weight": str(self.class_weight)}),
        }

    def fit_stack(
        self,
        train: Design,
        labels: Labels,
        dev: Design,
        dev_labels: Labels,
        *,
        classes: int,
        weights: NDArray[np.float64] | None = None,
        tolerance: float | None = None,
    ) -> list[Fit]:
        """Fit many problems at once; labels and weights are (problems, rows) of their design."""
        if self.class_weight is not None:
            each = np.stack([compute_sample_weight(self.class_weight, y) for y in labels])
            weights = each if weights is None else weights * each
        return self._choose(
            train, labels, dev, dev_labels, classes, weights, tolerance=tolerance or self.tolerance
        )

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        X_dev: ArrayLike | None = None,
        y_dev: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        classes: int | None = None,
    ) -> Self:
        """Fit on X of shape (rows, dim) and y of shape (rows,) or, of 0 and 1, (rows, labels).

        ``classes`` says that labels are the numbers below it, whether y has them all or not. Dev
        rows whose label y does not have do not count. Raises ValueError for values that are not
        finite and for labels that are no classes.
        """
        if (X_dev is None) != (y_dev is None):
            raise ValueError("X_dev and y_dev go together: only one was given")
        rows, targets = validate_data(self, X, y, multi_output=True, dtype=_FLOATS)
        check_classification_targets(targets)
        if len(rows) and max(rows.max(), -rows.min()) > _LARGEST:
            raise ValueError(f"X has values beyond {_LARGEST:.2g}, the largest of float32")
        weights = _check_sample_weight(sample_weight, rows, ensure_non_negative=True)
        if self.class_weight is not None:
            weights = weights * compute_sample_weight(self.class_weight, targets)
        if not weights.sum() > 0:
            raise ValueError("no row has a weight: every sample_weight is 0")
        counts = weights > 0
        rows, targets, weights = rows[counts], targets[counts], weights[counts]
        labels = self._encode(targets, classes)  # (problems, rows)
        self.moments_ = Moments.of(_in_parts(rows), weights)
        train = DenseDesign(rows, self.moments_, device=self.device)
        each = None if (weights == 1).all() else np.broadcast_to(weights, labels.shape).copy()
        number = 2 if self.multilabel_ else len(self.classes_)
        if X_dev is None:
            fits = self._cross_validate(rows, train, labels, number, each)
        else:
            dev_rows = validate_data(self, X_dev, reset=False, dtype=_FLOATS)
            dev = DenseDesign(dev_rows, self.moments_, device=self.device)
            dev_labels = self._encode_dev(np.asarray(y_dev))
            fits = self._choose(train, labels, dev, dev_labels, number, each)
        self._keep(fits)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Log odds of the second class, (rows,), or each class's (or label's) score, (rows, n)."""
        scores = self._scores(X)
        return scores if self.multilabel_ or len(self.classes_) > 2 else scores[:, -1]

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probabilities of shape (rows, classes), 0 for a class that no training row has.

        Of several columns of labels: the probability of 1 in each, (rows, labels).
        """
        scores = self._scores(X)
        if self.multilabel_:
            return np.asarray(expit(scores))
        if len(self.classes_) == 2 and len(self.seen_) == 2:
            return np.hstack([expit(-scores), expit(scores)])
        return np.asarray(softmax(scores, axis=1))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable class of each row, or 0 and 1 in each column of labels."""
        scores = self._scores(X)
        if self.multilabel_:
            return (scores > 0).astype(self.classes_.dtype)
        if scores.shape[1] == 1:
            return np.asarray(self.classes_[(scores[:, 0] > 0).astype(int)])
        return np.asarray(self.classes_[scores.argmax(axis=1)])

    def fit_report(self) -> Mapping[str, Any]:
        """The chosen L2, whether it is the end of the grid, convergence, gap, passes."""
        check_is_fitted(self)
        return self.report_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _grid(self) -> tuple[float, ...]:
        if isinstance(self.l2, int | float | np.number):
            return (float(self.l2),)
        return tuple(float(value) for value in self.l2)

    def _choose(
        self,
        train: Design,
        labels: Labels,
        dev: Design,
        dev_labels: Labels,
        classes: int,
        weights: NDArray[Any] | None,
        dev_weights: NDArray[Any] | None = None,
        **options: Any,
    ) -> list[Fit]:
        asked = {
            "l2": self._grid(),
            "patience": self.patience,
            "tolerance": self.tolerance,
            **options,
        }
        return choose(
            train,
            labels,
            dev,
            dev_labels,
            classes=classes,
            weights=weights,
            held_out_weights=dev_weights,
            limit=self.limit,
            **asked,
        )

    def _cross_validate(
        self,
        X: NDArray[Any],
        train: Design,
        labels: Labels,
        classes: int,
        weights: NDArray[Any] | None,
    ) -> list[Fit]:
        """All folds of all problems are one stack; then all rows are fitted at the L2 chosen."""
        grid = self._grid()
        untried: tuple[Step, ...] = (Step(grid[0], np.inf, 0.0, True, 0),)
        paths = [untried] * len(labels)
        if len(grid) > 1:
            folds = Folds.of(X, labels, weights)
            stack = folds.labels
            fits = self._choose(
                train, stack, train, stack, classes, folds.fitted, folds.held_out, patience=None
            )
            paths = folds.mean_paths([fit.path for fit in fits])
        best = np.array([min(path, key=lambda step: step.held_out).l2 for path in paths])
        found: dict[int, Fit] = {}
        for l2 in np.unique(best):
            which = np.flatnonzero(best == l2)
            # Held-out rows that do not count leave the choice to the only value there is.
            nobody = np.full(labels[which].shape, -1)
            own = None if weights is None else weights[which]
            alone = self._choose(train, labels[which], train, nobody, classes, own, l2=(float(l2),))
            found |= dict(zip(which.tolist(), alone, strict=True))
        return [
            replace(found[p], path=(*path, *found[p].path), grid=grid)
            for p, path in enumerate(paths)
        ]

    def _encode(self, y: NDArray[Any], classes: int | None) -> Labels:
        """Labels as numbers, of shape (problems, rows)."""
        self.multilabel_ = y.ndim == 2 and y.shape[1] > 1
        if self.multilabel_:
            self.classes_ = np.arange(y.shape[1])
            if not np.isin(y, (0, 1)).all():
                raise ValueError("several columns of labels must hold 0 and 1 only")
            return np.ascontiguousarray(y.T).astype(np.int64)
        flat = column_or_1d(y, warn=True)
        self.classes_ = np.unique(flat) if classes is None else np.arange(classes)
        return np.asarray(np.searchsorted(self.classes_, flat)[None], dtype=np.int64)

    def _encode_dev(self, y: NDArray[Any]) -> Labels:
        if self.multilabel_:
            return np.ascontiguousarray(y.T).astype(np.int64)
        place = np.searchsorted(self.classes_, y).clip(max=len(self.classes_) - 1)
        return np.asarray(np.where(self.classes_[place] == y, place, -1)[None], dtype=np.int64)

    def _keep(self, fits: Sequence[Fit]) -> None:
        reports = [fit.report() for fit in fits]
        many = self.multilabel_
        for name in ("l2", "converged", "gap"):
            values = [report[name] for report in reports]
            setattr(self, f"{name}_", np.array(values) if many else values[0])
        self.path_ = [list(fit.path) for fit in fits] if many else list(fits[0].path)
        self.n_iter_ = max(max(fit.solution.passes for fit in fits), 1)
        self.report_ = dict(reports[0]) if not many else {"labels": [dict(r) for r in reports]}
        self.seen_ = fits[0].seen
        if many:
            self.vectors_ = np.vstack([fit.weights() for fit in fits])
        else:
            self.vectors_ = fits[0].weights()

    @property
    def coef_(self) -> NDArray[np.float64]:
        """Weights for the features as they were given, (vectors, dim)."""
        check_is_fitted(self)
        return np.asarray(self.vectors_[:, :-1] / self.moments_.scale)

    @property
    def intercept_(self) -> NDArray[np.float64]:
        """Intercepts for the features as they were given, (vectors,)."""
        return np.asarray(self.vectors_[:, -1] - self.coef_ @ self.moments_.mean)

    def _scores(self, X: ArrayLike) -> NDArray[np.float64]:
        """(rows, classes), (rows, labels), or (rows, 1) for two classes."""
        check_is_fitted(self)
        rows = validate_data(self, X, reset=False, dtype=_FLOATS)
        weights, intercepts = self.vectors_[:, :-1].T, self.vectors_[:, -1]
        parts = [self.moments_.standardise(part) @ weights + intercepts for part in _in_parts(rows)]
        found = np.concatenate(parts) if parts else np.empty((0, len(intercepts)))
        if self.multilabel_ or len(self.classes_) == len(self.seen_):
            return found if len(self.classes_) > 1 else np.zeros((len(found), 1))
        scores = np.full((len(found), len(self.classes_)), -np.inf)
        if len(self.seen_) == 2:
            found = np.hstack([np.zeros_like(found), found])
        scores[:, self.seen_] = found[:, : len(self.seen_)]
        return scores


def _in_parts(X: NDArray[Any]) -> Iterator[NDArray[Any]]:
    return (X[start : start + PART] for start in range(0, len(X), PART))

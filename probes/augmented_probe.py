"""The linear probe trained on augmented rows: which nothing of its evaluation knows of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from .augmentation import Kind, augment
from .linear import HALF_DECADES, LinearProbe


class AugmentedProbe(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A ``LinearProbe`` fitted to the rows of ``augmentation.augment``, and nothing else.

    Only training rows are augmented: L2 is chosen on the dev rows as they are, and so are all
    predictions made. ``probability``, ``own`` (lambda), ``copies`` and ``seed`` are those of
    ``augment``, whose kind a subclass names; with probability 0 it is the linear probe to the bit.
    After ``fit``: ``probe_``, the linear probe.
    """

    kind: ClassVar[Kind]
    version = "v1"

    def __init__(
        self,
        *,
        probability: float = 0.5,
        own: float = 0.9,
        copies: int = 1,
        seed: int = 0,
        l2: float | Sequence[float] = HALF_DECADES,
    ) -> None:
        self.probability = probability
        self.own = own
        self.copies = copies
        self.seed = seed
        self.l2 = l2

    @property
    def name(self) -> str:
        """The name on the command line."""
        return f"linear-{self.kind}"

    def settings(self) -> Mapping[str, Any]:
        """Everything that decides its numbers."""
        own = ("probability", "own", "copies", "seed")
        linear = LinearProbe(l2=self.l2)
        return {
            **linear.settings(),
            "linear": linear.version,
            **{f"augment_{name}": getattr(self, name) for name in own},
        }

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        X_dev: ArrayLike,
        y_dev: ArrayLike,
        *,
        classes: int | None = None,
    ) -> Self:
        """Fit on X of shape (rows, dim) and y of shape (rows,); see ``LinearProbe.fit``.

        Dev rows are asked for: of held-out training rows, copies would be seen in training.
        """
        rows, labels = validate_data(self, X, y)
        made = augment(
            rows,
            labels,
            self.kind,
            probability=self.probability,
            own=self.own,
            copies=self.copies,
            seed=self.seed,
        )
        self.probe_ = LinearProbe(l2=self.l2).fit(
            made.features, made.labels, X_dev, y_dev, sample_weight=made.weights, classes=classes
        )
        self.classes_ = self.probe_.classes_
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probabilities of shape (rows, classes), of the features as they are."""
        check_is_fitted(self)
        return self.probe_.predict_proba(X)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable class of each row."""
        check_is_fitted(self)
        return self.probe_.predict(X)

    def fit_report(self) -> Mapping[str, Any]:
        """As ``LinearProbe.fit_report``."""
        check_is_fitted(self)
        return self.probe_.fit_report()


class MomentExchangeProbe(AugmentedProbe):
    """``linear-moex``: rows that take the mean and the spread of others (Li et al. 2021)."""

    kind = "moex"


class MixupProbe(AugmentedProbe):
    """``linear-mixup``: weighted means of two rows (Zhang et al. 2018)."""

    kind = "mixup"


class DropoutProbe(AugmentedProbe):
    """``linear-dropout``: rows that keep each feature with the chance ``own``."""

    kind = "dropout"


PROBES = {each.kind: each for each in (MomentExchangeProbe, MixupProbe, DropoutProbe)}

"""The probe contract: arrays and labels in, a fitted classifier out, as in scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .design import Design

Features = NDArray[np.float32]
Labels = NDArray[np.int64]


class Probe(Protocol):
    """What an entry point of the group ``layerwise.probes`` gives when called without arguments.

    The constructor does no work; what is learnt ends in an underscore. Labels are whole numbers
    below ``classes``; a label that no training row has can never be predicted.
    """

    name: str
    """The name on the command line."""
    version: str
    """Changes whenever its numbers change: ``v1``."""

    def settings(self) -> Mapping[str, Any]:
        """Everything that decides its numbers, for the record."""
        ...

    def fit(self, X: Features, y: Labels, X_dev: Features, y_dev: Labels, *, classes: int) -> Probe:
        """Fit on (rows, dim) features and (rows,) labels; the dev rows choose hyperparameters."""
        ...

    def predict_proba(self, X: Features) -> NDArray[np.float64]:
        """Probabilities of shape (rows, classes)."""
        ...

    def fit_report(self) -> Mapping[str, Any]:
        """What was chosen and how the fit went: hyperparameters, convergence, passes."""
        ...


class Fitted(Protocol):
    """One fitted problem of a stack."""

    def predict_proba(self, features: Any) -> NDArray[np.float64]:
        """Probabilities of shape (rows, classes), of features laid out as those of the fit."""
        ...

    def report(self) -> Mapping[str, Any]:
        """As ``Probe.fit_report``."""
        ...


@runtime_checkable
class StackedProbe(Protocol):
    """A probe that fits many problems on the same features at once; others are fitted in turn."""

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
    ) -> Sequence[Fitted]:
        """One ``Fitted`` a problem; labels and weights are (problems, rows) of their design.

        ``tolerance`` on the gap of the objective, where another than the probe's own will do.
        """
        ...

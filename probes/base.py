"""The probe contract: arrays and labels in, a fitted classifier out, as in scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

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

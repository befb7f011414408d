"""Two summaries of a correlation matrix: how far its variables are from being one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SMALL = 1e-5


def correlations(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's correlation of the rows of (variables, samples): (variables, variables).

    A constant row correlates with none, itself not either. FloatingPointError for what is infinite
    or nan.
    """
    if not np.isfinite(rows).all():
        raise FloatingPointError("rows that are not finite have no correlation")
    centred = rows - rows.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    # What is left of a constant by rounding is no variance.
    moving = norms > 1e-12 * np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300)
    unit = np.divide(centred, norms, out=np.zeros_like(centred), where=moving)
    return np.asarray(unit @ unit.T)


def independence(matrix: NDArray[np.float64]) -> float:
    """-sum of log(v + k) + 1 / (v + k) over the eigenvalues v, with k = 1e-5; at most -variables.

    (Mellor et al. 2020, the first version of arXiv 2006.04647, section 3.)
    """
    values = np.abs(np.linalg.eigvalsh(matrix)) + _SMALL
    return float(-(np.log(values) + 1 / values).sum())


def effective_rank(matrix: NDArray[np.float64]) -> float:
    """exp of the entropy of the eigenvalues as shares of their sum: from 1 to the variables.

    0 for a matrix of zeros. (Roy and Vetterli 2007, EUSIPCO, section 2, of eigenvalues.)
    """
    values = np.clip(np.linalg.eigvalsh(matrix), 0, None)
    if not (total := values.sum()):
        return 0.0
    shares = values[values > 0] / total
    return float(np.exp(-(shares * np.log(shares)).sum()))

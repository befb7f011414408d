"""The pairwise ranking loss of ReNAS, for networks and, with its derivatives, for boosting.

(Xu et al. 2021, arXiv 1910.01523, section 3.2, in the form of the authors' program.)
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor
from torch.nn import functional as F

Doubles = NDArray[np.float64]


def ranking_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """The mean over i != j of log(1 + exp(-(f_i - f_j) sign(y_i - y_j))), a scalar.

    ``scores`` f and ``targets`` y are (cells,), at least two; targets are finite. A pair of equal
    targets counts log 2 whatever the scores.
    """
    apart = scores[:, None] - scores  # (cells, cells)
    sign = torch.sign(targets[:, None] - targets)
    pairs = F.softplus(-apart * sign)
    count = len(scores)
    return (pairs.sum() - pairs.diagonal().sum()) / (count * (count - 1))


def ranking_derivatives(scores: Doubles, targets: Doubles) -> tuple[Doubles, Doubles]:
    """The gradient and the diagonal of the Hessian of ``ranking_loss``, each (cells,)."""
    apart = scores[:, None] - scores  # (cells, cells)
    sign = np.sign(targets[:, None] - targets)
    wrong = expit(-apart * sign)  # the model's probability of the other order
    count = len(scores)
    scale = 2 / (count * (count - 1))  # i, j and j, i are the same pair
    gradient = -(sign * wrong).sum(axis=1) * scale
    curvature = (np.abs(sign) * wrong * (1 - wrong)).sum(axis=1) * scale
    return gradient, curvature

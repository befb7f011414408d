"""Jacobians of untrained cells: how a stack's output moves with its input, text by text.

As published for NAS-Bench-NLP the output is summed over channels and steps (Serianni and Kalita
2023, arXiv 2306.00288, section 4).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .recording import Recording
from .spectrum import correlations, independence

_ROOT = 1 / 20


def jacobian(recording: Recording, of: Tensor) -> Tensor:
    """The gradient of a number with respect to the inputs, (batch, time, dim); 0 without a path."""
    (found,) = torch.autograd.grad(of, recording.inputs, retain_graph=True, allow_unused=True)
    return torch.zeros_like(recording.inputs) if found is None else found


def of_sum(recording: Recording) -> NDArray[np.float64]:
    """The gradient of the sum of the last layer's output, (batch, time * dim).

    A text's output is a function of this text alone, so that row b is the gradient of its own sum.
    """
    last = recording.outputs[-1]  # (batch, time, dim)
    if not last.requires_grad:
        return np.zeros((len(last), recording.inputs[0].numel()))
    return np.asarray(jacobian(recording, last.sum()).flatten(start_dim=1).double().numpy())


def jacobian_covariance(recording: Recording) -> float:
    """The independence of the texts' Jacobians (Mellor et al. 2020, arXiv 2006.04647v1)."""
    return independence(correlations(of_sum(recording)))


def jacobian_cosine(recording: Recording) -> float:
    """1 - half the mean of |cosine| ** (1 / 20) over pairs of texts: .5 for parallel ones, to 1.

    (Celotti et al. 2020, in the form of arXiv 2306.00288.)
    """
    rows = of_sum(recording)
    if not np.isfinite(rows).all():
        raise FloatingPointError("a gradient is not finite")
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)
    cosines = np.abs(unit @ unit.T) ** _ROOT
    texts = len(rows)
    return float(1 - (cosines.sum() - np.trace(cosines)) / (2 * texts * (texts - 1)))

"""An untrained cell as a reservoir: what a linear readout in closed form finds in its states.

No weight of the cell is trained, and no result of a trained cell is used; the readout is a ridge
regression on one half of the texts, asked on the other (Jaeger 2001, GMD report 148 and 152).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .recording import Recording

RIDGE = 0.01
_FREQUENT = 100


def memory(recording: Recording, lag: int = 2) -> float:
    """How much of the input ``lag`` words ago the last states hold: R2, at most 1."""
    states = recording.outputs[-1].detach()[:, lag:]  # (batch, time - lag, dim)
    before = recording.inputs.detach()[:, : states.shape[1]]  # (batch, time - lag, dim)
    return readout(states, before)


def next_word(recording: Recording) -> float:
    """How well the last states tell which of the frequent words comes next: R2, at most 1."""
    following = recording.words[:, 1:].clamp(max=_FREQUENT)  # (batch, time)
    states = recording.outputs[-1].detach()  # (batch, time, dim)
    return readout(states, F.one_hot(following, _FREQUENT + 1))


def readout(states: Tensor, targets: Tensor, ridge: float = RIDGE) -> float:
    """R2 of linear predictions from ``states`` (batch, time, dim) of ``targets``, of such a shape.

    The share of all targets' variance; fitted on the first half of the batch with a bias, told on
    the second. ``ridge`` is in variances of the states. -inf where states are not finite.
    """
    if not bool(torch.isfinite(states).all()):
        return -torch.inf
    half = len(states) // 2
    x, y = states[:half].flatten(0, 1).double(), targets[:half].flatten(0, 1).double()
    mean, base = x.mean(dim=0), y.mean(dim=0)
    x = x - mean  # (half * time, dim)
    scale = x.square().mean()
    if not scale > 0:
        return 0.0
    gram = x.T @ x + ridge * scale * len(x) * torch.eye(x.shape[1], dtype=x.dtype)
    weight = torch.linalg.solve(gram, x.T @ (y - base))  # (dim, targets)
    asked, told = states[half:].flatten(0, 1).double(), targets[half:].flatten(0, 1).double()
    error = told - base - (asked - mean) @ weight
    return float(1 - error.square().sum() / (told - base).square().sum())

"""Rank and reach: an untrained cell keeps its states apart, bends, and feels the recent past.

Three ways in which a stack can fail to learn can be seen before it learns. Its states may fall
together on a few directions; it may be a linear map of its input, the same for every text; or a
word may leave no trace two words later. Each is a number, and the score is their sum:

- the mean over layers of log(effective rank of the states' correlations / channels), at most 0;
- log(effective rank of the correlations of the texts' Jacobians / texts), at most 0: that of a
  linear cell is 1, whatever the text;
- the log of the gradient's size two words back, over the maps it has passed, one for each layer
  and each word: the gain of one map. A gain above 1 earns nothing.

The Jacobian is that of one random projection of the last state, with respect to all inputs.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .jacobian import jacobian
from .recording import Recording
from .spectrum import correlations, effective_rank

LAG = 2
_FLOOR = 1e-20


def rank_and_reach(recording: Recording, seed: int = 0) -> float:
    """The sum of the three: at most 0. -inf for a cell that gives infinite states or slopes."""
    if not recording.finite or not recording.outputs[-1].requires_grad:
        return -math.inf
    slopes = projected_jacobian(recording, seed)  # (batch, time, dim)
    if not bool(torch.isfinite(slopes).all()):
        return -math.inf
    return state_rank(recording) + jacobian_rank(slopes) + reach(slopes, len(recording.layers))


def projected_jacobian(recording: Recording, seed: int = 0) -> Tensor:
    """The gradient of one direction of each text's last state: (batch, time, dim)."""
    last = recording.outputs[-1][:, -1]  # (batch, dim)
    direction = torch.randn(last.shape[-1], generator=torch.Generator().manual_seed(seed))
    return jacobian(recording, (last @ direction).sum())


def state_rank(recording: Recording) -> float:
    """The mean over layers of log(effective rank / channels) of their states."""
    logs = []
    for output in recording.outputs:
        rows = output.detach().flatten(0, 1).T.double().numpy()  # (dim, batch * time)
        logs.append(_log_share(effective_rank(correlations(rows)), len(rows)))
    return sum(logs) / len(logs)


def jacobian_rank(slopes: Tensor) -> float:
    """log(effective rank / texts) of the Jacobians of the texts, (batch, time, dim)."""
    rows = slopes.flatten(start_dim=1).double().numpy()  # (batch, time * dim)
    return _log_share(effective_rank(correlations(rows)), len(rows))


def reach(slopes: Tensor, layers: int, lag: int = LAG) -> float:
    """min(0, log gain of one map), for slopes (batch, time, dim) that have passed ``layers``."""
    size = slopes[:, -1 - lag].double().square().sum(dim=-1).mean().sqrt()
    return min(0.0, math.log(max(float(size), _FLOOR)) / (layers + lag))


def _log_share(rank: float, most: int) -> float:
    return math.log(max(rank, 1.0) / most)

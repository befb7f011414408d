"""Saliency: how much flows through the weights, or the states, of an untrained network.

Sums of such sizes span many orders, so that all are given as natural logarithms; -inf for none.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable

import torch
from torch import Tensor

from .recording import Recording


def synaptic_flow(recording: Recording) -> float:
    """log of the sum of w * dR/dw over the weights, all made positive, with an input of ones.

    R is the sum of the last layer's output at the last step, in float64 (Tanaka et al. 2020,
    arXiv 2006.05467, section 5). In a linear network this is the sum over all paths of the product
    of their weights' sizes, once for each weight on the path. -inf where it overflows, as products
    in a loop can.
    """
    layers = copy.deepcopy(recording.layers).double()
    with torch.no_grad():
        for weight in layers.parameters():
            weight.abs_()
    x = torch.ones_like(recording.inputs[:1], dtype=torch.float64)  # (1, time, dim)
    for layer in layers:
        x = layer(x)  # (1, time, dim)
    return _log_flow(x[:, -1].sum(), list(layers.parameters()))


def synaptic_saliency(recording: Recording) -> float:
    """log of the sum of |w * dR/dw| over the weights, for R = half the squared last output.

    The weights as they are, a batch of text: what is called SynFlow in the figures published for
    NAS-Bench-NLP (arXiv 2306.00288, section 4), there without the weights that read the input.
    """
    return _log_flow(_half_square(recording), list(recording.layers.parameters()))


def hidden_saliency(recording: Recording) -> float:
    """The same of the states in place of the weights (arXiv 2306.00288, section 4)."""
    return _log_flow(_half_square(recording), recording.outputs)


def _half_square(recording: Recording) -> Tensor:
    return recording.outputs[-1].square().sum() / 2


def _log_flow(of: Tensor, through: Iterable[Tensor]) -> float:
    values = [value for value in through if value.requires_grad]
    if not of.requires_grad or not values:
        return -math.inf
    slopes = torch.autograd.grad(of, values, retain_graph=True, allow_unused=True)
    flow = sum(
        float((value.detach().double() * slope.double()).abs().sum())
        for value, slope in zip(values, slopes, strict=True)
        if slope is not None
    )
    return math.log(flow) if flow > 0 else -math.inf

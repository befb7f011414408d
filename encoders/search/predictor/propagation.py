"""How signals and gradients go through a cell before any training, as numbers for a predictor.

Three layers at random weights read random words. How large and how varied their values are (Poole
et al. 2016, arXiv 1606.05340), how much of an earlier word can be read off them by a linear map
(Jaeger 2001, GMD report 152: memory capacity), and how fast gradients fade with distance (Pascanu
et al. 2013, arXiv 1211.5063). Nothing is trained and no loss is seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...cell_execution import CellLayer
from ..space.canonical import canonical
from ..space.grammar import Cell

Doubles = NDArray[np.float64]

_WIDTH, _BATCH, _TIME, _WORDS, _LAYERS = 32, 24, 20, 40, 3
_SPREAD = 0.1  # of the word vectors, uniform, as in the AWD-LSTM that NAS-Bench-NLP trains
_MEMORY = (0, 1, 2, 4)  # words back, for the linear maps
_FADING = (1, 2, 4, 8, 15)  # words back, for the gradients
_RIDGE = 1e-4  # a value of root mean square 1 is 1 large
_LARGEST = 20.0  # of a logarithm to base 10; also stands for what is not finite


def propagation(cell: Cell, seed: int = 0) -> Doubles:
    """The numbers (41,) of a cell: those of each layer's values, then gradients, logs to base 10.

    The same for every numbering of the cell, and for the same seed.
    """
    cell = canonical(cell)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vectors = (torch.rand(_WORDS, _WIDTH) * 2 - 1) * _SPREAD
        words = vectors[torch.randint(_WORDS, (_BATCH, _TIME))]  # (batch, time, width)
        words.requires_grad_()
        stack = [CellLayer(cell, _WIDTH) for _ in range(_LAYERS)]
        layers = [words]
        for layer in stack:
            layers.append(layer(layers[-1]))
        values = [number for output in layers[1:] for number in _values(output.detach())]
        for output in (layers[1], layers[-1]):
            values += _memory(output.detach(), words.detach())
            values += _fading(output, words)
        values += _weight_gradients(layers[-1], stack)
    return np.array(values)


def _log(value: Tensor | float) -> float:
    number = float(value)
    if not math.isfinite(number):
        return _LARGEST
    return min(math.log10(max(number, 10**-_LARGEST)), _LARGEST)


def _centred(x: Tensor) -> Tensor:
    """Rows (batch * time, width) around their mean, of root mean square 1, in float64."""
    rows = x.double().flatten(0, 1).nan_to_num(0, 0, 0).clamp(-1e6, 1e6)
    rows = rows - rows.mean(0)
    return rows / rows.square().mean().sqrt().clamp_min(1e-30)


def _values(x: Tensor) -> list[float]:
    """Size, the share of it that depends on the words, directions in use, growth over time."""
    x = x.double()
    size = x.square().mean().sqrt()
    last = x[:, -1]  # (batch, width)
    moving = (last - last.mean(0)).square().mean().sqrt()
    power = torch.linalg.svdvals(_centred(x)).square()
    share = power / power.sum().clamp_min(1e-300)
    directions = float(torch.exp(-(share * share.clamp_min(1e-300).log()).sum()))
    early, late = (part.square().mean().sqrt() for part in (x[:, :3], x[:, -3:]))
    return [_log(size), _log(moving / size), directions, _log(late / early)]


def _memory(x: Tensor, words: Tensor) -> list[float]:
    """The share of a word's vector, some words back, that a ridge regression reads off."""
    start = max(_MEMORY)
    rows = _centred(x[:, start:])  # (batch * time', width)
    gram = rows.T @ rows + _RIDGE * len(rows) * torch.eye(_WIDTH)
    found = []
    for lag in _MEMORY:
        aim = _centred(words[:, start - lag : _TIME - lag])
        cross = rows.T @ aim
        explained = (cross * torch.linalg.solve(gram, cross)).sum() / aim.square().sum()
        found.append(float(explained))
    return found


def _gradients(of: Tensor, to: Sequence[Tensor]) -> list[Tensor]:
    if not of.requires_grad:
        return [torch.zeros_like(each) for each in to]
    found = torch.autograd.grad(
        of, to, retain_graph=True, materialize_grads=True, allow_unused=True
    )
    return list(found)


def _fading(x: Tensor, words: Tensor) -> list[float]:
    """The gradient of the last word's values to its vector, and to earlier ones by the largest."""
    aim = (x[:, -1] * torch.randn(_BATCH, _WIDTH)).sum()
    (gradient,) = _gradients(aim, [words])
    norms = gradient.double().square().sum((0, 2)).sqrt()  # (time,)
    largest = _log(norms.max())
    return [_log(norms[-1]), *(_log(norms[-1 - lag]) - largest for lag in _FADING)]


def _weight_gradients(x: Tensor, stack: list[CellLayer]) -> list[float]:
    """The size of the gradient to each layer's weights."""
    aim = (x * torch.randn_like(x)).sum()
    found = []
    for layer in stack:
        weights: list[nn.Parameter] = list(layer.parameters())
        gradients = _gradients(aim, weights) if weights else []
        found.append(_log(sum(float(g.double().square().sum()) for g in gradients) ** 0.5))
    return found

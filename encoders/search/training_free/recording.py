"""An untrained stack of one cell, and all that its nodes give for a batch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...cell_execution import CellLayer, Values
from ...cell_operations import LinearMap, delay
from ..space.canonical import canonical
from ..space.grammar import Cell, Ref
from .probe_batch import ProbeBatch, Spread


@dataclass(frozen=True)
class Recording:
    """A canonical ``cell`` in some layers, with the graph of gradients from ``inputs`` on.

    ``inputs`` is (batch, time, dim); ``values`` holds what each node of each layer gives,
    (batch, time, width). ``words`` is (batch, time + 1), as in ``ProbeBatch``.
    """

    cell: Cell
    layers: nn.ModuleList
    inputs: Tensor
    values: list[Values]
    words: Tensor

    @property
    def outputs(self) -> list[Tensor]:
        """What each layer gives, (batch, time, dim)."""
        return [values[Ref(self.cell.out)] for values in self.values]

    def read(self, layer: int, ref: Ref) -> Tensor:
        """What a node of a layer reads, now or delayed: (batch, time, width)."""
        values = self.values[layer]
        return delay(values[Ref(ref.node)]) if ref.delayed else values[Ref(ref.node)]

    @property
    def finite(self) -> bool:
        """Whether the states of all layers are."""
        return all(bool(torch.isfinite(output).all()) for output in self.outputs)


def untrained(cell: Cell, dim: int, layers: int, seed: int) -> nn.ModuleList:
    """Layers of ``dim`` channels with random weights: the same seed, the same weights.

    Linear maps and their biases are uniform within 1 / sqrt(dim) of 0, as in NAS-Bench-NLP
    (Klyuchnikov et al. 2020, arXiv 2006.07116), all else as it comes. DataError for a cell that
    cannot be run at this width.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        stack = nn.ModuleList(CellLayer(cell, dim) for _ in range(layers))
        bound = 1 / math.sqrt(dim)
        for module in stack.modules():
            if isinstance(module, LinearMap):
                for weight in module.parameters():
                    nn.init.uniform_(weight, -bound, bound)
    return stack


def record(
    cell: Cell,
    batch: ProbeBatch,
    *,
    dim: int = 32,
    layers: int = 3,
    seed: int = 0,
    spread: Spread = "unit",
) -> Recording:
    """The cell in ``layers`` untrained layers in front of a batch.

    Weights are drawn for the canonical form, so that other writings of a cell score the same.
    """
    cell = canonical(cell)
    stack = untrained(cell, dim, layers, seed)
    inputs = batch.vectors(dim, seed, spread).requires_grad_()  # (batch, time, dim)
    values: list[Values] = []
    x = inputs
    for layer in stack:
        assert isinstance(layer, CellLayer)
        values.append(layer.values(x))
        x = values[-1][Ref(cell.out)]  # (batch, time, dim)
    return Recording(cell, stack, inputs, values, batch.words)

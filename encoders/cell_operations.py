"""The operations of a cell that have weights or read more than the present word.

All go from (batch, time, width) to that shape, and none reads a later word.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .search.space.operations import Operation
from .search.space.widths import squeezed


def delay(x: Tensor, words: int = 1) -> Tensor:
    """The values ``words`` earlier, 0 before the first word; ``x`` is (batch, time, width)."""
    return F.pad(x, (0, 0, words, 0))[:, : x.shape[1]]


class LinearMap(nn.Module):
    """``L``: the sum of a linear map of each input, and one bias."""

    def __init__(self, inputs: Sequence[int], width: int) -> None:
        super().__init__()
        self.maps = nn.ModuleList(nn.Linear(size, width, bias=False) for size in inputs)
        self.bias = nn.Parameter(torch.zeros(width))

    def weight(self, place: int) -> Tensor:
        """The matrix of one input, of shape (width, width of the input)."""
        weight = self.maps[place].weight
        assert isinstance(weight, Tensor)  # a parameter, or what stands in for it
        return weight

    def forward(self, *inputs: Tensor) -> Tensor:
        return sum((map_(x) for map_, x in zip(self.maps, inputs, strict=True)), self.bias)


class Convolution(nn.Module):
    """``K`` and ``D``: over the last ``number`` words, ``second`` apart; ``D`` in each channel."""

    def __init__(self, operation: Operation, width: int) -> None:
        super().__init__()
        dilation = operation.second or 1
        self.before = (operation.number - 1) * dilation
        self.convolution = nn.Conv1d(
            width,
            width,
            operation.number,
            dilation=dilation,
            groups=width if operation.letter == "D" else 1,
        )

    def forward(self, x: Tensor) -> Tensor:
        padded = F.pad(x, (0, 0, self.before, 0)).transpose(1, 2)  # (batch, width, before + time)
        convolved: Tensor = self.convolution(padded).transpose(1, 2)
        return convolved


class LightweightConvolution(nn.Module):
    """``Y``: a mean of the last words in each channel, whose weights are a softmax.

    (Wu et al. 2019, arXiv 1901.10430, section 3, with as many heads as channels.)
    """

    def __init__(self, operation: Operation, width: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(width, operation.number))
        nn.init.xavier_uniform_(self.kernel)

    def forward(self, x: Tensor) -> Tensor:
        width, size = self.kernel.shape
        padded = F.pad(x, (0, 0, size - 1, 0)).transpose(1, 2)  # (batch, width, size - 1 + time)
        weights = self.kernel.softmax(dim=1)[:, None]  # (width, 1, size)
        return F.conv1d(padded, weights, groups=width).transpose(1, 2)


class SelfAttention(nn.Module):
    """``A``: ``number`` heads over the last ``second`` words, or all (Vaswani et al. 2017, 3.2)."""

    def __init__(self, operation: Operation, width: int) -> None:
        super().__init__()
        self.heads, self.window = operation.number, operation.second
        self.query_key_value = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, time, width = x.shape
        split = self.query_key_value(x).view(batch, time, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # each (batch, heads, time, width/heads)
        if 0 < self.window < time:
            ones = torch.ones(time, time, dtype=torch.bool, device=x.device)
            seen = ones.tril() & ones.triu(1 - self.window)
            mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        else:
            mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        attended: Tensor = self.output(mixed.transpose(1, 2).reshape(batch, time, width))
        return attended


class SqueezeExcitation(nn.Module):
    """``E``: each channel is gated by the mean of all channels over the words so far.

    (Hu et al. 2018, arXiv 1709.01507, section 3, with a running mean in place of the whole one.)
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(width, squeezed(width))
        self.excite = nn.Linear(squeezed(width), width)

    def forward(self, x: Tensor) -> Tensor:
        count = torch.arange(1, x.shape[1] + 1, device=x.device)[:, None]  # (time, 1)
        mean = x.cumsum(dim=1) / count
        gate: Tensor = self.excite(F.relu(self.squeeze(mean)))
        return x * torch.sigmoid(gate)


class GroupedLinear(nn.Module):
    """``G``: a linear map in each of ``number`` groups of neighbouring channels, and a bias."""

    def __init__(self, operation: Operation, width: int) -> None:
        super().__init__()
        size = width // operation.number
        bound = math.sqrt(3 / size)  # Glorot and Bengio 2010, for each group
        self.weight = nn.Parameter(
            torch.empty(operation.number, size, size).uniform_(-bound, bound)
        )  # (groups, into, from)
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        groups = x.reshape(*x.shape[:-1], *self.weight.shape[:2])  # (..., groups, width/groups)
        return torch.einsum("...gi,goi->...go", groups, self.weight).flatten(-2) + self.bias


def blend(gate: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """``b``: ``first`` where the gate is 1, ``second`` where it is 0."""
    return gate * first + (1 - gate) * second


def total(*inputs: Tensor) -> Tensor:
    """``a``: the sum."""
    result = inputs[0]
    for x in inputs[1:]:
        result = result + x
    return result


def product(*inputs: Tensor) -> Tensor:
    """``m``: the product, channel by channel."""
    result = inputs[0]
    for x in inputs[1:]:
        result = result * x
    return result


def _squared_relu(x: Tensor) -> Tensor:
    return F.relu(x).square()


FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "t": torch.tanh,
    "s": torch.sigmoid,
    "u": F.leaky_relu,
    "r": F.relu,
    "g": F.gelu,
    "q": _squared_relu,
    "a": total,
    "m": product,
    "b": blend,
}
"""The operations without weights. All but ``a``, ``m`` and ``b`` take one input."""


def build(operation: Operation, inputs: Sequence[int], width: int) -> nn.Module | None:
    """The module of an operation on inputs of these widths; None for one of ``FUNCTIONS``."""
    match operation.letter:
        case "L":
            return LinearMap(inputs, width)
        case "n":
            return nn.LayerNorm(width)
        case "K" | "D":
            return Convolution(operation, width)
        case "Y":
            return LightweightConvolution(operation, width)
        case "A":
            return SelfAttention(operation, width)
        case "E":
            return SqueezeExcitation(width)
        case "G":
            return GroupedLinear(operation, width)
    return None

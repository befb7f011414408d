"""Networks that read the tensors of cells: the published one, and one that walks their edges."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .cell_tensor import CHANNELS, LETTERS

_PLAIN, _DELAYED, _PLACE = (CHANNELS.index(name) for name in ("plain", "delayed", "place"))
_OF_NODES = len(LETTERS) + 2  # the channels that tell of the node that reads


class TensorNetwork(nn.Module):
    """From tensors (cells, channels, size, size) to scores (cells,), as published.

    (Xu et al. 2021, arXiv 1910.01523, section 3.2.) Two convolutions of 3 x 3 of twice the channels
    and of 128, each with batch norm and ReLU, and layers of 120, 84 and 1. Neighbouring rows are
    neighbours by number, not in the graph, which is why the other network is there.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        channels = len(CHANNELS)
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 2 * channels, 3, padding=1),
            nn.BatchNorm2d(2 * channels),
            nn.ReLU(),
            nn.Conv2d(2 * channels, 128, 3, padding=1),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(128 * size**2, 120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.ReLU(),
            nn.Linear(84, 1),
        )

    def forward(self, tensors: Tensor) -> Tensor:
        scores: Tensor = self.layers(tensors)[:, 0]
        return scores


class GraphNetwork(nn.Module):
    """From tensors (cells, channels, size, size) to scores (cells,), by messages along the edges.

    In each round a node hears what it reads and what reads it, of the same word, over a delay and
    weighed by place, each through a map of its own (the relational form of Gilmer et al. 2017,
    arXiv 1704.01212). The output's state, the input's and their mean give the score: what number
    a node has between the two does not matter.
    """

    def __init__(self, width: int = 32, rounds: int = 4, dropout: float = 0.1) -> None:
        super().__init__()
        self.first = nn.Linear(_OF_NODES + 2, width)
        self.rounds = nn.ModuleList(nn.Linear(7 * width, width) for _ in range(rounds))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(rounds))
        self.dropout = nn.Dropout(dropout)
        self.score = nn.Sequential(nn.Linear(3 * width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, tensors: Tensor) -> Tensor:
        kinds = tensors[:, [_PLAIN, _DELAYED, _PLACE]].transpose(2, 3)  # (cells, 3, reader, read)
        ways = torch.cat((kinds, kinds.transpose(2, 3)), dim=1)  # (cells, 6, to, from)
        nodes = _nodes(tensors)  # (cells, size, _OF_NODES + 2)
        there = _there(tensors)  # (cells, size, 1)
        x = self.first(nodes) * there  # (cells, size, width)
        for layer, norm in zip(self.rounds, self.norms, strict=True):
            heard = ways @ x[:, None]  # (cells, 6, size, width)
            joined = torch.cat((x, heard.transpose(1, 2).flatten(2)), dim=2)
            x = norm(x + self.dropout(F.relu(layer(joined)))) * there
        mean = x.sum(1) / there.sum(1)
        scores: Tensor = self.score(torch.cat((x[:, -1], x[:, 0], mean), dim=1))[:, 0]
        return scores


def _nodes(tensors: Tensor) -> Tensor:
    """What each node is (its column holds it on every edge), and which are input and output."""
    told = tensors[:, :_OF_NODES].amax(dim=2).transpose(1, 2)  # (cells, size, _OF_NODES)
    ends = told.new_zeros(*told.shape[:2], 2)
    ends[:, 0, 0] = ends[:, -1, 1] = 1
    return torch.cat((told, ends), dim=2)


def _there(tensors: Tensor) -> Tensor:
    """1 for the input and what reads something, 0 for padding: (cells, size, 1)."""
    reads = tensors[:, [_PLAIN, _DELAYED]].amax(dim=(1, 2)) > 0
    reads[:, 0] = True
    return reads[..., None].to(tensors.dtype)

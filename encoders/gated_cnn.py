"""A stack of gated causal convolutions, one direction of a biLM.

Each block is a convolution over the last few words whose one half gates the other (Dauphin et al.
2017, arXiv 1612.08083, section 2), with weight normalisation and a residual connection scaled by
the root of a half (Gehring et al. 2017, arXiv 1705.03122, section 3; the biLM form of Peters et
al. 2018, arXiv 1808.08949, section 3.3).
"""

from __future__ import annotations

import math
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, PositiveInt
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm


class GatedCNN(BaseModel):
    """The settings of the architecture ``gated_cnn``; ``stack`` builds one direction."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dim: PositiveInt = 128
    layers: PositiveInt = 6
    width: int = Field(4, ge=2)
    dropout: float = Field(0.0, ge=0, lt=1)

    sizes: ClassVar[dict[str, dict[str, int | float]]] = {
        "tiny": {"dim": 32, "layers": 2},
        "small": {},
        "paper": {"dim": 512, "layers": 16, "dropout": 0.1},
    }

    final_norm: ClassVar[bool] = False

    @property
    def receptive_field(self) -> int:
        """How many words the last layer sees in its direction, the present one included."""
        return self.layers * (self.width - 1) + 1

    def stack(self) -> nn.Module:
        """A module from (batch, time, dim) to ``layers`` tensors of that shape."""
        return Stack(self)

    def layer_names(self) -> list[str]:
        """What each contextual layer is."""
        return [f"block {layer + 1}" for layer in range(self.layers)]


class Stack(nn.Module):
    """The blocks of one direction."""

    def __init__(self, settings: GatedCNN) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(settings) for _ in range(settings.layers))

    def forward(self, words: Tensor) -> list[Tensor]:
        x = words.transpose(1, 2)  # (batch, dim, time), as convolutions want it
        outputs = []
        for block in self.blocks:
            x = block(x)  # (batch, dim, time)
            outputs.append(x.transpose(1, 2))
        return outputs


class Block(nn.Module):
    """One convolution with its gate and its residual connection, on (batch, dim, time)."""

    def __init__(self, settings: GatedCNN) -> None:
        super().__init__()
        self.reach = settings.width - 1  # words before the present one
        self.dropout = nn.Dropout(settings.dropout)
        convolution = nn.Conv1d(settings.dim, 2 * settings.dim, settings.width)
        # Half of what comes in is lost at the gate: the variance of four in place of two.
        deviation = math.sqrt(4 * (1 - settings.dropout) / (settings.width * settings.dim))
        nn.init.normal_(convolution.weight, std=deviation)
        nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
        self.convolution = weight_norm(convolution, dim=0)

    def forward(self, x: Tensor) -> Tensor:
        # Nothing stands to the right of a word: all of the padding is on its left.
        before = F.pad(self.dropout(x), (self.reach, 0))  # (batch, dim, reach + time)
        return (x + F.glu(self.convolution(before), dim=1)) * math.sqrt(0.5)

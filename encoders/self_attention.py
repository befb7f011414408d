"""A causal stack of self-attention blocks, one direction of a biLM.

Pre-norm blocks with sinusoidal positions (Vaswani et al. 2017; the biLM form of Peters et al.
2018, arXiv 1808.08949, section 3.3).
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationInfo, field_validator
from torch import Tensor, nn
from torch.nn import functional as F


class SelfAttention(BaseModel):
    """The settings of the architecture ``transformer``; ``stack`` builds one direction."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dim: PositiveInt = 128
    layers: PositiveInt = 4
    heads: PositiveInt = Field(4, validate_default=True)
    feed_forward: PositiveInt = 512
    dropout: float = Field(0.0, ge=0, lt=1)

    sizes: ClassVar[dict[str, dict[str, int | float]]] = {
        "tiny": {"dim": 32, "layers": 2, "heads": 2, "feed_forward": 64},
        "small": {},
        "paper": {"dim": 512, "layers": 6, "heads": 8, "feed_forward": 2048, "dropout": 0.1},
    }

    final_norm: ClassVar[bool] = True
    """The last layer's output is normalised, the others are the running sum of the blocks."""

    @field_validator("heads")
    @classmethod
    def _heads_share_the_width(cls, heads: int, others: ValidationInfo) -> int:
        if others.data.get("dim", 0) % heads:
            raise ValueError(f"{heads} heads cannot share a width of {others.data['dim']}")
        return heads

    def stack(self) -> nn.Module:
        """A module from (batch, time, dim) to ``layers`` tensors of that shape."""
        return _Stack(self)

    def layer_names(self) -> list[str]:
        """What each contextual layer is."""
        return [f"block {layer + 1}" for layer in range(self.layers)]


class _Stack(nn.Module):
    def __init__(self, settings: SelfAttention) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_Block(settings) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(settings.dim)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, words: Tensor) -> list[Tensor]:
        _, time, dim = words.shape
        # Word vectors are scaled up, or the positions would drown them (Vaswani et al., 3.4).
        x = words * math.sqrt(dim) + _positions(time, dim, words.device)  # (batch, time, dim)
        x = self.dropout(x)
        outputs = []
        for block in self.blocks:
            x = block(x)  # (batch, time, dim)
            outputs.append(x)
        outputs[-1] = self.norm(outputs[-1])
        return outputs


class _Block(nn.Module):
    def __init__(self, settings: SelfAttention) -> None:
        super().__init__()
        dim = settings.dim
        self.heads = settings.heads
        self.norm1 = nn.LayerNorm(dim)
        self.query_key_value = nn.Linear(dim, 3 * dim)
        self.output = nn.Linear(dim, dim)
        self.norm2 = nn.LayerNorm(dim)
        self.expand = nn.Linear(dim, settings.feed_forward)
        self.contract = nn.Linear(settings.feed_forward, dim)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropout(self.output(self._attend(self.norm1(x))))
        x = x + self.dropout(self.contract(F.gelu(self.expand(self.norm2(x)))))
        return x

    def _attend(self, x: Tensor) -> Tensor:
        batch, time, dim = x.shape
        split = self.query_key_value(x).view(batch, time, 3, self.heads, dim // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # each (batch, heads, time, dim/heads)
        # Padding stands to the right, so the causal mask keeps it from every real word.
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        return mixed.transpose(1, 2).reshape(batch, time, dim)


def _positions(time: int, dim: int, device: torch.device) -> Tensor:
    """Sines in the even columns and cosines in the odd ones, of shape (time, dim)."""
    place = torch.arange(time, device=device, dtype=torch.float32)[:, None]  # (time, 1)
    rate = torch.exp(
        torch.arange(0, dim, 2, device=device, dtype=torch.float32) * (-math.log(1e4) / dim)
    )
    table = torch.empty(time, dim, device=device)
    table[:, 0::2] = torch.sin(place * rate)
    table[:, 1::2] = torch.cos(place * rate[: dim // 2])
    return table

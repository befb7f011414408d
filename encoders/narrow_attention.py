"""Self-attention whose heads need not fill the width: what is left when heads are removed.

Blocks, positions and norms are those of ``self_attention``. There heads share the width of the
words, so that fewer heads are wider ones; here their number and their width are two settings
(``h`` and ``d_k`` of Vaswani et al. 2017, section 3.2.2), and the maps into and out of attention
are narrower than the words. It can be pretrained as it is: the dense model of the same size.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, PositiveInt
from torch import Tensor, nn
from torch.nn import functional as F

from .self_attention import SelfAttention, _Block, _Stack

BUILT_ON = "af12bcda3e806949aef0f6a66650ea2453d2f30cc162f3ac5feec05a00392e1a"
"""sha256 of ``self_attention``. An encoder's fingerprint is told by the source of its
architecture's module, this one, so that a change there has to be a change here."""


class NarrowAttention(BaseModel):
    """The settings of the architecture ``narrow_transformer``; ``stack`` builds one direction.

    Each block has ``heads`` heads, each ``head_width`` wide.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dim: PositiveInt = 128
    layers: PositiveInt = 4
    heads: PositiveInt = 2
    head_width: PositiveInt = 32
    feed_forward: PositiveInt = 256
    dropout: float = Field(0.0, ge=0, lt=1)

    sizes: ClassVar[dict[str, dict[str, int | float]]] = {
        "tiny": {"dim": 32, "layers": 2, "heads": 1, "head_width": 16, "feed_forward": 32},
        "small": {},
        "paper": {
            "dim": 512,
            "layers": 6,
            "heads": 4,
            "head_width": 64,
            "feed_forward": 1024,
            "dropout": 0.1,
        },
    }
    """Half the heads and half the neurons of ``self_attention`` at each size."""

    final_norm: ClassVar[bool] = True
    """As of ``self_attention``."""

    def stack(self) -> nn.Module:
        """A module from (batch, time, dim) to ``layers`` tensors of that shape."""
        # One head fills any width: the blocks bring their own number.
        whole = SelfAttention(dim=self.dim, layers=1, heads=1, feed_forward=1, dropout=self.dropout)
        made = _Stack(whole)
        made.blocks = nn.ModuleList(_NarrowBlock(self, whole) for _ in range(self.layers))
        return made

    def layer_names(self) -> list[str]:
        """What each contextual layer is."""
        return [f"block {layer + 1}" for layer in range(self.layers)]


class _NarrowBlock(_Block):
    def __init__(self, settings: NarrowAttention, whole: SelfAttention) -> None:
        super().__init__(whole)
        inner = settings.heads * settings.head_width
        self.heads, self.head_width = settings.heads, settings.head_width
        self.query_key_value = nn.Linear(settings.dim, 3 * inner)
        self.output = nn.Linear(inner, settings.dim)
        self.expand = nn.Linear(settings.dim, settings.feed_forward)
        self.contract = nn.Linear(settings.feed_forward, settings.dim)

    def _attend(self, x: Tensor) -> Tensor:
        batch, time, _ = x.shape
        split = self.query_key_value(x).view(batch, time, 3, self.heads, self.head_width)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # each (batch, heads, time, head_width)
        # Padding stands to the right, so the causal mask keeps it from every real word.
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        return mixed.transpose(1, 2).reshape(batch, time, self.heads * self.head_width)

"""A stack of LSTMs with projection, one direction of a biLM.

The cell is wide, its output is projected to a narrow state that goes on to the next step and the
next layer (Sak et al. 2014, arXiv 1402.1128, section 2). Layers above the first add their input
to their output, cell and state are clipped (Peters et al. 2018, arXiv 1808.08949, section 3.1; the
sizes of Jozefowicz et al. 2016, arXiv 1602.02410).
"""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
)
from torch import Tensor, nn
from torch.nn import functional as F

State = tuple[Tensor, Tensor]
"""What a layer knows after a word: its state (batch, dim) and its cell (batch, hidden)."""


class LSTM(BaseModel):
    """The settings of the architecture ``lstm``; ``stack`` builds one direction.

    ``dim`` is the width of the projected states, ``hidden`` that of the cells. A clip of 0 is
    none; with one, a GPU has no fused kernel for the layer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dim: PositiveInt = 128
    hidden: PositiveInt = Field(344, validate_default=True)
    layers: PositiveInt = 2
    skip: bool = True
    cell_clip: NonNegativeFloat = 0.0
    projection_clip: NonNegativeFloat = 0.0
    dropout: float = Field(0.0, ge=0, lt=1)

    sizes: ClassVar[dict[str, dict[str, int | float]]] = {
        "tiny": {"dim": 32, "hidden": 64},
        "small": {},
        "paper": {
            "dim": 512,
            "hidden": 4096,
            "cell_clip": 3.0,
            "projection_clip": 3.0,
            "dropout": 0.1,
        },
    }

    final_norm: ClassVar[bool] = False

    @field_validator("hidden")
    @classmethod
    def _wider_than_its_projection(cls, hidden: int, others: ValidationInfo) -> int:
        if hidden <= others.data.get("dim", 0):
            raise ValueError(f"{hidden} is not wider than its projection, {others.data['dim']}")
        return hidden

    def stack(self) -> nn.Module:
        """A module from (batch, time, dim) to ``layers`` tensors of that shape."""
        return Stack(self)

    def layer_names(self) -> list[str]:
        """What each contextual layer is."""
        return [f"LSTM {layer + 1}" for layer in range(self.layers)]


class Stack(nn.Module):
    """The layers of one direction."""

    def __init__(self, settings: LSTM) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            Layer(settings, skip=settings.skip and layer > 0) for layer in range(settings.layers)
        )

    def forward(self, words: Tensor) -> list[Tensor]:
        x = words  # (batch, time, dim)
        outputs = []
        for block in self.blocks:
            x, _ = block(x)  # (batch, time, dim)
            outputs.append(x)
        return outputs


class Layer(nn.Module):
    """One layer; the parameters are those of torch's LSTM, with one bias in place of its two."""

    def __init__(self, settings: LSTM, skip: bool) -> None:
        super().__init__()
        self.skip = skip
        self.cell_clip = settings.cell_clip or None
        self.projection_clip = settings.projection_clip or None
        self.dropout = nn.Dropout(settings.dropout)
        dim, hidden = settings.dim, settings.hidden
        self.lstm = nn.LSTM(dim, hidden, proj_size=dim, batch_first=True)
        # The two biases are added to one another; the second stays 0 and is no parameter.
        del self.lstm.bias_hh_l0
        self.lstm.register_buffer("bias_hh_l0", torch.zeros(4 * hidden), persistent=False)
        self.lstm.bias_hh_l0 = self.lstm.get_buffer("bias_hh_l0")  # where its kernel looks for it
        into, recurrent, projection, bias = self._weights()
        for weight in (into, recurrent, projection):
            nn.init.xavier_uniform_(weight)
        nn.init.zeros_(bias)
        # A cell that remembers at first is learnt faster (Jozefowicz et al. 2015, section 4).
        nn.init.ones_(bias.data[hidden : 2 * hidden])

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """(batch, time, dim) to the same shape, and the state after the last place.

        Without a ``state`` to go on from, the first is 0.
        """
        given = self.dropout(x)
        states, last = self._fused(given, state) if self.kernel(x) else self._steps(given, state)
        return (states + x if self.skip else states), last

    def kernel(self, x: Tensor) -> bool:
        """Whether torch's fused kernel serves. On a CPU it is no faster than the steps."""
        return x.is_cuda and self.cell_clip is None and self.projection_clip is None

    def _weights(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Into the gates, from the state into the gates, from the cell to the state; a bias."""
        names = "weight_ih_l0 weight_hh_l0 weight_hr_l0 bias_ih_l0"
        into, recurrent, projection, bias = map(self.lstm.get_parameter, names.split())
        return into, recurrent, projection, bias

    def _fused(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        first = None if state is None else (state[0][None], state[1][None])
        states, (last, cell) = self.lstm(x, first)
        return states, (last[0], cell[0])

    def _steps(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        into, recurrent, projection, bias = self._weights()
        gates = F.linear(x, into, bias)  # (batch, time, 4 * hidden)
        recurrent, projection = recurrent.t(), projection.t()
        if state is None:
            # Of the weights' precision, whatever the products are in: a cell adds up many steps.
            last = recurrent.new_zeros(len(x), self.lstm.proj_size)  # (batch, dim)
            cell = recurrent.new_zeros(len(x), self.lstm.hidden_size)  # (batch, hidden)
        else:
            last, cell = state
        states = []
        for gate in gates.unbind(dim=1):
            enter, forget, new, leave = torch.addmm(gate, last, recurrent).chunk(4, dim=1)
            cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
            if self.cell_clip is not None:
                cell = cell.clamp(-self.cell_clip, self.cell_clip)
            last = (torch.sigmoid(leave) * torch.tanh(cell)) @ projection
            if self.projection_clip is not None:
                last = last.clamp(-self.projection_clip, self.projection_clip)
            states.append(last)
        return torch.stack(states, dim=1), (last, cell)

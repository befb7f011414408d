"""A stack of searchable cells, one direction of a biLM: what a cell is, it says itself."""

from __future__ import annotations

from typing import ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    ValidationInfo,
    field_validator,
)
from torch import Tensor, nn

from ..core.errors import DataError
from .cell_execution import CellLayer
from .search.space.aliases import read_cell
from .search.space.canonical import canonical
from .search.space.grammar import parse
from .search.space.validity import check

EXECUTED_BY = "32579512d969d881ef5c64175ad317f45737ad50f1785a6807da9414ac0814a2"
"""sha256 of the modules that run a cell. An encoder's fingerprint is told by the source of its
architecture's module, this one, so that a change of theirs has to be a change here."""


class SearchedCell(BaseModel):
    """The settings of the architecture ``cell``; ``stack`` builds one direction.

    ``cell`` is a name of ``search.space.aliases`` or a cell as ``search.space.grammar`` writes
    them; it is kept in its canonical form. A stack adds nothing to its cells: a cell that wants
    its input beside its output adds node 0 itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dim: PositiveInt = 128
    layers: PositiveInt = 2
    cell: str = Field("lstm", validate_default=True)
    dropout: float = Field(0.0, ge=0, lt=1)

    sizes: ClassVar[dict[str, dict[str, int | float]]] = {
        "tiny": {"dim": 32},
        "small": {},
        "paper": {"dim": 512, "dropout": 0.1},
    }

    final_norm: ClassVar[bool] = False

    @field_validator("cell")
    @classmethod
    def _can_be_run(cls, text: str, others: ValidationInfo) -> str:
        try:
            cell = canonical(read_cell(text))
            check(cell, others.data.get("dim"))
        except DataError as error:
            raise ValueError(str(error)) from error
        return str(cell)

    def stack(self) -> nn.Module:
        """A module from (batch, time, dim) to ``layers`` tensors of that shape."""
        return Stack(self)

    def layer_names(self) -> list[str]:
        """What each contextual layer is."""
        return [f"cell {layer + 1}" for layer in range(self.layers)]


class Stack(nn.Module):
    """The layers of one direction."""

    def __init__(self, settings: SearchedCell) -> None:
        super().__init__()
        cell = parse(settings.cell)
        self.blocks = nn.ModuleList(CellLayer(cell, settings.dim) for _ in range(settings.layers))
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, words: Tensor) -> list[Tensor]:
        x = words  # (batch, time, dim)
        outputs = []
        for block in self.blocks:
            x = block(self.dropout(x))  # (batch, time, dim)
            outputs.append(x)
        return outputs

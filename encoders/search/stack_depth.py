"""How many layers of a cell make one direction of a biLM: as told, or as weights allow."""

from __future__ import annotations

from ...core.errors import DataError
from .protocols import Setting
from .space.grammar import Cell
from .space.widths import parameters

MOST_LAYERS = 12
_OVER = 1.25


def stack_depth(cell: Cell, setting: Setting) -> int:
    """The layers of a direction.

    Where the setting counts ``weights``, as many as bring both directions nearest to them, at most
    12: so cells of any size are compared at one size of model. DataError for a cell of which one
    layer has over 1.25 times as many.
    """
    if setting.weights is None:
        return setting.layers
    layer = 2 * parameters(cell, setting.dim)
    if layer > _OVER * setting.weights:
        raise DataError(
            f"one layer of {setting.dim} channels has {layer:,} weights",
            where=f"cell {cell}",
            cure=f"{setting.weights:,} are asked for",
        )
    return min(max(round(setting.weights / layer), 1) if layer else 1, MOST_LAYERS)

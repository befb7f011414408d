"""What needs cells refuses a space of other things, before anything is asked."""

from __future__ import annotations

from ...core.errors import DataError, UsageError
from .protocols import SearchSpace
from .space.grammar import parse


def require_cells(
    space: SearchSpace, where: str, cure: str = "take --space cell, or --estimator table"
) -> None:
    """Raise UsageError unless the space's candidates are texts of cells."""
    try:
        parse(space.decode([0] * len(space.genes)))
    except DataError as error:
        raise UsageError(
            f"the candidates of {space.name} are no cells", where=where, cure=cure
        ) from error

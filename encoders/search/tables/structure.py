"""What two cells have in common, in numbers: a distance between graphs that is cheap to take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ..space.grammar import Cell

Feature = tuple[str, ...]


def count_structure(cell: Cell) -> Counter[Feature]:
    """How often each thing stands in a cell.

    ``(x,)`` is the nodes of the operation x, ``(x, y)`` the edges from x to y, ``(x, y, "@")``
    those with a delay; the layer's input is the operation ``0`` and the output is read by ``=``.
    """
    signs = ["0", *(str(node.operation) for node in cell.nodes)]
    counts: Counter[Feature] = Counter((sign,) for sign in signs[1:])
    for number, node in cell.numbered():
        for ref in node.inputs:
            edge = (signs[ref.node], signs[number])
            counts[(*edge, "@") if ref.delayed else edge] += 1
    counts[signs[cell.out], "="] += 1
    return counts


class Structures:
    """The counts of many cells as an array; ``distances`` is Manhattan's over all of them."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        counts = [count_structure(cell) for cell in cells]
        names = sorted(set().union(*counts))
        self._column = {name: at for at, name in enumerate(names)}
        self.counts = np.zeros((len(cells), len(names)), dtype=np.int16)  # (cells, features)
        for row, each in enumerate(counts):
            for name, count in each.items():
                self.counts[row, self._column[name]] = count

    def distances(self, counts: np.ndarray) -> np.ndarray:
        """How many counts apart each cell is from a vector: (features,) to (cells,)."""
        found: np.ndarray = np.abs(self.counts - counts).sum(1)
        return found

    def distances_to(self, cell: Cell) -> np.ndarray:
        """The same for a cell that need not be among them: (cells,)."""
        known = np.zeros(len(self._column), dtype=np.int16)
        unknown = 0
        for name, count in count_structure(cell).items():
            if name in self._column:
                known[self._column[name]] = count
            else:
                unknown += count
        found: np.ndarray = self.distances(known) + unknown
        return found

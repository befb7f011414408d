"""A finite set of cells as a space: what lies near a cell, between two, and in a tree of digits."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ....core.errors import DataError
from ..cell_description import describe_cells
from ..space.aliases import read_cell
from ..space.canonical import canonical
from ..space.grammar import parse
from ..space.sampling import choose
from .structure import Structures

_NEAR = 8
"""The mean rank, among the others by distance, of the cell that a mutation leads to."""


class CellTable:
    """The cells ``candidates`` as a space: any cells, and no others.

    No small change of such a cell need be in the set, so a step goes by ``structure.Structures``'
    distance: counts of operations, of edges by the operations at their ends, and of delays. Of
    cells at one distance, the one that stands first in ``candidates`` counts as nearer.
    """

    def __init__(self, name: str, candidates: Sequence[str]) -> None:
        """``candidates`` are the canonical writings of 2 or more cells, all different."""
        self.name = name
        self.candidates = tuple(candidates)
        self._row = {text: row for row, text in enumerate(self.candidates)}
        cells = [parse(text) for text in self.candidates]
        self._operations = {str(node.operation) for cell in cells for node in cell.nodes}
        self._sizes = [len(cell.nodes) for cell in cells]
        self._inputs = max(len(node.inputs) for cell in cells for node in cell.nodes)
        self._structures = Structures(cells)
        self._tree = _tree(self._structures.counts)
        self.genes: Sequence[int] = (2,) * (len(cells) - 1).bit_length()
        self._others = lru_cache(maxsize=512)(self._order_of_others)

    def __len__(self) -> int:
        return len(self.candidates)

    def sample(self, generator: random.Random) -> str:
        """Each with one chance."""
        return choose(self.candidates, generator)

    def mutate(self, candidate: str, generator: random.Random) -> str:
        """One of the nearest others: the rank is geometric with a mean of 8, so none is out of
        reach."""
        others = self._others(self._row[candidate])
        rank = 0
        while generator.random() >= 1 / _NEAR:
            rank += 1
        return self.candidates[int(others[rank % len(others)])]

    def cross(self, first: str, second: str, generator: random.Random) -> str:
        """The cell nearest to counts of which each is drawn from one of both, other than they.

        Where there is no other, the first.
        """
        rows = [self._row[first], self._row[second]]
        counts = self._structures.counts
        from_first = np.array([generator.random() < 0.5 for _ in range(counts.shape[1])])
        mixed = np.where(from_first, counts[rows[0]], counts[rows[1]])  # (features,)
        distances = self._structures.distances(mixed)
        distances[rows] = np.iinfo(distances.dtype).max
        child = int(distances.argmin())
        return self.candidates[rows[0] if child in rows else child]

    def decode(self, genes: Sequence[int]) -> str:
        """The cell at the end of a path in a balanced binary tree; DataError for no such path.

        Each digit says of one count, the same for all cells, whether the cell is in the half of
        those left that has less of it (0) or more (1): the count in which those left differ most,
        added over all nodes of that depth. Once a single cell is left, the other digits say
        nothing.
        """
        if len(genes) != len(self.genes) or not all(gene in (0, 1) for gene in genes):
            raise DataError(
                f"not a vector of {len(self.genes)} digits, 0 or 1", where=f"space {self.name}"
            )
        low, high = 0, len(self._tree)
        for gene in genes:
            middle = _middle(low, high)
            if high - low > 1:
                low, high = (middle, high) if gene else (low, middle)
        return self.candidates[self._tree[low]]

    def read(self, text: str) -> str:
        """The writing of a cell of the table. DataError for another, which names the nearest."""
        cell = canonical(read_cell(text))
        if (written := str(cell)) in self._row:
            return written
        nearest = int(self._structures.distances_to(cell).argmin())
        raise DataError(
            f"{written} is not in the table",
            where=f"space {self.name}",
            cure=f"the nearest that is: {self.candidates[nearest]}",
        )

    def describe(self, anonymous: bool = False) -> str:
        """The operations, the grammar and an example, and that only some cells are there."""
        told = describe_cells(
            self._operations,
            min(self._sizes),
            max(self._sizes),
            self._inputs,
            self.sample(random.Random(0)),
            anonymous,
        )
        return f"{told}\nOnly {len(self):,} of these are in the table, no others can be asked."

    def _order_of_others(self, row: int) -> np.ndarray:
        """The rows of the others, nearest first: (cells - 1,)."""
        order = self._structures.distances(self._structures.counts[row]).argsort(kind="stable")
        others: np.ndarray = order[order != row]
        return others


def _middle(low: int, high: int) -> int:
    """Where the upper half begins; the lower one is never the smaller."""
    return (low + high + 1) // 2


def _tree(counts: np.ndarray) -> list[int]:
    """The rows of (cells, features) as the leaves of ``CellTable.decode``'s tree, left to right."""
    order = np.arange(len(counts))
    bounds = [(0, len(order))]
    while any(high - low > 1 for low, high in bounds):
        spread = sum(
            (high - low) * counts[order[low:high]].var(0) for low, high in bounds if high > low
        )  # (features,)
        feature = int(np.argmax(spread))
        halves = []
        for low, high in bounds:
            part = order[low:high]
            order[low:high] = part[counts[part, feature].argsort(kind="stable")]
            if high - low > 1:
                halves += [(low, _middle(low, high)), (_middle(low, high), high)]
            else:
                halves.append((low, high))
        bounds = halves
    return [int(row) for row in order]

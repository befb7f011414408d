"""The open space of cells: whatever the grammar can write within a size."""

from __future__ import annotations

import random
from collections.abc import Sequence

from ...core.errors import DataError, UsageError, did_you_mean
from .cell_description import describe_cells
from .cell_genes import CellGenes
from .space.aliases import read_cell
from .space.canonical import canonical
from .space.convolution_variants import OPERATIONS
from .space.crossover import cross
from .space.grammar import parse
from .space.mutation import mutate
from .space.sampling import RECURRENT, Space, sample

SPACES = {
    "": Space(most=13),  # as many as the cell of an LSTM has
    "recurrent": Space(RECURRENT, most=13),
    "small": Space(most=6),
    "convolution": Space(OPERATIONS, most=10, delayed=0),
}
"""What stands behind ``cell:``: all operations, those of NAS-Bench-NLP, all in up to 6 nodes, those
of gated convolutions and their variants, drawn without recurrence."""


def cell_space(argument: str = "") -> CellSpace:
    """Cells of all operations (``cell``), or of those behind the colon.

    ``recurrent`` has NAS-Bench-NLP's, ``small`` up to 6 nodes, ``convolution`` what the gated
    convolution and its variants are made of. UsageError for another name.
    """
    if argument not in SPACES:
        raise UsageError(
            f"no such space of cells: {argument!r}",
            where=f"cell:{argument}",
            cure=did_you_mean(argument, filter(None, SPACES)) + ", or cell alone for all of them",
        )
    return CellSpace(f"cell:{argument}" if argument else "cell", SPACES[argument])


class CellSpace:
    """The cells that ``space`` draws, mutates and crosses, in their canonical writing."""

    def __init__(self, name: str, space: Space) -> None:
        self.name = name
        self.space = space
        self._genes = CellGenes(space)
        self.genes: Sequence[int] = self._genes.sizes

    def sample(self, generator: random.Random) -> str:
        """A cell as ``space.sampling.sample`` draws it."""
        return str(sample(self.space, generator))

    def mutate(self, candidate: str, generator: random.Random) -> str:
        """A cell that is one of the changes of ``space.mutation`` away."""
        return str(mutate(parse(candidate), self.space, generator))

    def cross(self, first: str, second: str, generator: random.Random) -> str:
        """A cell with the first nodes of the one and the last nodes of the other."""
        return str(cross(parse(first), parse(second), self.space, generator))

    def decode(self, genes: Sequence[int]) -> str:
        """The cell of a vector of genes: ``cell_genes.CellGenes`` tells what they mean."""
        return str(self._genes.decode(genes))

    def read(self, text: str) -> str:
        """The canonical writing of a cell or of a name such as ``gru``.

        DataError for a cell that is not valid or not of the space: dead nodes do not count.
        """
        cell = canonical(read_cell(text))
        known = set(self.space.operations)
        for _, node in cell.numbered():
            if str(node.operation) not in known:
                raise DataError(
                    f"{node.operation} is no operation of the space {self.name}",
                    where=f"cell, a node that reads {len(node.inputs)}",
                    cure=did_you_mean(str(node.operation), known),
                )
        if not self.space.fewest <= len(cell.nodes) <= self.space.most:
            raise DataError(
                f"{len(cell.nodes)} nodes reach its output",
                where="cell",
                cure=f"the space {self.name} holds cells of {self.space.fewest} to "
                f"{self.space.most}",
            )
        if not self.space.admits(cell):
            raise DataError(
                "a node reads the same twice", where="cell", cure="let each input be another"
            )
        return str(cell)

    def describe(self, anonymous: bool = False) -> str:
        """The operations, the grammar and an example, for a language model."""
        return describe_cells(
            self.space.operations,
            self.space.fewest,
            self.space.most,
            self.space.most_inputs,
            self.sample(random.Random(0)),
            anonymous,
        )

"""A cell as a tensor: its adjacency, once for each thing that is known of a node or an edge.

(Xu et al. 2021, ReNAS, arXiv 1910.01523, section 3.1: each channel is the adjacency matrix times a
row of the nodes' operations, FLOPs or parameters.) Here each kind of operation has a channel of its
own, edges say whether they are delayed and where they go into an operation whose order matters,
and there is one set of channels, as all layers of a stack run the same cell at the same width.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ....core.errors import DataError
from ..space.canonical import canonical
from ..space.grammar import Cell, Node, Ref
from ..space.operations import KINDS
from ..space.widths import parameters, widths

Floats = NDArray[np.float32]

LETTERS = tuple(KINDS)
CHANNELS = (*LETTERS, "flops", "parameters", "plain", "delayed", "place")
"""What each channel holds on the edge from row to column: 1 for the operation of the column; its
FLOPs a word and its weights, in squares of the state's width; 1 for an edge of the same word, 1 for
a delayed one; and where it goes in, in thirds, for an operation whose inputs are ordered."""

STATE = 64  # the width at which operations are weighed against one another
_WORDS = 64  # that attention without a window looks back on


def cell_tensor(cell: Cell, size: int | None = None) -> Floats:
    """The tensor (len(CHANNELS), size, size) of a cell, whatever its numbering.

    Row and column 0 are the input, the last ones the output, the nodes between them in canonical
    order; what is missing to ``size`` (None: nothing) is zero and stands before the output, as
    published. DataError for a cell with more than ``size - 1`` nodes.
    """
    cell = canonical(cell)
    least = len(cell.nodes) + 1
    size = least if size is None else size
    if size < least:
        raise DataError(
            f"{len(cell.nodes)} nodes",
            where=f"cell {cell}",
            cure=f"at most {size - 1} fit",
        )
    order = [number for number in range(least) if number != cell.out]
    place = {number: index for index, number in enumerate(order)} | {cell.out: size - 1}
    wide = widths(cell, STATE)
    tensor = np.zeros((len(CHANNELS), size, size), np.float32)
    for number, node in cell.numbered():
        reads = [wide[ref.node] for ref in node.inputs]
        weights = node_parameters(node, reads, wide[number])
        told = {
            node.operation.letter: 1.0,
            "flops": node_flops(node, weights, wide[number]) / STATE**2,
            "parameters": weights / STATE**2,
        }
        for position, ref in enumerate(node.inputs, 1):
            edge = told | {"delayed" if ref.delayed else "plain": 1.0}
            if node.operation.kind.ordered:
                edge["place"] = position / 3
            for channel, value in edge.items():
                where = CHANNELS.index(channel), place[ref.node], place[number]
                # Now and delayed, a node can be read twice: what it is stays what it is.
                if channel == "place":
                    tensor[where] += value
                else:
                    tensor[where] = value
    return tensor


def cell_tensors(cells: Sequence[Cell], size: int | None = None) -> Floats:
    """The tensors of cells, (cells, len(CHANNELS), size, size); None: as large as the largest."""
    cells = [canonical(cell) for cell in cells]
    size = size or max(len(cell.nodes) for cell in cells) + 1
    return np.stack([cell_tensor(cell, size) for cell in cells])


def node_parameters(node: Node, reads: Sequence[int], width: int) -> int:
    """The weights of a node that reads values of these widths."""
    if node.operation.letter == "L":
        return width * (sum(reads) + 1)
    return parameters(Cell((Node(node.operation, (Ref(0),) * len(reads)),), 1), width)


def node_flops(node: Node, weights: int, width: int) -> int:
    """Floating-point operations a word: two for each weight, one for each value without weights.

    Attention adds its products with the words that it looks back on, a window or 64.
    """
    if node.operation.letter == "A":
        return 2 * weights + 4 * width * (node.operation.second or _WORDS)
    return 2 * weights if weights else width * len(node.inputs)

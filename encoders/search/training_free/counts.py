"""What can be counted in a cell: the rivals that every other score has to beat."""

from __future__ import annotations

from ..space.grammar import Cell
from ..space.widths import parameters
from .recording import Recording


def weights(recording: Recording) -> float:
    """The weights of one layer."""
    return parameters(recording.cell, recording.inputs.shape[-1])


def nodes(recording: Recording) -> float:
    """The nodes of the canonical cell."""
    return len(recording.cell.nodes)


def sigmoids(recording: Recording) -> float:
    """The sigmoid nodes."""
    return count(recording.cell, "s")


def blends(recording: Recording) -> float:
    """The blend nodes."""
    return count(recording.cell, "b")


def count(cell: Cell, letter: str) -> int:
    """The nodes of an operation."""
    return sum(node.operation.letter == letter for _, node in cell.numbered())

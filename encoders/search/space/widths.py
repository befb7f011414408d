"""How wide each node of a cell is, and how many weights it has."""

from __future__ import annotations

from ....core.errors import DataError
from .grammar import Cell, Node


def widths(cell: Cell, state: int | None = None, given: int | None = None) -> tuple[int, ...]:
    """The width of the input and of each node, by number.

    ``state`` is the width of an ``L`` without a number, ``given`` that of the input (``state``
    where None). Without ``state``, widths count in states. DataError names the node whose inputs
    differ in width, or that cannot be shared among its heads or groups where ``state`` tells its
    width, and an output of another width than ``state``.
    """
    unit = state or 1
    known: dict[int, int] = {0: unit if given is None else given}
    # A loop reads nodes that stand behind: go round until nothing new is told.
    told = -1
    while told < len(known):
        told = len(known)
        for number, node in cell.numbered():
            if node.operation.letter == "L":
                known[number] = unit * (node.operation.number or 1)
            else:
                reads = [known[ref.node] for ref in node.inputs if ref.node in known]
                if reads:
                    known.setdefault(number, reads[0])
    # What reads neither the input nor a linear map is the same for every word.
    found = tuple(known.get(number, unit) for number in range(len(cell.nodes) + 1))
    for number, node in cell.numbered():
        _agree(number, node, [found[ref.node] for ref in node.inputs])
        if state is not None:
            _share(number, node, found[number])
    if found[cell.out] != unit:
        raise DataError(
            f"the output, node {cell.out}, is {found[cell.out]} wide and not {unit}",
            where="cell",
            cure="put an L behind it",
        )
    return found


def _agree(number: int, node: Node, reads: list[int]) -> None:
    if node.operation.letter != "L" and len({*reads}) > 1:
        raise DataError(
            f"its inputs are {' and '.join(map(str, reads))} wide",
            where=f"cell, node {number} ({node})",
            cure="put an L between them",
        )


def _share(number: int, node: Node, width: int) -> None:
    letter, parts, _ = node.operation
    if letter in "AG" and width % parts:
        raise DataError(
            f"{parts} {'heads' if letter == 'A' else 'groups'} cannot share a width of {width}",
            where=f"cell, node {number} ({node})",
        )


def parameters(cell: Cell, state: int, given: int | None = None) -> int:
    """The number of weights of the cell, its dead nodes included; widths as in ``widths``."""
    found = widths(cell, state, given)
    total = 0
    for number, (operation, inputs) in cell.numbered():
        width, size = found[number], operation.number
        match operation.letter:
            case "L":
                total += width * (sum(found[ref.node] for ref in inputs) + 1)
            case "n":
                total += 2 * width
            case "K":
                total += size * width**2 + width
            case "D":
                total += (size + 1) * width
            case "Y":
                total += size * width
            case "A":
                total += 4 * (width + 1) * width
            case "E":
                narrow = squeezed(width)
                total += narrow * (width + 1) + width * (narrow + 1)
            case "G":
                total += width * (width // size + 1)
    return total


def squeezed(width: int) -> int:
    """The width between the two maps of ``E``: a quarter, at least 1."""
    return max(width // 4, 1)

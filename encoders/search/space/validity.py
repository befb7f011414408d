"""The rules that a cell keeps, each told by the node that breaks it."""

from __future__ import annotations

from ....core.errors import DataError
from .grammar import MOST_NODES, Cell
from .graph import components, sources
from .widths import widths


def check(cell: Cell, state: int | None = None, given: int | None = None) -> None:
    """Raise DataError unless the cell keeps all rules: of form, of widths, an output of the input.

    With ``state``, and ``given`` for another width of the input, these widths can be shared among
    heads and groups too.
    """
    check_form(cell)
    if 0 not in sources(cell, cell.out):
        raise DataError(f"the output, node {cell.out}, does not depend on the input", where="cell")
    widths(cell, state, given)


def check_form(cell: Cell) -> None:
    """Raise DataError unless the cell can be run.

    Every node has as many inputs as its operation takes, all of them there; a plain reference is
    to an earlier node; nothing that reads more than the present word stands in a delay loop.
    """
    if not 1 <= len(cell.nodes) <= MOST_NODES:
        raise DataError(f"{len(cell.nodes)} nodes", where="cell", cure=f"take 1 to {MOST_NODES}")
    for number, node in cell.numbered():
        where = f"cell, node {number} ({node})"
        kind = node.operation.kind
        if not kind.fewest <= len(node.inputs) <= kind.most:
            raise DataError(
                f"{len(node.inputs)} inputs",
                where=where,
                cure=f"a {kind.title} takes {kind.inputs}",
            )
        for ref in node.inputs:
            if not 0 <= ref.node <= len(cell.nodes):
                raise DataError(
                    f"there is no node {ref.node}", where=where, cure=f"up to {len(cell.nodes)}"
                )
            if not ref.delayed and ref.node >= number:
                raise DataError(
                    f"reads node {ref.node}, which is not before it",
                    where=where,
                    cure=f"write @{ref.node} for its value at the word before",
                )
    if not 1 <= cell.out <= len(cell.nodes):
        raise DataError(
            f"the output, node {cell.out}, is none of its nodes",
            where="cell",
            cure=f"take 1 to {len(cell.nodes)}",
        )
    for component in components(cell):
        for number in component.nodes if component.loop else ():
            node = cell.nodes[number - 1]
            if node.operation.kind.reach:
                raise DataError(
                    f"a {node.operation.kind.title} cannot stand in a delay loop",
                    where=f"cell, node {number} ({node})",
                    cure="move it out of the loop of the nodes "
                    + ", ".join(map(str, component.nodes)),
                )


def is_valid(cell: Cell) -> bool:
    """Whether the cell keeps the rules."""
    try:
        check(cell)
    except DataError:
        return False
    return True

"""The graph of a cell: which nodes reach one another, and which lie on a delay loop together."""

from __future__ import annotations

from typing import NamedTuple

from .grammar import Cell


class Component(NamedTuple):
    """Nodes that all reach one another, in the order of their numbers; a ``loop`` or one node."""

    nodes: tuple[int, ...]
    loop: bool


def sources(cell: Cell, node: int) -> list[int]:
    """The nodes whose value reaches ``node``, at any delay, itself included, ascending."""
    seen, waiting = {node}, [node]
    while waiting:
        number = waiting.pop()
        for ref in cell.nodes[number - 1].inputs if number else ():
            if ref.node not in seen:
                seen.add(ref.node)
                waiting.append(ref.node)
    return sorted(seen)


def components(cell: Cell) -> list[Component]:
    """The strongly connected components of all nodes, each after those that it reads (Tarjan)."""
    order: dict[int, int] = {}
    lowest: dict[int, int] = {}
    stack: list[int] = []
    found: list[Component] = []

    def visit(number: int) -> None:
        order[number] = lowest[number] = len(order)
        stack.append(number)
        for ref in cell.nodes[number - 1].inputs:
            if ref.node == 0:
                continue
            if ref.node not in order:
                visit(ref.node)
                lowest[number] = min(lowest[number], lowest[ref.node])
            elif ref.node in stack:
                lowest[number] = min(lowest[number], order[ref.node])
        if lowest[number] == order[number]:
            place = stack.index(number)
            nodes = tuple(sorted(stack[place:]))
            del stack[place:]
            itself = any(ref.node == number for ref in cell.nodes[number - 1].inputs)
            found.append(Component(nodes, len(nodes) > 1 or itself))

    for number, _ in cell.numbered():
        if number not in order:
            visit(number)
    return found

"""Small changes of a cell, for searches that walk from one to the next."""

from __future__ import annotations

import random
from collections.abc import Callable

from ....core.errors import UsageError
from .canonical import canonical
from .grammar import Cell, Node, Ref
from .sampling import Space, choose

_TRIES = 10_000

Change = Callable[[Cell, Space, random.Random], Cell]
"""A cell with one change, which may break a rule: ``mutate`` draws again then."""


def mutate(cell: Cell, space: Space, generator: random.Random) -> Cell:
    """Another canonical cell that the space admits, one change away from this one.

    Each of ``CHANGES`` has one chance, as has each place for it. UsageError where none is found.
    """
    parent = canonical(cell)
    for _ in range(_TRIES):
        changed = choose(list(CHANGES.values()), generator)(parent, space, generator)
        if not 1 <= changed.out:
            continue
        child = canonical(changed)
        if child != parent and space.admits(child):
            return child
    raise UsageError(
        f"no change of {parent} stays in it", where="space", cure="take other operations or sizes"
    )


def change_operation(cell: Cell, space: Space, generator: random.Random) -> Cell:
    """Another operation at one node; inputs are cut or drawn as it needs."""
    number = _any_node(cell, generator)
    node = cell.nodes[number - 1]
    operation = space.draw_operation(generator)
    inputs = node.inputs[: operation.kind.most]
    while len(inputs) < operation.kind.fewest:
        inputs += (space.draw_ref(number, len(cell.nodes), generator),)
    return _with_node(cell, number, Node(operation, inputs))


def rewire(cell: Cell, space: Space, generator: random.Random) -> Cell:
    """Another source for one input."""
    number = _any_node(cell, generator)
    return _with_input(
        cell,
        number,
        choose(range(len(cell.nodes[number - 1].inputs)), generator),
        space.draw_ref(number, len(cell.nodes), generator),
    )


def toggle_delay(cell: Cell, space: Space, generator: random.Random) -> Cell:
    """One input delayed, or no longer."""
    number = _any_node(cell, generator)
    inputs = cell.nodes[number - 1].inputs
    place = choose(range(len(inputs)), generator)
    ref = inputs[place]
    return _with_input(cell, number, place, Ref(ref.node, not ref.delayed))


def insert_node(cell: Cell, space: Space, generator: random.Random) -> Cell:
    """A new node on one input of a node, or behind the output."""
    count = len(cell.nodes)
    number = choose(range(1, count + 2), generator)  # of the new node; its reader comes next
    moved = _moved(cell, lambda old: old + (old >= number))
    if number > count:
        read, out = Ref(cell.out), number
    else:
        place = choose(range(len(cell.nodes[number - 1].inputs)), generator)
        read, out = moved.nodes[number - 1].inputs[place], moved.out
    operation = space.draw_operation(generator)
    others = [
        space.draw_ref(number, count + 1, generator)
        for _ in range(space.draw_count(operation, generator) - 1)
    ]
    nodes = list(moved.nodes)
    nodes.insert(number - 1, Node(operation, (read, *others)))
    wider = Cell(tuple(nodes), out)
    return wider if number > count else _with_input(wider, number + 1, place, Ref(number))


def delete_node(cell: Cell, space: Space, generator: random.Random) -> Cell:
    """One node less: what read it reads one of its inputs."""
    number = _any_node(cell, generator)
    instead = choose(cell.nodes[number - 1].inputs, generator)
    nodes = [
        Node(
            node.operation,
            tuple(
                Ref(instead.node, ref.delayed or instead.delayed) if ref.node == number else ref
                for ref in node.inputs
            ),
        )
        for node in cell.nodes
    ]
    out = instead.node if cell.out == number else cell.out
    if instead.node == number:
        return cell  # it reads itself
    bridged = _moved(Cell(tuple(nodes), out), lambda old: old - (old > number))
    return Cell(bridged.nodes[: number - 1] + bridged.nodes[number:], bridged.out)


CHANGES: dict[str, Change] = {
    "operation": change_operation,
    "rewire": rewire,
    "delay": toggle_delay,
    "insert": insert_node,
    "delete": delete_node,
}


def _any_node(cell: Cell, generator: random.Random) -> int:
    return choose(range(1, len(cell.nodes) + 1), generator)


def _with_node(cell: Cell, number: int, node: Node) -> Cell:
    return Cell((*cell.nodes[: number - 1], node, *cell.nodes[number:]), cell.out)


def _with_input(cell: Cell, number: int, place: int, ref: Ref) -> Cell:
    operation, inputs = cell.nodes[number - 1]
    return _with_node(cell, number, Node(operation, (*inputs[:place], ref, *inputs[place + 1 :])))


def _moved(cell: Cell, number: Callable[[int], int]) -> Cell:
    """The same cell with other numbers for its nodes, which stay in their places."""
    return Cell(
        tuple(
            Node(
                node.operation,
                tuple(Ref(ref.node and number(ref.node), ref.delayed) for ref in node.inputs),
            )
            for node in cell.nodes
        ),
        number(cell.out),
    )

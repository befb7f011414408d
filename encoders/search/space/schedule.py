"""How a cell is computed: what runs over all words at once, what is scanned, what goes in steps."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from .grammar import Cell, Node, Ref
from .graph import Component, components


class Way(Enum):
    """How the words of a sequence are gone through."""

    PARALLEL = "all words at once"
    SCAN = "a linear recurrence, in a logarithmic number of passes over all words"
    STEPS = "word by word"


class Stage(NamedTuple):
    """Nodes that are computed together, ascending. ``state`` is the one that a scan is over."""

    nodes: tuple[int, ...]
    way: Way
    state: int = 0


def schedule(cell: Cell) -> list[Stage]:
    """The stages of a cell, each after those that it reads."""
    stages = []
    for component in components(cell):
        if not component.loop:
            stages.append(Stage(component.nodes, Way.PARALLEL))
        elif state := _linear_in(cell, component):
            stages.append(Stage(component.nodes, Way.SCAN, state))
        else:
            stages.append(Stage(component.nodes, Way.STEPS))
    return stages


def _linear_in(cell: Cell, loop: Component) -> int:
    """The only node that is delayed in the loop if all others are linear in it, channel by channel.

    Else 0.
    """
    nodes = [cell.nodes[number - 1] for number in loop.nodes]
    delayed = {
        ref.node for node in nodes for ref in node.inputs if ref.delayed and ref.node in loop.nodes
    }
    linear = all(_is_linear(node, loop.nodes) for node in nodes)
    return delayed.pop() if linear and len(delayed) == 1 else 0


def _is_linear(node: Node, loop: tuple[int, ...]) -> bool:
    within = [is_within(ref, loop) for ref in node.inputs]
    match node.operation.letter:
        case "a":
            return True
        case "m":
            return sum(within) == 1
        case "b":
            return not within[0]
    return False


def is_within(ref: Ref, loop: tuple[int, ...]) -> bool:
    """Whether what is read is computed in the loop."""
    return ref.node in loop

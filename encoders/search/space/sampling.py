"""Random cells: the operations and the shape that a search may draw from, and the draw."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from ....core.errors import UsageError
from .canonical import canonical, short_id
from .grammar import MOST_NODES, Cell, Node, Ref
from .operations import Operation, parse_operation
from .validity import is_valid

T = TypeVar("T")

RECURRENT = ("L", "L", "L", "t", "s", "u", "a", "m", "b")
"""The operations of NAS-Bench-NLP, its linear map three times as often (arXiv 2006.07116)."""

ALL = (*RECURRENT, "r", "g", "q", "n", "K3", "K5", "D3", "D5", "Y5", "A1", "A4", "A4w16", "E", "G4")
"""Those, and convolutions, attention and the rest."""

_TRIES = 1_000_000


@dataclass(frozen=True)
class Space:
    """The cells that a search draws from, mutates within and crosses.

    An operation that stands twice is drawn twice as often. A cell has ``fewest`` to ``most`` nodes
    and no dead ones; sums, products and linear maps have up to ``most_inputs`` inputs, and an input
    is delayed with the probability ``delayed``. Raises UsageError for what is no space.
    """

    operations: tuple[str, ...] = ALL
    fewest: int = 2
    most: int = 12
    most_inputs: int = 3
    delayed: float = 0.15

    def __post_init__(self) -> None:
        if not self.operations:
            raise UsageError("without operations", where="space", cure="name some, such as L, t")
        for text in self.operations:
            _parsed(text)
        if not 1 <= self.fewest <= self.most <= MOST_NODES:
            raise UsageError(
                f"{self.fewest} to {self.most} nodes",
                where="space",
                cure=f"within 1 to {MOST_NODES}",
            )
        if self.most_inputs < 2 or not 0 <= self.delayed <= 1:
            raise UsageError(
                f"{self.most_inputs} inputs, {self.delayed:g} of them delayed",
                where="space",
                cure="take 2 inputs or more, and a probability",
            )

    def draw_operation(self, generator: random.Random) -> Operation:
        """One of the operations."""
        return _parsed(choose(self.operations, generator))

    def draw_count(self, operation: Operation, generator: random.Random) -> int:
        """How many inputs a node has."""
        kind = operation.kind
        most = max(min(kind.most, self.most_inputs), kind.fewest)
        return choose(range(kind.fewest, most + 1), generator)

    def draw_ref(self, number: int, nodes: int, generator: random.Random) -> Ref:
        """What node ``number`` of ``nodes`` may read: an earlier node, or any one delayed."""
        return self.draw_delayed(nodes, generator) or Ref(choose(range(number), generator))

    def draw_delayed(self, nodes: int, generator: random.Random) -> Ref | None:
        """A delayed node, or None for an input that is not delayed."""
        if generator.random() >= self.delayed:
            return None
        return Ref(choose(range(nodes + 1), generator), delayed=True)

    def admits(self, cell: Cell) -> bool:
        """Whether a canonical cell is of this size, valid, and reads nothing twice in one node."""
        return (
            self.fewest <= len(cell.nodes) <= self.most
            and all(len({*node.inputs}) == len(node.inputs) for node in cell.nodes)
            and is_valid(cell)
        )


def choose(options: Sequence[T], generator: random.Random) -> T:
    """One of the options, each with one chance; the same on every version of Python."""
    return options[int(generator.random() * len(options))]


def sample(space: Space, generator: random.Random) -> Cell:
    """A canonical cell of the space.

    The number of nodes is uniform. Given that, each node draws its operation, its number of inputs
    and each input on its own; the last node is the output; what is not valid, has dead nodes or
    reads one thing twice in a node is drawn anew as a whole. So a cell comes as often as its
    writings do: one that can be numbered in more ways comes more often.
    """
    nodes = choose(range(space.fewest, space.most + 1), generator)
    for _ in range(_TRIES):
        drawn = _drawn(space, nodes, generator)
        if drawn is not None and is_valid(drawn):
            cell = canonical(drawn)
            if len(cell.nodes) == nodes:
                return cell
    raise UsageError(
        f"no valid cell of {nodes} nodes in {_TRIES:,} draws",
        where="space",
        cure="take other operations, or fewer nodes",
    )


def sample_distinct(
    space: Space, generator: random.Random, count: int, known: Collection[str] = ()
) -> list[Cell]:
    """``count`` cells of which no two are the same, and none is ``known`` by its short id."""
    met = set(known)
    found: list[Cell] = []
    repeated = 0
    while len(found) < count:
        cell = sample(space, generator)
        if (name := short_id(cell)) in met:
            repeated += 1
            if repeated > 100 * count + 1000:
                raise UsageError(
                    f"only {len(found)} new cells of {count} were found",
                    where="space",
                    cure="ask for fewer, or take a larger space",
                )
            continue
        met.add(name)
        found.append(cell)
    return found


def _drawn(space: Space, nodes: int, generator: random.Random) -> Cell | None:
    """A cell in which each node but the last is read; None as soon as the draws show another.

    Most draws leave some node unread. What is delayed is drawn first, then the rest from the last
    node to the first: when the turn comes to a node, all that can read it has been drawn.
    """
    operations = [space.draw_operation(generator) for _ in range(nodes)]
    delayed = [
        [
            space.draw_delayed(nodes, generator)
            for _ in range(space.draw_count(operation, generator))
        ]
        for operation in operations
    ]
    read = {nodes} | {
        ref.node
        for number, refs in enumerate(delayed, 1)
        for ref in refs
        if ref and ref.node != number
    }
    drawn: list[Node] = []
    for number in range(nodes, 0, -1):
        inputs = tuple(ref or Ref(choose(range(number), generator)) for ref in delayed[number - 1])
        if number not in read or len({*inputs}) < len(inputs):
            return None
        read.update(ref.node for ref in inputs)
        drawn.append(Node(operations[number - 1], inputs))
    return Cell(tuple(reversed(drawn)), nodes)


@cache
def _parsed(operation: str) -> Operation:
    return parse_operation(operation, "space")

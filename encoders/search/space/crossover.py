"""A child of two cells: the first nodes of the one, the last nodes of the other."""

from __future__ import annotations

import random

from ....core.errors import UsageError
from .canonical import canonical
from .grammar import Cell, Node, Ref
from .sampling import Space, choose

_TRIES = 10_000


def cross(first: Cell, second: Cell, space: Space, generator: random.Random) -> Cell:
    """A canonical cell that the space admits, cut from both; it may equal one of them.

    The cuts are uniform, in the order of the canonical numbers. A reference to a node that was cut
    away is drawn anew, delayed as it was. UsageError where no child is found.
    """
    head, tail = canonical(first), canonical(second)
    for _ in range(_TRIES):
        kept = choose(range(1, len(head.nodes) + 1), generator)
        dropped = choose(range(len(tail.nodes)), generator)
        if dropped < tail.out:
            child = canonical(_joined(head, kept, tail, dropped, generator))
            if space.admits(child):
                return child
    raise UsageError(
        f"no child of {head} and {tail} is in it", where="space", cure="take other sizes"
    )


def _joined(head: Cell, kept: int, tail: Cell, dropped: int, generator: random.Random) -> Cell:
    """The first ``kept`` nodes of the head, and the tail without its first ``dropped``."""
    count = kept + len(tail.nodes) - dropped

    def redrawn(ref: Ref) -> Ref:
        # Without a delay, only the tail misses what it read, and all of the head is before it.
        return Ref(choose(range(count + 1 if ref.delayed else kept + 1), generator), ref.delayed)

    nodes = []
    for node in head.nodes[:kept]:
        inputs = (r if r.node <= kept else redrawn(r) for r in node.inputs)
        nodes.append(Node(node.operation, tuple(inputs)))
    for node in tail.nodes[dropped:]:
        inputs = (
            r
            if r.node == 0
            else Ref(r.node - dropped + kept, r.delayed)
            if r.node > dropped
            else redrawn(r)
            for r in node.inputs
        )
        nodes.append(Node(node.operation, tuple(inputs)))
    return Cell(tuple(nodes), tail.out - dropped + kept)

"""Random cells: within their space, as often as they should be, the same for the same seed."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from itertools import product

import pytest
from scipy.stats import chisquare

from layerwise.core.errors import DataError, UsageError
from layerwise.encoders.search.space.canonical import canonical, short_id
from layerwise.encoders.search.space.grammar import Cell, Node, Ref
from layerwise.encoders.search.space.graph import sources
from layerwise.encoders.search.space.operations import Operation
from layerwise.encoders.search.space.sampling import (
    ALL,
    RECURRENT,
    Space,
    sample,
    sample_distinct,
)
from layerwise.encoders.search.space.validity import check


@pytest.mark.parametrize("operations", [ALL, RECURRENT, ("K3", "A4w16", "m")])
def test_a_draw_is_canonical_valid_alive_and_of_the_space(operations: tuple[str, ...]) -> None:
    space = Space(operations, 3, 8, most_inputs=2)
    generator = random.Random(3)
    sizes = Counter()
    for _ in range(60):
        cell = sample(space, generator)
        check(cell)
        assert canonical(cell) == cell and space.admits(cell)
        assert sources(cell, cell.out) == list(range(len(cell.nodes) + 1))
        assert {str(node.operation) for node in cell.nodes} <= set(operations)
        assert all(len(n.inputs) <= 2 or n.operation.letter == "b" for n in cell.nodes)
        sizes[len(cell.nodes)] += 1
    assert set(sizes) == set(range(3, 9))


def expected(space: Space) -> dict[str, Fraction]:
    """The chance of each cell of two nodes, from all that can be drawn."""
    share: dict[str, Fraction] = {}
    delayed = Fraction(space.delayed)
    choices: list[list[tuple[Node, Fraction]]] = []
    for number in (1, 2):
        refs = {Ref(k): (1 - delayed) / number for k in range(number)}
        refs |= {Ref(k, True): delayed / 3 for k in (0, 1, 2)}
        drawn = [(Node(Operation("t"), (r,)), chance / 2) for r, chance in refs.items()]
        drawn += [
            (Node(Operation("m"), (p, q)), refs[p] * refs[q] / 2) for p, q in product(refs, refs)
        ]
        choices.append(drawn)
    for (first, chance), (second, other) in product(*choices):
        cell = Cell((first, second), 2)
        if any(len(set(node.inputs)) < len(node.inputs) for node in cell.nodes):
            continue
        if sources(cell, 2) == [0, 1, 2]:
            name = str(canonical(cell))
            share[name] = share.get(name, Fraction(0)) + chance * other
    whole = sum(share.values())
    return {name: chance / whole for name, chance in share.items()}


def test_cells_come_as_often_as_their_writings() -> None:
    space = Space(("t", "m"), 2, 2, most_inputs=2, delayed=0.5)
    chances = expected(space)
    generator = random.Random(11)
    draws = 4000
    seen = Counter(str(sample(space, generator)) for _ in range(draws))
    assert set(seen) <= set(chances) and len(chances) > 20
    result = chisquare(
        [seen[name] for name in chances], [float(chances[name]) * draws for name in chances]
    )
    assert result.pvalue > 0.01


def test_the_same_seed_draws_the_same_on_every_machine() -> None:
    generator = random.Random(7)
    first = [str(sample(Space(most=6), generator)) for _ in range(3)]
    generator = random.Random(7)
    assert [str(sample(Space(most=6), generator)) for _ in range(3)] == first


def test_distinct_draws_are_distinct_and_unknown() -> None:
    space = Space(("t", "s"), 1, 2, delayed=0.0)  # t, s, tt, ts, st, ss
    everything = sample_distinct(space, random.Random(0), 6)
    assert len({short_id(cell) for cell in everything}) == 6
    known = {short_id(cell) for cell in everything[:4]}
    rest = sample_distinct(space, random.Random(1), 2, known)
    assert {*rest} == {*everything[4:]}
    with pytest.raises(UsageError, match="only 2 new cells of 3 were found; ask for fewer"):
        sample_distinct(space, random.Random(2), 3, known)


def test_a_space_that_is_none_is_refused() -> None:
    for wrong in (
        lambda: Space(()),
        lambda: Space(fewest=5, most=4),
        lambda: Space(most=33),
        lambda: Space(most_inputs=1),
        lambda: Space(delayed=1.5),
    ):
        with pytest.raises(UsageError, match="space: "):
            wrong()
    with pytest.raises(DataError, match="space: no such operation: 'z'"):
        Space(("t", "z"))


def test_a_space_without_valid_cells_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layerwise.encoders.search.space.sampling._TRIES", 50)
    with pytest.raises(UsageError, match="no valid cell of 1 nodes in 50 draws"):
        sample(Space(("m",), 1, 1, delayed=0.0), random.Random(0))  # it would read 0 twice

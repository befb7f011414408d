"""Children of two cells: valid, of both, and the same for the same seed."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.core.errors import UsageError
from layerwise.encoders.search.space.canonical import canonical
from layerwise.encoders.search.space.crossover import cross
from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.space.sampling import Space, sample

SPACE = Space(most=8)


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_a_child_is_a_canonical_cell_of_the_space_from_its_parents_nodes(seed: int) -> None:
    generator = random.Random(seed)
    first, second = sample(SPACE, generator), sample(SPACE, generator)
    child = cross(first, second, SPACE, random.Random(seed))
    assert canonical(child) == child and SPACE.admits(child)
    operations = {node.operation for node in (*first.nodes, *second.nodes)}
    assert {node.operation for node in child.nodes} <= operations
    assert cross(first, second, SPACE, random.Random(seed)) == child


def test_the_head_is_of_the_first_and_the_tail_of_the_second() -> None:
    first, second = parse("c1/t:0/r:1/s:2=3"), parse("c1/g:0/q:1/u:2=3")
    children = {
        "".join(
            node.operation.letter for node in cross(first, second, SPACE, random.Random(s)).nodes
        )
        for s in range(300)
    }
    # What the tail reads before the cut is drawn: nodes of the head that nothing reads go.
    drawn = {"tqu", "trqu", "trsqu", "tu", "tru", "trsu"}
    assert drawn | {"gqu"} <= children <= drawn | {"gqu", "qu", "u"}


def test_the_output_is_the_seconds_wherever_it_stands() -> None:
    first, second = parse("c1/g:0/q:1=2"), parse("c1/L:0,@3/t:1/s:2=2")
    for seed in range(60):
        child = cross(first, second, SPACE, random.Random(seed))
        assert child.nodes[child.out - 1].operation.letter == "t"


def test_delays_stay_delays() -> None:
    first, second = parse("c1/L:0,@3/t:1/s:2=3"), parse("c1/L:0,@2/t:1=2")
    delayed = set()
    for seed in range(80):
        child = cross(first, second, SPACE, random.Random(seed))
        delayed |= {ref.node for node in child.nodes for ref in node.inputs if ref.delayed}
        maps = [node for node in child.nodes if node.operation.letter == "L"]
        assert all([ref.delayed for ref in node.inputs] == [False, True] for node in maps)
    assert {0, 1, 2, 3} <= delayed


def test_where_no_child_fits_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layerwise.encoders.search.space.crossover._TRIES", 20)
    with pytest.raises(UsageError, match="no child of c1/t:0=1 and c1/s:0=1 is in it"):
        cross(parse("c1/t:0=1"), parse("c1/s:0=1"), Space(fewest=5, most=6), random.Random(0))

"""Changes of a cell: valid, one step away, all kinds of them, and the same for the same seed."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.core.errors import UsageError
from layerwise.encoders.search.space.canonical import canonical
from layerwise.encoders.search.space.grammar import Cell, Ref, parse
from layerwise.encoders.search.space.mutation import CHANGES, mutate
from layerwise.encoders.search.space.sampling import RECURRENT, Space, sample
from layerwise.encoders.search.space.validity import is_valid

SPACE = Space(most=8)


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_a_child_is_another_valid_canonical_cell_of_the_space(seed: int) -> None:
    parent = sample(SPACE, random.Random(seed))
    child = mutate(parent, SPACE, random.Random(seed))
    assert child != parent and canonical(child) == child
    assert SPACE.admits(child)
    assert mutate(parent, SPACE, random.Random(seed)) == child


def test_each_change_does_what_its_name_says() -> None:
    """The written cell before it is made canonical, on a cell where all can be told apart."""
    cell = parse("c1/L:0,@3/t:1/m:2,@1=3")
    sources: set[tuple[int, Ref]] = set()
    moves: dict[str, Counter[tuple[int, int]]] = {}
    for name, change in CHANGES.items():
        seen: Counter[tuple[int, int]] = Counter()
        for seed in range(400):
            changed = change(cell, SPACE, random.Random(seed))
            if changed == cell or not is_valid(changed):
                continue
            pairs = list(zip(cell.nodes, changed.nodes, strict=False))
            if name == "operation":
                assert sum(old.operation != new.operation for old, new in pairs) <= 1
                assert changed.out == cell.out
            if name in ("rewire", "delay"):
                assert [old.operation for old, _ in pairs] == [new.operation for _, new in pairs]
                moved = [
                    (a, b, number)
                    for number, (old, new) in enumerate(pairs, 1)
                    for a, b in zip(old.inputs, new.inputs, strict=True)
                    if a != b
                ]
                assert len(moved) == 1
                if name == "rewire":
                    sources.add((moved[0][2], moved[0][1]))
                else:
                    assert moved[0][0].node == moved[0][1].node
            seen[len(changed.nodes) - len(cell.nodes), changed.out] += 1
        moves[name] = seen
    assert all(moves.values())
    assert sources >= {(3, ref) for ref in (Ref(0), Ref(1), Ref(2), Ref(0, True), Ref(3, True))}
    assert {size for size, _ in moves["operation"] + moves["rewire"] + moves["delay"]} == {0}
    assert {size for size, _ in moves["insert"]} == {1}
    assert {size for size, _ in moves["delete"]} == {-1}


def test_a_node_that_is_inserted_reads_what_was_read_and_its_deletion_undoes_it() -> None:
    cell = parse("c1/L:0,@3/t:1/m:2,@1=3")
    space = Space(("s",), 1, 8)
    found = set()
    for seed in range(100):
        wider = CHANGES["insert"](cell, space, random.Random(seed))
        assert is_valid(wider)
        found.add(str(canonical(wider)))
        undone = {
            canonical(CHANGES["delete"](wider, space, random.Random(again))) for again in range(60)
        }
        assert canonical(cell) in undone
    # On each of five inputs, and behind the output, where readers still read the old one.
    texts = [
        "c1/s:0/L:1,@4/t:2/m:3,@2=4",
        "c1/L:0,2/s:@4/t:1/m:3,@1=4",
        "c1/L:0,@4/s:1/t:2/m:3,@1=4",
        "c1/L:0,@4/t:1/s:2/m:3,@1=4",
        "c1/L:0,@4/t:1/s:@1/m:2,3=4",
        "c1/L:0,@3/t:1/m:2,@1/s:3=4",
    ]
    texts[1] = "c1/s:@4/L:0,1/t:2/m:3,@2=4"
    assert found == {str(canonical(parse(text))) for text in texts}


def test_a_node_that_reads_itself_is_replaced_by_its_other_input() -> None:
    cell = parse("c1/L:0,@1/t:1=2")
    found = {str(CHANGES["delete"](cell, SPACE, random.Random(seed))) for seed in range(40)}
    assert found == {str(cell), "c1/t:0=1", "c1/L:0,@1=1"}


def reachable(cell: Cell, space: Space, count: int) -> set[str]:
    return {str(mutate(cell, space, random.Random(seed))) for seed in range(count)}


def test_all_neighbours_of_a_small_cell_are_reached() -> None:
    space = Space(("t", "s"), 1, 2)
    found = reachable(parse("c1/t:0=1"), space, 400)
    one = {"c1/s:0=1", "c1/t:@0=1"}
    inserted = {f"c1/{p}:0/{q}:1=2" for p, q in ("tt", "ts", "st")}
    assert found == one | inserted


def test_a_walk_stays_in_the_space_and_gets_about() -> None:
    space = Space(RECURRENT, 2, 6)
    generator = random.Random(5)
    cell = parse("c1/L:0,@2/t:1=2")
    met = set()
    for _ in range(150):
        cell = mutate(cell, space, generator)
        assert space.admits(cell)
        met.add(cell)
    assert len(met) > 120
    assert {len(one.nodes) for one in met} == {2, 3, 4, 5, 6}


def test_where_no_change_stays_in_the_space_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layerwise.encoders.search.space.mutation._TRIES", 50)
    with pytest.raises(UsageError, match="no change of c1/t:0=1 stays in it"):
        mutate(parse("c1/t:0=1"), Space(("t",), 3, 3), random.Random(0))

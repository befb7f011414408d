"""One writing for each cell, against brute force over all renumberings and the published table."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.encoders.search.space.aliases import NAMES
from layerwise.encoders.search.space.canonical import canonical, short_id
from layerwise.encoders.search.space.grammar import Cell, Node, Ref, parse
from layerwise.encoders.search.space.nasbench_nlp import read_recipe
from layerwise.encoders.search.space.operations import Operation
from layerwise.encoders.search.space.sampling import RECURRENT, Space, sample
from layerwise.encoders.search.space.validity import check


@pytest.mark.parametrize("operations", [RECURRENT, ("t", "a", "m"), ("L", "b")])
@pytest.mark.parametrize("nodes", [3, 6, 9])
def test_every_writing_has_one_canonical_form(
    operations: tuple[str, ...], nodes: int, rewrite: Callable[[Cell, int], Cell]
) -> None:
    for seed in range(8):
        cell = sample(Space(operations, nodes, nodes), random.Random(seed))
        for other in range(4):
            written = rewrite(cell, other)
            assert len(written.nodes) == nodes + 1  # with one that is dead
            assert canonical(written) == cell
        assert canonical(cell) == cell
        check(cell)


def brute_force(cell: Cell) -> tuple[Any, ...]:
    """The smallest description over all numberings; all nodes are live."""
    count = len(cell.nodes)
    found = []
    for order in permutations(range(1, count + 1)):
        new = dict(zip(range(1, count + 1), order, strict=True)) | {0: 0}
        lines = []
        for number, node in cell.numbered():
            inputs = [(new[r.node], r.delayed) for r in node.inputs]
            if node.operation.letter != "b":
                inputs.sort()
            lines.append((new[number], str(node.operation), tuple(inputs)))
        found.append((*sorted(lines), new[cell.out]))
    return min(found)


def test_equal_forms_are_equal_graphs_and_no_others() -> None:
    """All cells of three nodes over two operations in which the last is the output."""
    choices = []
    for number in (1, 2, 3):
        refs = [Ref(k) for k in range(number)] + [Ref(k, True) for k in (1, 2, 3)]
        choices.append(
            [Node(Operation("t"), (r,)) for r in refs]
            + [Node(Operation("m"), (p, q)) for p, q in product(refs, refs) if p >= q]
        )
    rng = random.Random(0)
    cells = [Cell(nodes, 3) for nodes in product(*choices) if rng.random() < 0.12]
    cells = [cell for cell in cells if len(canonical(cell).nodes) == 3]
    assert len(cells) > 300
    pairs = {(str(canonical(cell)), brute_force(cell)) for cell in cells}
    assert len(pairs) == len({ours for ours, _ in pairs}) == len({theirs for _, theirs in pairs})
    assert len(pairs) < len(cells)  # some were equal


def test_a_tie_that_refinement_leaves_is_broken_the_same_way_whatever_the_writing(
    rewrite: Callable[[Cell, int], Cell],
) -> None:
    """Two rings of three and a ring of six look alike from every node."""

    def rings(*following: int) -> Cell:
        nodes = "/".join(f"L:0,@{other}" for other in following)
        return parse(f"c1/{nodes}/a:1,2,3,4,5,6=7")

    six, threes = rings(2, 3, 4, 5, 6, 1), rings(2, 3, 1, 5, 6, 4)
    assert canonical(six) != canonical(threes)
    for cell in (six, threes):
        assert {canonical(rewrite(cell, seed)) for seed in range(12)} == {canonical(cell)}


def test_nodes_that_refinement_confuses_are_not_taken_for_one_another(
    rewrite: Callable[[Cell, int], Cell],
) -> None:
    """In a ring of three beside a ring of four, the first node that is tried decides nothing."""
    following = (2, 3, 1, 5, 6, 7, 4)
    nodes = "/".join(f"L:0,@{other}" for other in following)
    cell = parse(f"c1/{nodes}/a:1,2,3,4,5,6,7=8")
    assert {canonical(rewrite(cell, seed)) for seed in range(12)} == {canonical(cell)}


def test_many_equal_branches_take_no_factorial() -> None:
    branches = "/".join(f"L:0/s:{2 * k + 1}" for k in range(8))
    cell = parse(f"c1/{branches}/a:2,4,6,8,10,12,14,16=17")
    start = time.process_time()
    assert len(canonical(cell).nodes) == 17
    assert time.process_time() - start < 2  # 8! refinements are minutes


def test_what_differs_stays_apart() -> None:
    texts = [
        "c1/L:0,@2/t:1=2",
        "c1/L:0,@1/t:1=2",
        "c1/L:0,@2/s:1=2",
        "c1/K3:0/t:1=2",
        "c1/K3d2:0/t:1=2",
        "c1/L:0/t:1/t:1/a:2,3=4",  # computed twice: not the same as once, doubled
        "c1/L:0/t:1/a:2,2=3",
        "c1/L:0/s:1/b:2,0,1=3",
        "c1/L:0/s:1/b:2,1,0=3",
        *NAMES.values(),
    ]
    forms = [canonical(parse(text)) for text in texts]
    assert len({str(form) for form in forms}) == len(texts) - 1  # rnn stands twice
    assert len({short_id(parse(text)) for text in texts}) == len(texts) - 1


def test_the_short_id_is_of_the_canonical_text() -> None:
    cell = parse("c1/t:0/L:@3,0/t:2=3")
    assert str(canonical(cell)) == "c1/L:0,@2/t:1=2"
    assert short_id(cell) == hashlib.sha256(b"c1/L:0,@2/t:1=2").hexdigest()[:10]


@given(st.integers(0, 10**9))
@settings(max_examples=40, deadline=None)
def test_it_is_its_own_form_for_any_cell(seed: int) -> None:
    cell = sample(Space(most=8), random.Random(seed))
    assert canonical(cell) == cell


def same_classes(rows: list[dict[str, Any]]) -> None:
    """The table names isomorphic recipes by one text, made by code that is not ours."""
    pairs = {(str(canonical(read_recipe(row["recipe"]))), row["cell"]) for row in rows}
    assert len(pairs) == len({ours for ours, _ in pairs}) == len({theirs for _, theirs in pairs})
    for row in rows:
        cell = read_recipe(row["recipe"])
        assert canonical(parse(row["cell"])) == canonical(cell)
        assert len(cell.nodes) - len(canonical(cell).nodes) == row["n_dead_nodes"]


def test_published_recipes_fall_into_the_published_classes(
    published: list[dict[str, Any]],
) -> None:
    same_classes(published[::7])


@pytest.mark.slow
def test_all_of_them_do(published: list[dict[str, Any]]) -> None:
    same_classes(published)
    assert len({str(canonical(read_recipe(row["recipe"]))) for row in published}) == 3552

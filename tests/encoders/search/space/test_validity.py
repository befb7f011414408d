"""The rules of cells: each broken one is told by its node, with a cure."""

from __future__ import annotations

import pytest

from layerwise.core.errors import DataError
from layerwise.encoders.search.space.aliases import NAMES, read_cell
from layerwise.encoders.search.space.grammar import Cell, Node, Ref, parse
from layerwise.encoders.search.space.operations import Operation
from layerwise.encoders.search.space.validity import check, is_valid


@pytest.mark.parametrize("name", NAMES)
def test_cells_with_names_keep_the_rules(name: str) -> None:
    check(read_cell(name), 8)
    assert str(read_cell(f" {NAMES[name]}\n")) == NAMES[name]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("c1/m:0=1", "cell, node 1 (m:0): 1 inputs; a product takes 2 to 8"),
        ("c1/t:0,0=1", "cell, node 1 (t:0,0): 2 inputs; a tanh takes 1"),
        ("c1/b:0,0=1", "a blend takes 3"),
        ("c1/t:0/s:@9=1", "cell, node 2 (s:@9): there is no node 9; up to 2"),
        ("c1/t:1=1", "node 1 (t:1): reads node 1, which is not before it; write @1 for its value"),
        ("c1/t:2/t:0=1", "node 1 (t:2): reads node 2, which is not before it"),
        ("c1/t:0=0", "cell: the output, node 0, is none of its nodes; take 1 to 1"),
        ("c1/t:0=2", "cell: the output, node 2, is none"),
        ("c1/L:0,@3/t:1/K3:2=3", "node 3 (K3:2): a dense convolution cannot stand in a delay loop"),
        ("c1/A4:@1=1", "of the nodes 1"),
        ("c1/E:0/L:@2/t:0=2", "cell: the output, node 2, does not depend on the input"),
        ("c1/L4:0/a:0,1=2", "node 2 (a:0,1): its inputs are 1 and 4 wide; put an L between them"),
        ("c1/L4:0=1", "cell: the output, node 1, is 4 wide and not 1; put an L behind it"),
        ("c1/L:0/L2:0/b:1,1,@2=1", "cell, node 3 (b:1,1,@2)"),
        ("c1/m:@3,@2/t:0/L2:0=1", "cell, node 1 (m:@3,@2)"),
    ],
)
def test_a_broken_rule_is_told_with_the_node_and_a_cure(text: str, told: str) -> None:
    with pytest.raises(DataError) as caught:
        check(parse(text))
    assert told in str(caught.value)
    assert not is_valid(parse(text))


def test_heads_and_groups_are_held_against_a_width_that_is_given() -> None:
    cell = parse("c1/L:0/A3:1/G7:2=3")
    check(cell)
    check(cell, 21)
    with pytest.raises(DataError, match=r"node 2 \(A3:1\): 3 heads cannot share a width of 14"):
        check(cell, 14)
    with pytest.raises(DataError, match=r"node 3 \(G7:2\): 7 groups cannot share a width of 12"):
        check(cell, 12)


def test_a_window_beside_a_loop_is_no_fault() -> None:
    check(parse("c1/K3:0/L:1,@3/t:2/A2:3/a:@4,4=5"))


def test_a_cell_has_1_to_32_nodes() -> None:
    chain = tuple(Node(Operation("t"), (Ref(number),)) for number in range(33))
    check(Cell(chain[:32], 32))
    for nodes in ((), chain):
        with pytest.raises(DataError, match=f"{len(nodes)} nodes; take 1 to 32"):
            check(Cell(nodes, 1))


@pytest.mark.parametrize("text", ["lstn", "", "LSTM"])
def test_an_unknown_name_is_told_with_the_near_ones_and_an_example(text: str) -> None:
    with pytest.raises(DataError, match=f"no such cell: '{text}'.*lstm.* write one as c1/L:0,@2"):
        read_cell(text)

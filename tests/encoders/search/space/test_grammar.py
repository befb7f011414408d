"""Cells as text: every writing comes back, and what cannot be read is told by its node."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.encoders.search.space.grammar import MOST_NODES, Cell, Node, Ref, parse
from layerwise.encoders.search.space.operations import KINDS, Operation
from layerwise.encoders.search.space.sampling import Space, sample


def test_a_cell_is_what_it_says() -> None:
    cell = parse("c1/K5d2:0/L:1,@3/A4w16:2/b:1,@0,3=4")
    assert cell == Cell(
        (
            Node(Operation("K", 5, 2), (Ref(0),)),
            Node(Operation("L"), (Ref(1), Ref(3, True))),
            Node(Operation("A", 4, 16), (Ref(2),)),
            Node(Operation("b"), (Ref(1), Ref(0, True), Ref(3))),
        ),
        4,
    )
    assert str(cell) == "c1/K5d2:0/L:1,@3/A4w16:2/b:1,@0,3=4"


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_a_sampled_cell_comes_back_from_its_text(seed: int) -> None:
    cell = sample(Space(most=8), random.Random(seed))
    assert parse(str(cell)) == cell


CHARACTERS = "".join(KINDS) + "c1/:,=@0123456789dwx\x00 é\n"


@given(st.one_of(st.text(CHARACTERS, max_size=30).map("c1/L:0".__add__), st.text(max_size=40)))
@settings(max_examples=400, deadline=None)
def test_any_text_is_a_cell_with_that_writing_or_a_data_error(text: str) -> None:
    try:
        cell = parse(text)
    except DataError as error:
        assert "\n" not in str(error) and str(error).startswith("cell")
    else:
        assert str(cell) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "cell: begins with ''; write c1/L:0,@2/t:1=2"),
        ("c2/t:0=1", "cell: begins with 'c2'"),
        ("c1/t:0", "cell: does not end in the number of its output; such as =2"),
        ("c1/t:0=@1", "cell: does not end in the number"),
        ("c1/t:0/=1", "cell, node 2 (): has no inputs; such as t:1"),
        ("c1/t:0/s:=1", "cell, node 2 (s:): not an input: ''; write 3, or @3 for a delay"),
        ("c1/t:00=1", "not an input: '00'"),
        ("c1/t:²=1", "not an input: '²'"),
        ("c1/t:0/z:1=2", "cell, node 2 (z:1): no such operation: 'z'; one of L (linear map)"),
        ("c1/t3:0=1", "cell, node 1 (t3:0): t takes no t3"),
        ("c1/D3d2:0=1", "D takes no d2"),
        ("c1/L1:0=1", "L1 is out of range; take L2 to L8, or no number"),
        ("c1/K:0=1", "cell, node 1 (K:0): K needs a number; take K2 to K31"),
        ("c1/K32:0=1", "K32 is out of range; take K2 to K31"),
        ("c1/K03:0=1", "not K2 to K31: 'K03'"),
        ("c1/K3d1:0=1", "d1 is out of range; take d2 to d64, or no d"),
        ("c1/K3w2:0=1", "not d2 to d64: 'K3w2'"),
        ("c1/A4w99999:0=1", "not w2 to w1024"),
        ("c1/" + "/".join(["t:0"] * (MOST_NODES + 1)) + "=1", f"at most {MOST_NODES}"),
        ("c1/" + "t" * 5000, "5,003 characters; at most 2,048 are read"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_node_and_cure(text: str, told: str) -> None:
    with pytest.raises(DataError) as caught:
        parse(text)
    assert told in str(caught.value)


def test_the_longest_cell_can_be_read() -> None:
    inputs = ",".join(["@32"] * 8)
    text = "c1/" + "/".join([f"L8:{inputs}"] * MOST_NODES) + f"={MOST_NODES}"
    assert str(parse(text)) == text

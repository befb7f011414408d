"""Widths through loops, and the weights of single operations in closed form."""

from __future__ import annotations

import pytest

from layerwise.core.errors import DataError
from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.space.widths import parameters, widths


@pytest.mark.parametrize(
    ("text", "state", "given", "expected"),
    [
        ("c1/L:0,@2/t:1=2", 5, 3, (3, 5, 5)),
        ("c1/L4:0/g:1/L:2=3", 5, None, (5, 20, 20, 5)),
        ("c1/L4:0/g:1/L:2=3", None, None, (1, 4, 4, 1)),
        # Told from behind: a width goes from node 3 to 2 and from 2 to 1.
        ("c1/a:@2,@2/t:@3/L2:0/L:1=4", 3, None, (3, 6, 6, 6, 3)),
        ("c1/t:@2/s:@1/a:0,1=3", 4, None, (4, 4, 4, 4)),
    ],
)
def test_each_node_is_as_wide_as_what_it_reads_or_says(
    text: str, state: int | None, given: int | None, expected: tuple[int, ...]
) -> None:
    assert widths(parse(text), state, given) == expected


def test_inputs_of_two_widths_are_told() -> None:
    with pytest.raises(DataError, match=r"node 2 \(m:0,1\): its inputs are 3 and 5 wide"):
        widths(parse("c1/L:0/m:0,1=2"), 5, 3)


@pytest.mark.parametrize(
    ("operation", "count"),
    [
        ("t", 0),
        ("L", 12 * 12 + 12),
        ("n", 24),
        ("K3", 3 * 144 + 12),
        ("K3d9", 3 * 144 + 12),
        ("D3", 3 * 12 + 12),
        ("Y3", 3 * 12),
        ("A4", 4 * (144 + 12)),
        ("A4w7", 4 * (144 + 12)),
        ("E", 12 * 3 + 3 + 3 * 12 + 12),
        ("G4", 4 * 9 + 12),
    ],
)
def test_an_operation_has_its_weights(operation: str, count: int) -> None:
    assert parameters(parse(f"c1/{operation}:0=1"), 12) == count
